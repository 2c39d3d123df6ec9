// People and what they can show: five claims of three values each, small enough to try every person there is. What a value looks like to
// rules is data, used alike by the facts that the engine gets and by the reference that judges it.
import type { Fact, World } from '../../worker/policy/world.ts'

export const NOW = 1_000_000

export const CLAIMS = ['email', 'role', 'country', 'acr', 'clearance'] as const
export type Claim = (typeof CLAIMS)[number]
export const VALUES = [0, 1, 2] as const
export const ISSUERS = ['i1', 'i2'] as const

/** Who somebody is: the true value of every claim, one of VALUES. */
export type Person = Readonly<Record<Claim, number>>

type Trait = Pick<Fact, 'mac' | 'domain' | 'level' | 'holds'>

const DOMAINS = ['clinic', 'clinic', 'other']
const HELD = [[], ['R'], ['R', 'V']]
/** Members of groups, as policy MACs. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  g0: ['email-0', 'email-2', 'role-1'],
  g1: ['email-1', 'role-0'],
  g2: [],
}

/** What rules see of a value. */
export const traitOf = (claim: Claim, value: number): Trait => ({
  mac: `${claim}-${value}`,
  ...(claim === 'email' && { domain: DOMAINS[value] ?? '' }),
  ...(claim === 'acr' && { level: value + 1 }),
  ...(claim === 'clearance' && { holds: HELD[value] ?? [] }),
})

/** A proof: which claim, who vouches, how long ago it was shown and for how much longer it counts (seconds). */
export type Proof = { claim: Claim; iss: string; age: number; left: number }

export const factOf = (person: Person, { claim, iss, age, left }: Proof, now = NOW): Fact => ({
  id: `${claim}:${iss}:${age}:${left}`,
  claim,
  iss,
  ...traitOf(claim, person[claim]),
  iat: now - age,
  exp: now + left,
})

/** Proofs of these claims from every issuer, shown just now, good for a long time. */
export const everyProof = (claims: readonly Claim[]): Proof[] =>
  claims.flatMap((claim) => ISSUERS.map((iss) => ({ claim, iss, age: 0, left: 1_000_000 })))

export const factsOf = (person: Person, proofs: readonly Proof[]): Fact[] => proofs.map((proof) => factOf(person, proof))

/** Everybody who agrees with `person` but for `claims`: 3 to the number of claims. */
export const peopleWho = (person: Person, claims: readonly Claim[]): Person[] =>
  claims.reduce<Person[]>((all, claim) => all.flatMap((one) => VALUES.map((value) => ({ ...one, [claim]: value }))), [person])

/** All that is not a proof: the reference and the engine see the same. */
export type Circumstances = {
  now: number
  client: World['client']
  purpose: string | undefined
  links: readonly string[]
  context: World['context']
  used: Readonly<Record<string, number>>
  answers: Readonly<Record<string, { given: boolean; until: number }>>
}

/** Nothing unusual: a plain client, a purpose, no counter used, every question answered with yes. */
export const PLAIN: Circumstances = {
  now: NOW,
  client: { id: 'c0', trust: ['pushed'] },
  purpose: 'TREAT',
  links: ['l0'],
  context: { amount: 50, place: 'ward' },
  used: {},
  answers: { q0: { given: true, until: NOW + 500 }, q1: { given: true, until: NOW + 900 } },
}

/** The engine's view. A counter is kept for each requesting party and for all, under `<key>/<per>`. */
export const worldOf = (at: Circumstances, facts: readonly Fact[]): World => ({
  now: at.now,
  facts,
  client: at.client,
  purpose: at.purpose,
  links: at.links,
  context: at.context,
  isMember: (group, mac) => GROUPS[group]?.includes(mac) ?? false,
  used: (key, per) => at.used[`${key}/${per}`] ?? 0,
  // An answer may be about one scope alone.
  approved: (key, { scope }) => at.answers[`${key} ${scope}`] ?? at.answers[key],
})
