// Random conditions, rules, things and knowledge, in the small universe of people.ts. Every claim test made here is met by some value and
// missed by another, so that an unknown claim really can settle it either way.
import fc from 'fast-check'
import type { Authority, ClaimCondition, Condition, Policy, Target, Thing, ThingType } from '../../worker/policy/policy.ts'
import { type Circumstances, CLAIMS, type Claim, everyProof, ISSUERS, NOW, type Person, PLAIN, type Proof } from './people.ts'

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

export const anyPerson: fc.Arbitrary<Person> = fc.record(
  Object.fromEntries(CLAIMS.map((claim) => [claim, fc.nat(2)])) as Record<Claim, fc.Arbitrary<number>>,
)

const macTests = (claim: Claim): ClaimCondition[] => [
  ...[0, 1, 2].map((value) => ({ claim, eq: `${claim}-${value}` })),
  { claim, in: [`${claim}-0`, `${claim}-2`] },
  { claim, in: [`${claim}-1`] },
]

const TESTS: Readonly<Record<Claim, readonly ClaimCondition[]>> = {
  email: [
    ...macTests('email'),
    { claim: 'email', domain: 'clinic' },
    { claim: 'email', domain: 'other' },
    { claim: 'email', group: 'g0' },
    { claim: 'email', group: 'g1' },
  ],
  role: [...macTests('role'), { claim: 'role', group: 'g0' }],
  country: macTests('country'),
  acr: [
    { claim: 'acr', gte: 2 },
    { claim: 'acr', gte: 3 },
  ],
  clearance: [
    { claim: 'clearance', covers: ['R'] },
    { claim: 'clearance', covers: ['V', 'R'] },
  ],
}

const anyTerms = fc.record(
  { iss: oneOf<readonly string[]>(['i1'], ['i2'], ['i1', 'i2']), max_age: oneOf(60, 100, 500) },
  { requiredKeys: [], noNullPrototype: true },
)

/** A test of one claim; `terms`: it may say who vouches and how fresh the proof must be. */
export const aboutClaim = (claim: Claim, terms = true): fc.Arbitrary<ClaimCondition> =>
  fc.tuple(oneOf(...TESTS[claim]), terms ? anyTerms : fc.constant({})).map(([test, more]) => ({ ...test, ...more }))

/** What the circumstances alone settle, but for a purpose or an answer that is not there yet. */
export const aboutCircumstances: fc.Arbitrary<Condition> = oneOf<Condition>(
  { anyone: true },
  { link: 'l0' },
  { link: 'l1' },
  { purpose: ['TREAT', 'PAY'] },
  { purpose: ['RESEARCH'] },
  { after: NOW },
  { after: NOW + 1 },
  { after: NOW + 40 },
  { after: NOW - 40 },
  { before: NOW },
  { before: NOW + 1 },
  { before: NOW + 40 },
  { before: NOW - 40 },
  { client: ['c0', 'c2'] },
  { client: ['c1'] },
  { client_trust: ['attested', 'pushed'] },
  { client_trust: ['instance_key'] },
  { uses: { key: 'k', max: 2, per: 'rqp' } },
  { uses: { key: 'k', max: 1, per: 'rule' } },
  { ask: 'q0' },
  { ask: 'q1' },
  { context: 'amount', eq: 50 },
  { context: 'amount', in: [100, 200] },
  { context: 'place', eq: 'ward' },
  { context: 'place', in: ['ward', 'home'] },
  { context: 'missing', eq: true },
)

const anyClaim: fc.Arbitrary<Condition> = oneOf(...CLAIMS).chain((claim) => aboutClaim(claim))

type Shape = { claims?: readonly Claim[]; terms?: boolean; circumstances?: boolean; depth?: number; not?: boolean }

/** Conditions with every operator; claims may occur more than once. */
export const anyCondition = ({ claims = CLAIMS, terms = true, circumstances = true, depth = 3, not = true }: Shape = {}) => {
  const claim = oneOf(...claims).chain((one) => aboutClaim(one, terms))
  const leaf: fc.Arbitrary<Condition> = circumstances
    ? fc.oneof({ weight: 3, arbitrary: claim }, { weight: 1, arbitrary: aboutCircumstances })
    : claim
  const level = (left: number): fc.Arbitrary<Condition> => {
    if (left === 0) return leaf
    const inner = level(left - 1)
    const list = fc.array(inner, { minLength: 1, maxLength: 3 })
    return fc.oneof(
      { weight: 3, arbitrary: leaf },
      { weight: 2, arbitrary: list.map((all): Condition => ({ all })) },
      { weight: 2, arbitrary: list.map((any): Condition => ({ any })) },
      { weight: 1, arbitrary: list.map((seq): Condition => ({ seq })) },
      { weight: not ? 1 : 0, arbitrary: inner.map((not): Condition => ({ not })) },
      { weight: 1, arbitrary: fc.tuple(inner, inner, inner).map(([a, b, c]): Condition => ({ if: a, then: b, else: c })) },
    )
  }
  return level(depth)
}

const grow = (leaves: readonly Condition[], choices: readonly number[]): Condition => {
  const [first, ...rest] = leaves
  const [choice = 0, ...later] = choices
  if (first === undefined) return { any: [] }
  if (rest.length === 0) return choice % 5 === 0 ? { not: first } : first
  const cut = 1 + (choice % rest.length)
  const parts = [grow(leaves.slice(0, cut), later), grow(leaves.slice(cut), later.slice(cut))]
  const joined: Condition = choice % 2 === 0 ? { all: parts } : { any: parts }
  return choice % 7 === 0 ? { not: joined } : joined
}

/** Conditions of all, any and not in which each claim occurs once: there, alternatives are exact (POLICY 7, limits). */
export const readOnce = (terms = true): fc.Arbitrary<Condition> =>
  fc
    .tuple(fc.shuffledSubarray([...CLAIMS], { minLength: 1, maxLength: 4 }), fc.array(fc.nat(1000), { minLength: 10, maxLength: 10 }))
    .chain(([claims, choices]) => fc.tuple(...claims.map((claim) => aboutClaim(claim, terms))).map((leaves) => grow(leaves, choices)))

/** The claims that a condition speaks of. */
export const claimsIn = (condition: Condition): Claim[] => [
  ...new Set([...JSON.stringify(condition).matchAll(/"claim":"(\w+)"/g)].map(([, claim]) => claim as Claim)),
]

/** What was shown of some claims: by whom, how long ago, for how long it counts; also what does not count, or not for every test. */
export const anyProofs: fc.Arbitrary<Proof[]> = fc.array(
  fc.record({
    claim: oneOf(...CLAIMS),
    iss: oneOf(...ISSUERS),
    age: oneOf(0, 0, 0, 0, 30, 59, 60, 99, 100, 400, 5000, -60, -61),
    left: oneOf(0, 1, 20, 1000, 1000, 1000, 1000),
  }),
  { maxLength: 6 },
)

/** The same, and of some claims all that one could wish for. */
export const mostProofs: fc.Arbitrary<Proof[]> = fc
  .tuple(anyProofs, fc.subarray([...CLAIMS]))
  .map(([some, claims]) => [...some, ...everyProof(claims)])

export const anyCircumstances: fc.Arbitrary<Circumstances> = fc.record({
  now: fc.constant(NOW),
  client: fc.record({
    id: oneOf('c0', 'c1', 'c9'),
    trust: oneOf<Circumstances['client']['trust']>([], ['pushed'], ['pulled', 'attested']),
  }),
  purpose: oneOf('TREAT', 'PAY', 'OTHER'),
  links: oneOf([], ['l0'], ['l1', 'l9']),
  context: oneOf<Circumstances['context']>({}, PLAIN.context, { amount: 100, place: 'street' }, { amount: '50', missing: true }),
  used: oneOf({}, { 'k/rqp': 1, 'k/rule': 1 }, { 'k/rqp': 2, 'k/rule': 0 }),
  answers: fc.record({
    q0: fc.record({ given: fc.boolean(), until: oneOf(NOW + 1, NOW + 500) }),
    q1: fc.record({ given: fc.boolean(), until: oneOf(NOW + 25, NOW + 900) }),
  }),
})

/** The same, where nothing was said about the purpose and not every question is answered. */
export const openCircumstances: fc.Arbitrary<Circumstances> = fc
  .tuple(anyCircumstances, fc.boolean(), oneOf([], ['q0'], ['q1'], ['q0', 'q1']))
  .map(([at, said, answered]) => ({
    ...at,
    purpose: said ? at.purpose : undefined,
    answers: Object.fromEntries(Object.entries(at.answers).filter(([key]) => answered.includes(key))),
  }))

export const SCOPES = ['view', 'edit', 'print'] as const
const ABOVE = ['folder', 'home', 'root']

export const anyThing: fc.Arbitrary<Thing> = fc
  .record({ id: oneOf('t0', 't1'), type: oneOf(undefined, 'doc', 'doc', 'song'), labels: fc.subarray(['R', 'V']), depth: fc.nat(3) })
  .map(({ id, type, labels, depth }) => ({
    id,
    scopes: [...SCOPES],
    ...(type !== undefined && { type }),
    labels,
    ancestors: ABOVE.slice(0, depth),
  }))

export const anyAuthority: fc.Arbitrary<Authority> = oneOf('owner', 'org', 'both', 'either')

export const anyType: fc.Arbitrary<ThingType> = fc.record({
  type: fc.constant('doc'),
  implies: oneOf<ThingType['implies']>(
    {},
    {},
    { edit: ['view'] },
    { edit: ['print'], print: ['view'] },
    { view: ['edit'], edit: ['view'] },
  ),
  authority: anyAuthority,
})

export const anyTarget: fc.Arbitrary<Target> = oneOf<Target>(
  { all: true },
  { all: true },
  { all: true },
  { all: true },
  { resources: ['t0'] },
  { resources: ['t0', 't1'] },
  { resources: ['folder'], descend: true },
  { resources: ['root', 't1'], descend: true },
  { resources: ['folder', 't1'] },
  { resources: ['t1'], descend: false },
  { types: ['doc'] },
  { types: ['song', 'film'] },
  { labels: ['R'] },
  { labels: ['V', 'X'] },
)

type Kind = Partial<Pick<Policy, 'effect' | 'tier' | 'scopes' | 'target'>>

/** A rule; what `fixed` says holds for all of them. */
export const anyPolicy = (when: fc.Arbitrary<Condition>, fixed: Kind = {}): fc.Arbitrary<Policy> =>
  fc
    .record({
      id: fc.nat(1_000_000).map((n) => `pol_${n}`),
      tier: oneOf<Policy['tier']>('owner', 'owner', 'owner', 'org', 'org', 'platform'),
      effect: oneOf<Policy['effect']>('permit', 'permit', 'permit', 'forbid', 'require'),
      target: anyTarget,
      scopes: oneOf<Policy['scopes']>('*', '*', '*', ['view'], ['view', 'print'], ['edit'], ['print']),
      when,
    })
    .map((one) => ({ v: 1, rev: 1, ...one, ...fixed }))

/** A set of rules with different ids. */
export const anyPolicies = (when: fc.Arbitrary<Condition>, maxLength = 6, fixed: Kind = {}): fc.Arbitrary<Policy[]> =>
  fc.uniqueArray(anyPolicy(when, fixed), { selector: ({ id }) => id, maxLength })

/** Rules, a thing with its type, and a scope. */
export const anyCell = (when: fc.Arbitrary<Condition>) =>
  fc
    .record({ policies: anyPolicies(when, 5), thing: anyThing, scope: fc.constantFrom(...SCOPES), type: anyType })
    .map(({ type, ...rest }) => ({ ...rest, type: rest.thing.type === type.type ? type : undefined }))

/** The same, where somebody usually permits. */
export const likelyCell = (when: fc.Arbitrary<Condition>) =>
  fc
    .tuple(anyPolicy(when, { effect: 'permit', target: { all: true }, scopes: '*' }), anyCell(when))
    .map(([permit, asked]) => ({ ...asked, policies: [{ ...permit, id: 'first' }, ...asked.policies] }))

/** A permit for an emergency, of somebody who shows something. */
export const anyGlass: fc.Arbitrary<Policy> = fc
  .tuple(anyPolicy(anyClaim, { effect: 'permit' }), anyCondition({ depth: 1 }), fc.boolean(), fc.boolean())
  .map(([one, more, has, isAll]) => ({
    ...one,
    ...(isAll && { target: { all: true }, scopes: '*' }),
    id: 'glass',
    when: { all: [one.when, { break_glass: true }, ...(has ? [more] : [])] },
  }))

/** Things of a type of which some scopes can be had in an emergency. */
export const withGlass = (cells: ReturnType<typeof anyCell>): typeof cells =>
  fc
    .tuple(cells, anyGlass, anyType, fc.subarray([...SCOPES], { minLength: 1 }))
    .map(([{ policies, thing, scope }, glass, type, scopes]) => ({
      policies: [...policies, glass],
      thing: { ...thing, type: type.type },
      scope,
      type: { ...type, break_glass: scopes },
    }))

/** Somebody says that there is an emergency, mostly. */
export const inEmergency = (all: fc.Arbitrary<Circumstances>): fc.Arbitrary<Circumstances> =>
  fc.tuple(all, fc.integer({ min: 0, max: 3 })).map(([at, n]) => (n === 0 ? at : { ...at, purpose: 'BTG' }))
