// The uma-ticket grant (UMA Grant 3.3.1, 3.3.4 to 3.3.6). Opens the ticket, verifies what was pushed, asks the owner's object once; the
// rules are in worker/policy, the one use of a ticket is the object's. Here facts become need_info, request_denied or a token.

import { forOwner } from '../claims/for-owner.ts'
import { claimType } from '../claims/types.ts'
import { unavailable } from '../http/bearer.ts'
import { type Call, type Deps, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { type Params, required, scopeOf } from '../http/form.ts'
import { tooManyQuestions } from '../http/quota.ts'
import { isOver, wantsWhatItHas } from '../negotiation/rounds.ts'
import { isProgress } from '../negotiation/shown.ts'
import { clientById } from '../oauth/clients.ts'
import type { GrantInput } from '../oauth/token.ts'
import type { Redeemed, Redemption } from '../objects/owner-redeem.ts'
import { fromText, textOf } from '../objects/text.ts'
import type { AskedNeed } from '../policy/assess.ts'
import type { Evidence } from '../policy/evidence.ts'
import { requiredClaims } from '../policy/required-claims.ts'
import { type Client, originOf } from '../store/clients.ts'
import { mintToken, readToken } from '../tokens/opaque.ts'
import { openTicket, renewTicket, type Ticket } from '../tokens/ticket.ts'
import { circumstances, linksOf, purposeOf } from './circumstances.ts'
import { mailEmergency } from './emergency-mail.ts'
import { issuePct, nextPct, usePct } from './persisted-claims.ts'
import { pushedEvidence } from './pushed-claims.ts'
import { rptAnswer } from './rpt-answer.ts'
import { inFormatOf } from './self-contained-answer.ts'

export async function ticketGrant(input: GrantInput): Promise<Record<string, unknown>> {
  const { call, params, resources, client, jkt } = input
  const { deps } = call
  const now = seconds(deps)
  const text = required(params, 'ticket')
  checkPair(params)
  const requested = scopeOf(params)
  // DESIGN decision 12: what a public client gets is bound to its key.
  if (client.isPublic && jkt === undefined)
    throw new OAuthError('invalid_dpop_proof', 'a public client must send a DPoP proof with a ticket')
  const presented = await ticketFor(call, text, client.id, jkt)
  const purpose = purposeOf(params, presented)
  const links = await linksOf(call, params, presented)
  const ticket = { ...presented, ...(purpose === undefined ? {} : { purpose }), ...(links === undefined ? {} : { links }) }
  // Before the ticket is spent: what can fail for other reasons must not cost it.
  const service = await clientById(call, ticket.service)
  if (resources.length > 0) await checkTarget(call, ticket, service, resources, now)
  const pushed = await pushedEvidence(call, { params, ticket: text, owner: ticket.owner, client: client.id, jkt })
  const isNew = isProgress(ticket.evidence, pushed) || purpose !== presented.purpose || links?.length !== presented.links?.length
  const holder = { client_id: client.id, jkt: client.isPublic ? (jkt ?? null) : null }
  const pct = await usePct(call, params.get('pct'), holder, { owner: ticket.owner, shown: [...ticket.evidence, ...pushed] })
  const evidence = [...ticket.evidence, ...pushed, ...(pct.kind === 'used' ? [pct.evidence] : [])]
  const rpt = await mintToken(deps.keyring, 'r', ticket.owner)
  const mayRefresh = client.metadata.grant_types?.includes('refresh_token') === true
  const refresh = mayRefresh ? await mintToken(deps.keyring, 'u', ticket.owner) : undefined
  const next = await nextPct(call, ticket, evidence)
  const persisted = next?.kept ?? (pct.kind === 'used' ? pct.kept : undefined)
  const asked: Redemption = {
    ...(await redemption(input, ticket, evidence)),
    requested_scopes: requested,
    // DESIGN decision 6: back without anything new, the client gets what it has.
    settle: wantsWhatItHas(ticket, isNew),
    rpt_hash: rpt.hash,
    // UMA Grant 3.6: who registered for it gets a refresh token too, bound to its key if it has no secret.
    ...(refresh === undefined ? {} : { refresh: { hash: refresh.hash, jkt: holder.jkt } }),
    ...(pct.kind === 'refused' ? { refused_pct: pct.hash } : {}),
    ...(persisted === undefined ? {} : { pct: persisted }),
  }
  const decided = fromText(await ownerObject(call.deps.env, ticket.owner).redeem(textOf(asked)))
  if (decided.kind === 'granted') {
    if (decided.mail) call.waitUntil(mailEmergency(deps, ticket.owner))
    const issued = next === undefined || !decided.pct ? undefined : await issuePct(call, ticket, next, holder)
    // The token that would have followed is not handed out: the one that was used goes on.
    if (pct.kind === 'used' && !decided.pct) call.waitUntil(pct.undo())
    const answer = rptAnswer({
      token: decided.same ? required(params, 'rpt') : rpt.token,
      exp: decided.exp,
      now,
      jkt,
      service,
      refreshToken: decided.refresh ? refresh?.token : undefined,
      upgraded: decided.upgraded,
      pct: issued ?? (pct.kind === 'used' && decided.pct ? pct.token : undefined),
    })
    return inFormatOf(call, service, answer)
  }
  // The token that would have followed was never handed out. The client does not wait for this.
  if (pct.kind === 'used') call.waitUntil(pct.undo())
  const process = {
    client: client.id,
    ...(jkt === undefined ? {} : { jkt }),
    ...(asked.upgrade === undefined ? {} : { rpt: asked.upgrade.hash }),
  }
  throw await refusal(deps, ticket, { decided, pushed, isNew, process }, now)
}

/** What the owner's object is asked. */
async function redemption(
  { call, params, client, jkt }: GrantInput,
  ticket: Ticket,
  evidence: readonly Evidence[],
): Promise<Omit<Redemption, 'rpt_hash' | 'requested_scopes'>> {
  const { deps } = call
  const upgrade = await upgradeOf(params, deps, ticket.owner, client)
  return {
    now: seconds(deps),
    jti: ticket.jti,
    exp: ticket.exp,
    connection: ticket.connection,
    permissions: ticket.permissions,
    ...circumstances(call, client, jkt, ticket),
    jkt: jkt ?? null,
    registered_scopes: (client.metadata.scope ?? '').split(' '),
    // UMA Grant 3.3.4 leaves the choice; here it is the client's.
    partial: client.metadata.uma_partial !== false,
    evidence: await forOwner(deps.keyring, ticket.owner, evidence, ticket.organisations),
    ...(ticket.request === undefined ? {} : { request: ticket.request }),
    ...(upgrade === undefined ? {} : { upgrade }),
  }
}

/** Whose process it is from now on. */
type Process = Pick<Ticket, 'client' | 'jkt' | 'rpt'>
type Refused = { decided: Exclude<Redeemed, { kind: 'granted' }>; pushed: Evidence[]; isNew: boolean; process: Process }

async function refusal(deps: Deps, ticket: Ticket, { decided, ...found }: Refused, now: number): Promise<OAuthError> {
  switch (decided.kind) {
    case 'need_info':
      // What was shown becomes MACs of an organisation that was joined meanwhile, too: its rules say no more of it before.
      return needInfo(
        deps,
        decided.organisations ? { ...ticket, organisations: decided.organisations } : ticket,
        { ...found, ...decided },
        now,
      )
    case 'submitted':
      return submitted(deps, ticket, { ...found, ...decided }, now)
    case 'denied':
      return denied()
    case 'too_many':
      return tooManyQuestions()
    case 'invalid_scope':
      return new OAuthError('invalid_scope', 'a scope is available at no resource of this ticket')
    case 'spent':
      return invalidTicket()
    case 'unavailable':
      return unavailable()
  }
}

/** UMA Grant 3.3.1: an RPT sent along. Another owner's, and what is none, is not looked at, and nobody is told (SPECS G-61). */
async function upgradeOf(params: Params, deps: Deps, owner: string, client: Client): Promise<{ hash: string; same: boolean } | undefined> {
  const text = params.get('rpt')
  const old = text === undefined ? undefined : await readToken(deps.keyring, text)
  if (old?.kind !== 'r' || old.owner !== owner) return undefined
  return { hash: old.hash, same: client.metadata.rpt_upgrade === 'same_string' }
}

/** The ticket, if it is one and this client's. Another's is spent, and told to the owner (SPECS G-27). */
async function ticketFor(call: Call, text: string, clientId: string, jkt: string | undefined): Promise<Ticket> {
  const { deps } = call
  const now = seconds(deps)
  const ticket = await openTicket(deps.keyring, text, now)
  if (ticket === undefined) throw invalidTicket()
  if (isBoundTo(ticket, clientId, jkt)) return ticket
  const { jti, exp, connection } = ticket
  await ownerObject(call.deps.env, ticket.owner).misused({ jti, exp, connection, client_id: clientId, now })
  throw invalidTicket()
}

/** UMA Grant 3.3.1: claim_token and claim_token_format come together (SPECS G-22). */
function checkPair(params: Params): void {
  if ((params.get('claim_token') === undefined) !== (params.get('claim_token_format') === undefined)) {
    throw new OAuthError('invalid_request', 'claim_token and claim_token_format come together')
  }
}

/** RFC 8707 2 (SPECS G-29): who names a resource server must mean the one that the ticket came from. The ticket was presented: it is spent. */
async function checkTarget(
  call: Call,
  ticket: Ticket,
  service: Client | undefined,
  resources: readonly string[],
  now: number,
): Promise<void> {
  const names = service === undefined ? [] : [originOf(service), service.metadata.client_uri].map((text) => URL.parse(text ?? '')?.href)
  if (resources.every((text) => !text.includes('#') && names.includes(URL.parse(text)?.href ?? ''))) return
  if (!(await ownerObject(call.deps.env, ticket.owner).spend({ jti: ticket.jti, exp: ticket.exp, now }))) throw invalidTicket()
  throw new OAuthError('invalid_target', 'resource is not the resource server that asked for this ticket')
}

/** SPECS G-27: a process belongs to the first client, and key, that presented its ticket. */
function isBoundTo(ticket: Ticket, clientId: string, jkt: string | undefined): boolean {
  return (ticket.client === undefined || ticket.client === clientId) && (ticket.jkt === undefined || ticket.jkt === jkt)
}

async function needInfo(
  deps: Deps,
  ticket: Ticket,
  found: { process: Process; pushed: Evidence[]; isNew: boolean; needs: AskedNeed[] },
  now: number,
): Promise<OAuthError> {
  if (isOver(ticket)) return denied()
  // Something else is wanted now than to wait for the owner's answer.
  const { request: _, ...asking } = ticket
  const next = await renewTicket(
    deps.keyring,
    asking,
    { ...found.process, isNew: found.isNew, ...(found.pushed.length === 0 ? {} : { evidence: found.pushed }) },
    now,
  )
  // UMA Grant 3.3.6: 403, a new ticket, and the ways to go on.
  return new OAuthError('need_info', 'the requesting party has to show something; push it or send the person to redirect_user', {
    status: 403,
    members: {
      ticket: next,
      required_claims: requiredClaims(found.needs.map(namedNeed), described),
      ...(found.needs.some(canBeShownHere) ? { redirect_user: `${deps.issuer}/uma/claims` } : {}),
    },
  })
}

/** UMA Grant 3.3.6: 403, a new ticket, and how long to wait. What was pushed now is kept for the next time. */
async function submitted(
  deps: Deps,
  ticket: Ticket,
  { process, pushed, request, interval }: { process: Process; pushed: Evidence[]; request: string; interval: number },
  now: number,
): Promise<OAuthError> {
  const evidence = pushed.length === 0 ? {} : { evidence: pushed }
  const next = await renewTicket(deps.keyring, ticket, { ...process, ...evidence, request }, now)
  return new OAuthError('request_submitted', 'the owner was asked; come again with this ticket when the interval is over', {
    status: 403,
    members: { ticket: next, interval },
  })
}

/** Whether sending the person to the claims page helps (UMA Grant 3.3.6): what only others can vouch for cannot be shown there. */
const canBeShownHere = (need: AskedNeed): boolean => need.kind === 'claim' && claimType(need.claim).interactive

/** Not a claim that a token could show: the client says it, in the parameter of that name. What would do is not told (DESIGN 7 I9). */
const namedNeed = (need: AskedNeed) => (need.kind === 'purpose' ? { claim: PURPOSE } : need)
const PURPOSE = 'purpose'
const described = (claim: string) => (claim === PURPOSE ? { friendly_name: 'What it is wanted for', formats: [] } : claimType(claim))

const invalidTicket = () => new OAuthError('invalid_grant', 'the ticket is not valid (any more); ask the resource server for a new one')
/** UMA Grant 3.3.6: final, carries no ticket; the same for every reason (POLICY 3). */
const denied = () => new OAuthError('request_denied', 'the owner does not allow this', { status: 403 })
