// Cedar, asked what it would decide: the same rules as text, the same knowledge as its context. What is not known is an `unknown` of Cedar
// (partial) or is left out (whole).
import { createRequire } from 'node:module'
import type { CedarValueJson, Context, Decision, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { cedarText, cedarValue } from '../../worker/policy/cedar.ts'
import type { Thing, ThingType } from '../../worker/policy/policy.ts'
import type { Fact } from '../../worker/policy/world.ts'
import type { Asked } from './engine.ts'
import { type Circumstances, CLAIMS, GROUPS } from './people.ts'

// The package has no entry that Node could import as a module.
const cedar: typeof import('@cedar-policy/cedar-wasm/nodejs') = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs')

const entitiesOf = (thing: Thing, type: ThingType | undefined): EntityJson[] => {
  const uid = (id: string) => ({ type: 'Thing', id })
  const line = [thing.id, ...thing.ancestors]
  return line.map((id, index) => ({
    uid: uid(id),
    attrs:
      index === 0
        ? { labels: [...thing.labels], authority: type?.authority ?? 'owner', ...(thing.type !== undefined && { type: thing.type }) }
        : {},
    parents: line.slice(index + 1, index + 2).map(uid),
  }))
}

const claimOf = ({ iss, iat, exp, mac, domain, level, holds, named }: Fact): CedarValueJson => ({
  iss,
  iat,
  exp,
  mac,
  groups: Object.keys(GROUPS).filter((group) => GROUPS[group]?.includes(mac)),
  ...(named !== undefined && { named }),
  ...(domain !== undefined && { domain }),
  ...(level !== undefined && { level }),
  ...(holds !== undefined && { holds: [...holds] }),
})

const unknown = (name: string): CedarValueJson => ({ __extn: { fn: 'unknown', arg: name } })

/** `facts`: at most one for each claim. `open`: what is not known is unknown, not absent. */
const contextOf = (at: Circumstances, facts: readonly Fact[], open: boolean): Context => {
  const claims: Record<string, CedarValueJson> = open ? Object.fromEntries(CLAIMS.map((claim) => [claim, unknown(claim)])) : {}
  for (const fact of facts) claims[fact.claim] = claimOf(fact)
  const answers: Record<string, CedarValueJson> = open ? { q0: unknown('q0'), q1: unknown('q1') } : {}
  for (const [key, { given }] of Object.entries(at.answers)) answers[key] = given
  const purpose = at.purpose ?? (open ? unknown('purpose') : undefined)
  return {
    now: at.now,
    claims,
    answers,
    client: { id: at.client.id, trust: [...at.client.trust] },
    ...(purpose !== undefined && { purpose }),
    links: [...at.links],
    said: Object.fromEntries(Object.entries(at.context).map(([key, value]) => [key, cedarValue(value)])),
    used: { 'k/rqp': 0, 'k/rule': 0, ...at.used },
  }
}

const callOf = ({ policies, thing, scope, type }: Asked, context: Context) => ({
  principal: { type: 'Guest', id: 'g' },
  action: { type: 'Action', id: scope },
  resource: { type: 'Thing', id: thing.id },
  context,
  policies: { staticPolicies: cedarText(policies, type === undefined ? [] : [type]) },
  entities: entitiesOf(thing, type),
})

const broken = (what: unknown): never => {
  throw new Error(`Cedar could not judge: ${JSON.stringify(what).slice(0, 2000)}`)
}

/** What Cedar decides when all that there is to know is known. */
export const wholeDecision = (asked: Asked, at: Circumstances, facts: readonly Fact[]): Decision => {
  const answer = cedar.isAuthorized(callOf(asked, contextOf(at, facts, false)))
  if (answer.type !== 'success' || answer.response.diagnostics.errors.length > 0) return broken(answer)
  return answer.response.decision
}

/** What Cedar decides whatever the rest may be; null if that depends. */
export const partialDecision = (asked: Asked, at: Circumstances, facts: readonly Fact[]): Decision | null => {
  const answer = cedar.isAuthorizedPartial(callOf(asked, contextOf(at, facts, true)))
  if (answer.type !== 'residuals' || answer.response.errored.length > 0) return broken(answer)
  return answer.response.decision
}
