// The vault as a guest's client (UMA Grant 3.3): ticket, token request, claims page, RPT. The RPT stays in the guest's object on the
// server; the browser never sees it (UMA Grant 5.2). Every ticket is one of the vault's own, never the one of a challenge it gave out.
import * as v from 'valibot'
import { randomText } from '../../shared/base64url.ts'
import type { ClientIdentity } from '../../shared/client-authentication.ts'
import {
  afterRedirect,
  beginNegotiation,
  claimsInteractionUrl,
  mayPresent,
  type Negotiation,
  type NextStep,
  ticketGrantForm,
} from '../../shared/negotiation.ts'
import { type UmaClientMetadata, umaClientMetadata } from '../../shared/protocol/uma-grant.ts'
import { processTicketGrantResponse, ticketGrantRequest } from '../../shared/uma-client.ts'
import { FLOW_LIFETIME, GUEST_LIFETIME } from './cookies.ts'
import { nowOf, outboundOf, randomBytes } from './env.ts'
import type { VaultContext } from './http.ts'
import { hashText, openJson, sealJson, type ThingRef } from './keyring.ts'
import { accountOf, authorizationServerOf, guestOf } from './names.ts'

export type FlowEnd =
  | { kind: 'granted' }
  | { kind: 'redirect'; url: string }
  | { kind: 'waiting'; interval: number }
  | { kind: 'ended'; outcome: 'denied' | 'cancelled' | 'failed' | 'expired' }
  | { kind: 'gone' }
  | { kind: 'unreachable' }

const negotiationSchema = v.object({ asUri: v.string(), ticket: v.string(), spent: v.array(v.string()) })
const pendingSchema = v.object({ link: v.string(), negotiation: negotiationSchema, extras: v.boolean() })
const waitingSchema = v.object({ negotiation: negotiationSchema, due: v.number() })
const rptSchema = v.object({ token: v.string() })

/** One guest, one thing. */
export type Visitor = { c: VaultContext; guest: string; link: string; ref: ThingRef }

type Party = { metadata: UmaClientMetadata; client: ClientIdentity }

const thingKey = (visitor: Visitor): Promise<string> => hashText(visitor.c.var.keyring, 'guest thing', visitor.link)
const objectOf = ({ c, guest }: Pick<Visitor, 'c' | 'guest'>) => guestOf(c.env, c.var.keyring, guest)

async function partyAt(c: VaultContext, asUri: string): Promise<Party | undefined> {
  const server = await authorizationServerOf(c.env, c.var.keyring, asUri)
  const connected = await server.clientAt(asUri, 'guest', c.var.origin)
  if (connected.kind !== 'connected') return undefined
  return { metadata: v.parse(umaClientMetadata, JSON.parse(connected.metadata)), client: connected.client }
}

/**
 * One token request. The vault asks for `download` beside the ticket's `view`: granted if it is shared, and no reason to refuse if not
 * (UMA Grant 3.3.4: a scope that the client registered and asks for).
 */
async function requestRpt(c: VaultContext, party: Party, negotiation: Negotiation, extras: boolean): Promise<NextStep> {
  const form = ticketGrantForm(negotiation, extras ? { scope: 'download' } : {})
  const deps = { fetch: outboundOf(c.env), now: nowOf, random: randomBytes }
  return processTicketGrantResponse(negotiation, await ticketGrantRequest(party.metadata, party.client, form, deps))
}

async function keepRpt(visitor: Visitor, token: string, expiresIn: number | undefined): Promise<void> {
  const { c } = visitor
  const sealed = await sealJson(c.var.keyring, 'guest rpt', { token })
  // Choice: kept as long as the guest; whether it is still good is asked at every request.
  await (await objectOf(visitor)).keep(
    'rpt',
    await thingKey(visitor),
    sealed,
    nowOf() + Math.min(expiresIn ?? GUEST_LIFETIME, GUEST_LIFETIME),
  )
}

/** Sends the browser to the claims page; remembers what its answer must fit, under the hash of `state` (UMA Grant 3.3.2, 5.1). */
async function toClaimsPage(
  visitor: Visitor,
  party: Party,
  step: Extract<NextStep, { kind: 'give_info' }>,
  extras: boolean,
): Promise<FlowEnd> {
  const { c, link } = visitor
  const endpoint = step.redirectUser ?? party.metadata.claims_interaction_endpoint
  if (endpoint === undefined) return { kind: 'ended', outcome: 'failed' }
  const state = randomText(randomBytes)
  const { keyring, origin } = c.var
  const sealed = await sealJson(keyring, 'guest pending', { link, negotiation: step.negotiation, extras })
  await (await objectOf(visitor)).keep('pending', await hashText(keyring, 'guest state', state), sealed, nowOf() + FLOW_LIFETIME)
  const request = { clientId: party.client.clientId, claimsRedirectUri: `${origin}/claims/back`, state }
  return { kind: 'redirect', url: claimsInteractionUrl(endpoint, step.negotiation, request) }
}

/** Carries on from an answer of the token endpoint or of the claims page. */
async function follow(visitor: Visitor, party: Party, first: NextStep, extras: boolean): Promise<FlowEnd> {
  const { c } = visitor
  const step = first.kind === 'request' ? await requestRpt(c, party, first.negotiation, extras) : first
  switch (step.kind) {
    case 'granted':
      // DESIGN decision 12: a token that is good elsewhere is not for this vault.
      if (!mayPresent(step.rpt, c.var.origin, true)) return { kind: 'ended', outcome: 'failed' }
      await keepRpt(visitor, step.rpt.access_token, step.rpt.expires_in)
      return { kind: 'granted' }
    case 'give_info':
      return toClaimsPage(visitor, party, step, extras)
    case 'wait': {
      const sealed = await sealJson(c.var.keyring, 'guest waiting', { negotiation: step.negotiation, due: nowOf() + step.interval })
      await (await objectOf(visitor)).keep('waiting', await thingKey(visitor), sealed, nowOf() + FLOW_LIFETIME)
      return { kind: 'waiting', interval: step.interval }
    }
    case 'denied':
      await accountOf(c.env, visitor.ref.account).recordVisit(visitor.ref.file, 'refused')
      return { kind: 'ended', outcome: 'denied' }
    case 'cancelled':
      return { kind: 'ended', outcome: 'cancelled' }
    case 'request':
    case 'failed':
      return { kind: 'ended', outcome: 'failed' }
    default:
      return step satisfies never
  }
}

/** Begins with a ticket of the vault's own. A server that has forgotten the vault, or takes no extras, is asked once more without. */
export async function openThing(visitor: Visitor, attempt = { extras: true, retried: false }): Promise<FlowEnd> {
  const { c, ref } = visitor
  const ticket = await accountOf(c.env, ref.account).guestTicket(ref.file, ['view'])
  if (ticket.kind !== 'ticket') return { kind: ticket.kind }
  const party = await partyAt(c, ticket.asUri)
  if (party === undefined) return { kind: 'unreachable' }
  const negotiation = beginNegotiation(ticket)
  const step = await requestRpt(c, party, negotiation, attempt.extras)
  if (step.kind === 'failed' && step.error === 'invalid_client' && !attempt.retried) {
    await (await authorizationServerOf(c.env, c.var.keyring, ticket.asUri)).forget('guest')
    return openThing(visitor, { ...attempt, retried: true })
  }
  if (step.kind === 'failed' && step.error === 'invalid_scope' && attempt.extras) return openThing(visitor, { ...attempt, extras: false })
  return follow(visitor, party, step, attempt.extras)
}

/** What came back from the claims page (UMA Grant 3.3.3): belongs to this guest, answers once. */
export async function comeBack(
  c: VaultContext,
  guest: string,
  query: URLSearchParams,
  visitorOf: (link: string) => Promise<Visitor | undefined>,
): Promise<{ link: string; end: FlowEnd } | undefined> {
  const { keyring } = c.var
  const state = query.get('state') ?? ''
  const sealed = await (await objectOf({ c, guest })).take('pending', await hashText(keyring, 'guest state', state), nowOf())
  const pending = v.safeParse(pendingSchema, sealed === undefined ? undefined : await openJson(keyring, 'guest pending', sealed))
  const visitor = pending.success ? await visitorOf(pending.output.link) : undefined
  if (!pending.success || visitor === undefined) return undefined
  const { link, negotiation, extras } = pending.output
  const party = await partyAt(c, negotiation.asUri)
  if (party === undefined) return { link, end: { kind: 'unreachable' } }
  const issRequired = party.metadata.authorization_response_iss_parameter_supported === true
  return { link, end: await follow(visitor, party, afterRedirect(negotiation, query, { state, issRequired }), extras) }
}

/** Looks whether the owner has answered (UMA Grant 3.3.6); nothing when this guest does not wait for this thing. */
export async function lookAgain(visitor: Visitor): Promise<FlowEnd | undefined> {
  const { c } = visitor
  const object = await objectOf(visitor)
  const key = await thingKey(visitor)
  const read = async (sealed: string | undefined) =>
    v.safeParse(waitingSchema, sealed === undefined ? undefined : await openJson(c.var.keyring, 'guest waiting', sealed))
  const waiting = await read(await object.read('waiting', key, nowOf()))
  if (!waiting.success) return undefined
  if (waiting.output.due > nowOf()) return { kind: 'waiting', interval: waiting.output.due - nowOf() }
  // Two open tabs must not poll with one ticket: whoever takes it asks.
  const taken = await read(await object.take('waiting', key, nowOf()))
  if (!taken.success) return { kind: 'waiting', interval: 5 }
  const party = await partyAt(c, taken.output.negotiation.asUri)
  if (party === undefined) return { kind: 'unreachable' }
  return follow(visitor, party, { kind: 'request', negotiation: taken.output.negotiation }, false)
}

/** The RPT that this guest was given for this thing, if there is one. */
export async function heldRpt(visitor: Visitor): Promise<string | undefined> {
  const sealed = await (await objectOf(visitor)).read('rpt', await thingKey(visitor), nowOf())
  const opened = v.safeParse(rptSchema, sealed === undefined ? undefined : await openJson(visitor.c.var.keyring, 'guest rpt', sealed))
  return opened.success ? opened.output.token : undefined
}

export async function dropRpt(visitor: Visitor): Promise<void> {
  await (await objectOf(visitor)).take('rpt', await thingKey(visitor), nowOf())
}
