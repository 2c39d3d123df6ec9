// What the tests of the policy engine have in common: a moment, people's proofs, a world in which nothing else is known, short rules.
import { type AskedCell, type Assessing, assessCells, type Outcome } from '../../../worker/policy/assess.ts'
import type { Condition, Policy, Thing, ThingType } from '../../../worker/policy/policy.ts'
import type { Fact, World } from '../../../worker/policy/world.ts'

export const NOW = 1_000_000
export const US = 'https://as.example'

/** A proof shown now, good for an hour. Its id says what it is. */
export const fact = (claim: string, mac: string, more: Partial<Fact> = {}): Fact => ({
  id: `${claim}=${mac}`,
  claim,
  iss: US,
  mac,
  iat: NOW,
  exp: NOW + 3600,
  ...more,
})

export const bob = fact('email', 'bob', { domain: 'clinic' })
export const carol = fact('email', 'carol', { domain: 'home' })

export const world = (more: Partial<World> = {}): World => ({
  now: NOW,
  facts: [],
  client: { id: 'https://app.example', trust: ['pushed'] },
  purpose: undefined,
  links: [],
  context: {},
  isMember: (group, mac) => group === 'family' && mac === 'bob',
  used: () => 0,
  approved: () => undefined,
  ...more,
})

export const thing = (id: string, more: Partial<Thing> = {}): Thing => ({
  id,
  scopes: ['view', 'edit'],
  labels: [],
  ancestors: [],
  ...more,
})

export const rule = (id: string, when: Condition, more: Partial<Policy> = {}): Policy => ({
  v: 1,
  id,
  rev: 1,
  tier: 'owner',
  effect: 'permit',
  target: { all: true },
  scopes: '*',
  when,
  ...more,
})

export const isBob: Condition = { claim: 'email', eq: 'bob' }
export const isCarol: Condition = { claim: 'email', eq: 'carol' }

/** Rules that would take long to work out: too many ways (18 seconds once), too deep, too wide. */
export const BOMBS: readonly Condition[] = [
  {
    all: Array.from({ length: 20 }, (_, at) => ({ any: ['x', 'y', 'z'].map((eq) => ({ claim: `c${at}`, eq })) })),
  },
  Array.from({ length: 5000 }).reduce<Condition>((when) => ({ not: when }), isBob),
  { any: Array.from({ length: 100_000 }, () => isBob) },
]

/** A permission of a ticket: these scopes, and those that only the client asks for. */
export const asked = (resource_id: string, fromTicket: string[], extra: string[] = []): AskedCell => ({
  resource_id,
  resource_scopes: [...fromTicket, ...extra],
  fromTicket,
})

/** Assesses permissions over things that are there by their ids. */
export const assessed = (
  cells: AskedCell[],
  rules: Policy[],
  given: Partial<World> = {},
  { types = [], things = [], ...options }: Assessing & { types?: ThingType[]; things?: Thing[] } = {},
): Outcome =>
  assessCells(
    cells,
    {
      thing: (id) => things.find((one) => one.id === id) ?? thing(id),
      rules: () => rules,
      type: (one) => types.find(({ type }) => type === one.type),
    },
    world(given),
    options,
  )

/** Milliseconds of the fastest of many short rounds: what the code takes when nobody else wants the processor. */
export const fastest = (work: () => unknown, rounds = 300): number => {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    work()
    best = Math.min(best, performance.now() - began)
  }
  return best
}
