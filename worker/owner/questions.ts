// Owner API: questions about rules (POST /owner/questions/...), answered by what decides: why, who can open it, what can somebody open, what
// would change. Nothing is stored, counted or asked of anybody. And GET /owner/templates, the shares that people choose from.
import { Hono } from 'hono'
import * as v from 'valibot'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { whatIfRequest, whatRequest, whoRequest, whyRequest } from '../../shared/protocol/owner-policy.ts'
import { claimType } from '../claims/types.ts'
import { noteClient, presentedToken, recognizedToken } from '../http/bearer.ts'
import { type AppContext, type AppEnv, callOf, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import { usualTrust } from '../oauth/client-trust.ts'
import { clientsById } from '../oauth/clients.ts'
import { macsOf } from '../objects/owner-ledger.ts'
import type { Supposed } from '../objects/owner-questions.ts'
import { requiredClaims } from '../policy/required-claims.ts'
import { TEMPLATES } from '../policy/templates.ts'
import type { NeedSet } from '../policy/value.ts'
import type { Conjunction } from '../policy/who.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { compiled, factsOfSomebody, invalid, NO_STORE, tooFast } from './rule-context.ts'
import { isDeeper } from './rule-parts.ts'
import { ruleSentence, waySentence } from './rule-sentence.ts'

/** As deep as a rule may be, and what lies around it. */
const DEPTH = 42
const noThing = () => new OAuthError('not_found', 'no such thing', { status: 404 })
const nobody = () => new OAuthError('not_found', 'no such person', { status: 404 })

export const questions = new Hono<AppEnv>()
  .post('/questions/why', async (c) => {
    const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'question')
    const asked = await readJson(c, whyRequest)
    const facts = await factsOfSomebody(c, owner, asked.who)
    const answered = await ownerObject(c.env, owner).why(caller, {
      cell: { resource_id: asked.resource_id, scope: asked.scope },
      facts: facts ?? [],
      now: seconds(c.var.deps),
      ...(await appIn(c, asked.client_id)),
      ...(asked.purpose === undefined ? {} : { purpose: asked.purpose }),
    })
    if (answered.kind === 'unauthorized') throw refused(answered)
    noteClient(c, answered)
    if (answered.kind === 'too_fast') throw tooFast(answered.wait)
    if (facts === undefined) throw nobody()
    if (answered.kind === 'not_found') throw noThing()
    const { decision, until, permits, against, passed, open, isWhole, policies, people } = answered.answer
    const named = (reasons: typeof permits) =>
      reasons.map(({ id, proofs }) => {
        const policy = policies[id]
        const sentence = policy === undefined ? '' : ruleSentence(policy, wordsFor(c), people)
        return { id, sentence, proofs: proofs.map(({ claim, iss, until: end }) => ({ claim, iss, ...endOf(end) })) }
      })
    return c.json(
      {
        decision: SAID[decision],
        ...endOf(until),
        rules: named(permits),
        against: named(against),
        passed: named(passed),
        open: named(open),
        complete: isWhole,
        missing: decision === 'unknown' ? missing(open.flatMap(({ waits }) => waits ?? [])) : [],
      },
      200,
      NO_STORE,
    )
  })
  .post('/questions/who', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const asked = await readJson(c, whoRequest)
    const cell = { resource_id: asked.resource_id, scope: asked.scope }
    const answered = await ownerObject(c.env, owner).who(caller, { cell, now: seconds(c.var.deps) })
    if (answered.kind === 'unauthorized') throw refused(answered)
    noteClient(c, answered)
    if (answered.kind === 'too_fast') throw tooFast(answered.wait)
    if (answered.kind === 'not_found') throw noThing()
    const { complete, ways, people } = answered.answer
    return c.json(
      {
        complete,
        ways: ways.map((way) => shownWay(c, way, cell.scope, people)),
      },
      200,
      NO_STORE,
    )
  })
  .post('/questions/what', async (c) => {
    const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'question')
    const asked = await readJson(c, whatRequest)
    const facts = await factsOfSomebody(c, owner, asked.who)
    const cursor = asked.cursor === undefined ? {} : { cursor: asked.cursor }
    const answered = await ownerObject(c.env, owner).whatCan(caller, { facts: facts ?? [], now: seconds(c.var.deps), ...cursor })
    if (answered.kind === 'unauthorized') throw refused(answered)
    noteClient(c, answered)
    if (answered.kind === 'too_fast') throw tooFast(answered.wait)
    if (facts === undefined) throw nobody()
    return c.json({ items: answered.items, ...(answered.next === undefined ? {} : { next: answered.next }) }, 200, NO_STORE)
  })
  .post('/questions/what-if', async (c) => {
    const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'question')
    const asked = await readJson(c, readableWhatIf)
    if (asked.rule === undefined && asked.replaces === undefined) throw invalid('send a rule, or the id of one that would go')
    const made = asked.rule === undefined ? undefined : await compiled(c, owner, asked.rule, asked.replaces ?? randomSecret(12))
    const answered = await ownerObject(c.env, owner).simulate(caller, {
      ...(made === undefined ? {} : { policy: made.policy }),
      ...(asked.replaces === undefined ? {} : { replaces: asked.replaces }),
      issuer: c.var.deps.issuer,
      now: seconds(c.var.deps),
    })
    if (answered.kind === 'unauthorized') throw refused(answered)
    noteClient(c, answered)
    if (answered.kind === 'too_fast') throw tooFast(answered.wait)
    const { problems, warnings, differences, isWhole, past, pastIsWhole, who, whoIsWhole, people, along } = answered
    const shown = (is: (one: (typeof differences)[number]) => boolean) =>
      differences.filter(is).map(({ person_id, member_id, resource_id, scope, before, after }) => ({
        ...(person_id === null ? {} : { person: person_id }),
        ...(member_id === undefined ? {} : { member: member_id }),
        ...{ resource_id, scope, before: SAID[before], after: SAID[after] },
      }))
    const visits = (isGranted: boolean) =>
      past
        .filter((one) => one.isGranted === isGranted)
        .map(({ seq, scopes, after }) => ({ seq, resource_scopes: scopes, after: SAID[after] }))
    return c.json(
      {
        gains: shown(({ after }) => after === 'true'),
        losses: shown(({ before }) => before === 'true'),
        asks: shown(({ before, after }) => before === 'false' && after === 'unknown'),
        complete: isWhole,
        past: visits(true),
        past_allowed: visits(false),
        past_complete: pastIsWhole,
        who: who.map(({ cell: { resource_id, scope }, gained, lost }) => ({
          resource_id,
          scope,
          gained: gained.map((way) => shownWay(c, way, scope, people)),
          lost: lost.map((way) => shownWay(c, way, scope, people)),
        })),
        who_complete: whoIsWhole,
        warnings: [...problems, ...warnings].map(({ code, text }) => ({ code, text })),
        ...(made === undefined ? {} : { sentence: ruleSentence({ ...made.policy, along }, wordsFor(c), people) }),
      },
      200,
      NO_STORE,
    )
  })
  .get('/templates', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const me = await ownerObject(c.env, owner).me(caller, seconds(c.var.deps))
    if (me.kind === 'unauthorized') throw refused(me)
    noteClient(c, me)
    return c.json({ items: TEMPLATES }, 200, NO_STORE)
  })

/** `whatIfRequest` for a body; refused before it is walked through if it is nested without end. */
const readableWhatIf = v.pipe(
  v.unknown(),
  v.check((value) => !isDeeper(value, DEPTH), 'nested too deep'),
  whatIfRequest,
)

const SAID = { true: 'yes', false: 'no', unknown: 'unknown' } as const
/** Infinity, or nothing: no end. */
const endOf = (until: number | undefined) => (until === undefined || !Number.isFinite(until) ? {} : { until })

/** Whom a way names and lets in: who it is not for stands in its sentence only. */
const shownWay = (c: AppContext, { all, permits }: Conjunction, scope: string, people: Readonly<Record<string, string>>) => ({
  sentence: waySentence(all, scope, wordsFor(c), people),
  rules: permits,
  people: [...new Set(macsOf({ all: all.filter((one) => !('not' in one)) }).flatMap((mac) => people[mac] ?? []))],
})

/** An app, and what it usually shows of itself. Nothing is fetched for it. */
async function appIn(c: AppContext, client_id: string | undefined): Promise<Pick<Supposed, 'client_id' | 'client_trust'>> {
  if (client_id === undefined) return {}
  const client = (await clientsById(callOf(c), [client_id])).get(client_id)
  return { client_id, ...(client === undefined ? {} : { client_trust: usualTrust(callOf(c), client) }) }
}

const wordsFor = (c: AppContext) => ({ lang: c.var.lang, now: seconds(c.var.deps) })

/** One way to what is missing, in the members of need_info: types of claims, never whose. */
const missing = (sets: readonly NeedSet[]): Record<string, unknown>[] => {
  const [first = []] = sets
  const needs = first.flatMap((need) => (need.kind === 'ask' ? [] : [need.kind === 'purpose' ? { claim: 'purpose' } : need]))
  const named = requiredClaims(needs, (claim) => (claim === 'purpose' ? { friendly_name: 'Purpose', formats: [] } : claimType(claim)))
  return [...named.map((one) => ({ ...one })), ...(first.some((need) => need.kind === 'ask') ? [{ name: 'ask' }] : [])]
}
