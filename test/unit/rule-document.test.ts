// Rules as people write them and as the engine reads them (POLICY 2, CLAIMS 5.6): nothing readable is left, what is shown can be sent back.
import * as v from 'valibot'
import { beforeAll, describe, expect, it } from 'vitest'
import type { PolicyCondition, PolicyDocument, RuleLabel } from '../../shared/protocol/owner-policy.ts'
import { type Compiling, compileRule, peopleIn, RuleRefused, readablePolicy } from '../../worker/owner/rule-document.ts'
import { shownCondition } from '../../worker/owner/rule-view.ts'
import { checkPolicy } from '../../worker/policy/check.ts'
import { isMultiClaim } from '../../worker/policy/multi-claims.ts'
import { TEMPLATES } from '../../worker/policy/templates.ts'
import { openLabel } from '../../worker/tokens/label-key.ts'
import { filledIn, valuesFor } from '../support/blanks.ts'
import { testKeyring } from '../support/keyring.ts'

let context: Compiling
let labelPrivate: JsonWebKey
beforeAll(async () => {
  const pair = (await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits'])) as CryptoKeyPair
  labelPrivate = (await crypto.subtle.exportKey('jwk', pair.privateKey)) as JsonWebKey
  const labelPublic = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as JsonWebKey
  context = {
    keyring: await testKeyring(),
    owner: 'alice',
    labelPublic,
    macOfPerson: (id) => (id === 'per_1' ? 'p'.repeat(43) : undefined),
  }
})

const documentOf = (when: PolicyCondition, more: Partial<PolicyDocument> = {}): PolicyDocument => ({
  v: 1,
  effect: 'permit',
  target: { resources: ['r1'] },
  scopes: ['view'],
  when,
  ...more,
})
const WHEN: PolicyCondition = {
  all: [
    { claim: 'email', eq: 'Bob@Clinic.example', iss: ['https://idp.example'], max_age: 86_400 },
    {
      seq: [
        { claim: 'email', domain: 'va.example' },
        { if: { claim: 'country', eq: 'us' }, then: { claim: 'acr', gte: 2 }, else: { not: { client: ['x'] } } },
      ],
    },
    {
      any: [
        { claim: 'npi_role', in: ['physician'] },
        { claim: 'clearance', covers: ['R'] },
        { claim: 'email', person: 'per_1' },
        { claim: 'email', group: 'g1' },
      ],
    },
    { uses: { max: 5, per: 'rqp' } },
    { ask: true },
    { link: 'a'.repeat(22) },
    { purpose: ['TREAT'] },
    { context: 'ward', in: ['3', 4] },
  ],
}

describe('POLICY 2: what people write', () => {
  it('CLAIMS 5.6: no readable value is left in a compiled rule; its words are in the sealed label', async () => {
    const { policy, people, label } = await compileRule(context, documentOf(WHEN, { name: 'Dr Bob' }), 'rule_1')
    const text = JSON.stringify([policy, people])
    for (const word of ['bob@', 'clinic.example', 'va.example', 'physician', '"us"', '"US"', 'a'.repeat(22)])
      expect(text).not.toContain(word)
    expect(people).toHaveLength(1)
    const opened = await openLabel<RuleLabel>(labelPrivate, label ?? '')
    expect(opened?.name).toBe('Dr Bob')
    expect(Object.values(opened?.words ?? {}).sort()).toEqual(['bob@clinic.example', 'physician', 'us', 'va.example'])
    expect(await openLabel(labelPrivate, people[0]?.label ?? '')).toEqual({ email: 'bob@clinic.example' })
    expect(text).toContain('{"uses":{"key":"rule_1","max":5,"per":"rqp"}},{"ask":"rule_1"}')
  })

  it('POLICY 2: what is shown may be sent back, and means the same', async () => {
    const first = await compileRule(context, documentOf(WHEN), 'rule_1')
    const shown = shownCondition(first.policy.when, (mac) => (mac === 'p'.repeat(43) ? 'per_1' : undefined))
    expect(v.is(readablePolicy, documentOf(shown))).toBe(true)
    const again = await compileRule(context, documentOf(shown), 'rule_1')
    expect(again.policy).toEqual(first.policy)
    expect(again.people).toEqual([])
  })

  it('POLICY 6: no value of a rule that may not be saved is hashed [OW-11]', async () => {
    let hashed = 0
    const { keyring } = context
    const counting: Compiling = { ...context, keyring: { mac: (...text) => keyring.mac(...text).finally(() => hashed++) } }
    const texts = Array.from({ length: 64 }, (_, n) => `value ${n}`)
    const any = (at: number): PolicyCondition => ({ any: Array.from({ length: 16 }, (_, n) => ({ claim: `c${at * 16 + n}`, in: texts })) })
    const bombs: PolicyCondition[] = [{ all: [any(0), any(1), any(2), any(3)] }, { any: [any(0), any(1), any(2), any(3), any(4)] }]
    for (const when of bombs) {
      const { policy, people, label } = await compileRule(counting, documentOf(when), 'rule_1')
      expect(checkPolicy(policy).length).toBeGreaterThan(0)
      expect([hashed, people, label]).toEqual([0, [], null])
    }
    await compileRule(counting, documentOf(any(0)), 'rule_1')
    expect(hashed).toBeGreaterThanOrEqual(16 * 64)
  })

  it('CLAIMS 5.6: two spellings of one address are one; another owner has other hashes', async () => {
    const one = async (eq: string, owner = 'alice') =>
      (await compileRule({ ...context, owner }, documentOf({ claim: 'email', eq }), 'r')).policy.when
    expect(await one('Bob@Example.NET')).toEqual(await one(' bob@example.net '))
    expect(await one('bob@example.net', 'carol')).not.toEqual(await one('bob@example.net'))
  })

  it.each<[string, PolicyCondition]>([
    ['no address', { claim: 'email', eq: 'bob' }],
    ['no domain', { claim: 'email', domain: 'not a domain' }],
    ['nobody', { claim: 'email', person: 'per_2' }],
    ['a domain of something else', { claim: 'country', domain: 'va.example' }],
  ])('POLICY 2: %s is refused with a sentence', async (_, when) => {
    await expect(compileRule(context, documentOf(when), 'r')).rejects.toThrow(RuleRefused)
  })

  it.each<[string, unknown]>([
    ['an unknown member', { ...documentOf({ anyone: true }), extra: 1 }],
    ['an unknown member of a condition', documentOf({ claim: 'email', eq: 'a@b.example', prefix: true } as unknown as PolicyCondition)],
    ['an unknown kind of condition', documentOf({ moon: 'full' } as unknown as PolicyCondition)],
    ['no condition', { ...documentOf({ anyone: true }), when: undefined }],
    ['an empty list', documentOf({ all: [] })],
    ['the platform', { ...documentOf({ anyone: true }), tier: 'platform' }],
    ['another version', { ...documentOf({ anyone: true }), v: 2 }],
  ])('POLICY 2: %s is refused', (_, document) => {
    expect(v.is(readablePolicy, document)).toBe(false)
  })

  it('POLICY 6: a condition that is nested without end is refused before it is walked through', () => {
    let when: unknown = { anyone: true }
    for (let depth = 0; depth < 20_000; depth++) when = { not: when }
    expect(v.is(readablePolicy, { ...documentOf({ anyone: true }), when })).toBe(false)
  })

  it('POLICY 2: people are found wherever they are named', () => {
    expect(peopleIn(documentOf(WHEN))).toEqual(['per_1'])
  })
})

describe('POLICY 2: the shares that people choose from', () => {
  it('POLICY 2: person, domain, group, link and everybody; times, purpose, app, sign-in, uses and the owner as limits', () => {
    expect(TEMPLATES.map(({ name, needs }) => [name, ...needs].join(' '))).toEqual([
      'person email',
      'domain domain',
      'group group',
      'link link',
      'anyone',
      'step-up email level max_age',
      'for-a-purpose email purpose',
      'with-an-app email client',
      'with-proven-apps email',
      'for-a-time email from until',
      'some-times email max',
      'ask-me-first email',
    ])
  })

  it.each(TEMPLATES.map((one) => [one.name, one] as const))(
    'POLICY 6: %s is a rule that may be saved once it is filled in',
    async (_, { needs, when }) => {
      const filled = filledIn(when, valuesFor('g1'))
      expect(JSON.stringify(filled)).not.toContain('{email}')
      for (const need of needs) expect(JSON.stringify(when)).toContain(`"{${need}}"`)
      const document = v.parse(readablePolicy, documentOf(filled as PolicyCondition))
      const { policy } = await compileRule(context, document, 'rule_1')
      expect(checkPolicy(policy, { isMulti: isMultiClaim })).toEqual([])
      expect(checkPolicy({ ...policy, when: { all: [] } })).not.toEqual([])
    },
  )
})
