// The rules' engine in the runtime, measured from outside (test/tools/bench-policy.ts): one request makes so many decisions, or lists so
// often who can open each of a thousand things. Answers what came of it, so that nothing is left out as useless.
import { decide } from '../../../worker/policy/decide.ts'
import type { Condition, Policy, Thing } from '../../../worker/policy/policy.ts'
import { who } from '../../../worker/policy/who.ts'
import type { Fact, World } from '../../../worker/policy/world.ts'

const NOW = 1_800_000_000

/** As owners write them: a person, one in a few with more to it; one in ten forbids a client, one in ten wants a clearance. */
const ruleAt = (n: number, target: Policy['target']): Policy => {
  const person: Condition = { claim: 'email', eq: `mac-${n}`, max_age: 86_400 }
  const strong: Condition = { any: [{ claim: 'acr', gte: 2 }, { before: NOW - 1 }] }
  const effect = n % 10 === 0 ? 'forbid' : n % 10 === 5 ? 'require' : 'permit'
  const permit: Condition = n % 3 === 0 ? { all: [person, strong, { before: NOW + 1000 }] } : { all: [person] }
  const when: Condition =
    effect === 'permit' ? permit : effect === 'forbid' ? { client: [`evil-${n}`] } : { claim: 'clearance', covers: ['R'] }
  return { v: 1, id: `pol-${n}`, rev: 1, tier: n % 10 === 5 ? 'org' : 'owner', effect, target, scopes: ['view'], when }
}

const thingAt = (n: number): Thing => ({ id: `t${n}`, scopes: ['view'], labels: [], ancestors: ['folder'] })
const fact = (claim: string, mac: string, more: Partial<Fact> = {}): Fact => ({
  id: `${claim}-${mac}`,
  claim,
  iss: 'https://as.example',
  mac,
  iat: NOW - 60,
  exp: NOW + 600,
  ...more,
})

const worldOf = (facts: readonly Fact[]): World => ({
  now: NOW,
  facts,
  client: { id: 'https://app.example', trust: ['pushed'] },
  purpose: undefined,
  links: [],
  context: {},
  isMember: () => false,
  used: () => 0,
  approved: () => undefined,
})

const known = (n: number): World =>
  worldOf([fact('email', `mac-${n}`), fact('acr', '2', { level: 2 }), fact('clearance', 'r', { holds: ['R', 'V'] })])

const rules = new Map([50, 500].map((count) => [count, Array.from({ length: count }, (_, n) => ruleAt(n, { all: true }))]))
const things = Array.from({ length: 1000 }, (_, n) => thingAt(n))
/** New objects each time: nothing is remembered of them. */
const ownRules = (): Policy[][] => things.map(({ id }, n) => Array.from({ length: 10 }, (_, i) => ruleAt(10 * n + i, { resources: [id] })))

const decisions = (count: number, isKnown: boolean, times: number): Record<string, number> => {
  const told: Record<string, number> = {}
  const [thing] = things
  // People differ: nothing that was worked out for one is of use for the next.
  const worlds = Array.from({ length: 20 }, (_, n) => (isKnown ? known(10 * (n % 5) + 1 + (n % 4)) : worldOf([])))
  for (let n = 0; n < times && thing !== undefined; n++) {
    const { kind } = decide(
      { resource_id: thing.id, scope: 'view' },
      thing,
      rules.get(count) ?? [],
      undefined,
      worlds[n % 20] ?? worldOf([]),
    ).value
    told[kind] = (told[kind] ?? 0) + 1
  }
  return told
}

const remembered = ownRules()

const everyWho = (times: number, isFresh: boolean): Record<string, number> => {
  let ways = 0
  for (let n = 0; n < times; n++) {
    const own = isFresh ? ownRules() : remembered
    for (const [at, thing] of things.entries())
      ways += who({ resource_id: thing.id, scope: 'view' }, thing, own[at] ?? [], undefined).ways.length
  }
  return { ways }
}

export default {
  fetch(request): Response {
    const { pathname, searchParams } = new URL(request.url)
    const times = Number(searchParams.get('times'))
    if (pathname === '/who') return Response.json(everyWho(times, searchParams.has('fresh')))
    return Response.json(decisions(Number(searchParams.get('rules')), searchParams.has('known'), times))
  },
} satisfies ExportedHandler
