// Types of claims: canonical values, levels, sets, what is asked for, and how much of it a ticket carries.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { PolicyCondition } from '../../shared/protocol/owner-policy.ts'
import { claimValue } from '../../worker/claims/address.ts'
import { forOwner } from '../../worker/claims/for-owner.ts'
import { evidenceIn } from '../../worker/claims/issuer-evidence.ts'
import { canonicalDomain, claimType, claimValueOf, domainValue, readClaim } from '../../worker/claims/types.ts'
import { MOST_SHOWN } from '../../worker/negotiation/shown.ts'
import { factsOf, keptEvidence } from '../../worker/objects/owner-facts.ts'
import { compileRule } from '../../worker/owner/rule-document.ts'
import { holds as conditionHolds } from '../../worker/policy/condition.ts'
import type { Evidence } from '../../worker/policy/evidence.ts'
import { requiredClaims } from '../../worker/policy/required-claims.ts'
import type { Keyring } from '../../worker/tokens/keyring.ts'
import { openTicket, renewTicket, type Ticket } from '../../worker/tokens/ticket.ts'
import { testKeyring } from '../support/keyring.ts'

let keyring: Keyring
beforeAll(async () => {
  keyring = await testKeyring()
})

const NOW = 1_795_000_000
const read = (claim: string, value: unknown) => readClaim(claimType(claim), value)

describe('CLAIMS 5.6: one form for a value', () => {
  it.each([
    ['email', 'Bob@CLINIC.example', ['bob@clinic.example']],
    ['email', 'bob@clinic', undefined],
    ['country', 'de', ['DE']],
    ['country', ' deu ', ['DEU']],
    ['country', 'Germany', undefined],
    ['npi_role', ['Physician', 'nurse', 'physician'], ['nurse', 'physician']],
    ['npi_role', ['a', 'b', 'c', 'd', 'e'], undefined],
    ['membership', ' Cafe\u0301 ', ['Café']],
    ['membership', 'a\u202eb', undefined],
    ['membership', '', undefined],
    ['membership', 'x'.repeat(513), undefined],
    ['membership', ['a', 'b'], undefined],
    ['over_18', true, ['true']],
    ['points', 7, ['7']],
    ['membership', null, undefined],
    ['membership', undefined, undefined],
    ['membership', { a: 1 }, undefined],
    ['membership', [], undefined],
    ['membership', ['a', 7, {}], undefined],
  ])('CLAIMS 5.6: %s %j', (claim, value, values) => {
    expect(read(claim, value)?.values).toEqual(values)
  })

  it.each([
    ['2', 2],
    [3, 3],
    ['loa4', 4],
    ['urn:example:aal2', 2],
    ['https://refeds.org/assurance/IAP/ial-3', 3],
    ['http://eidas.europa.eu/LoA/substantial', 3],
    ['HIGH', 4],
    ['http://eidas.europa.eu/LoA/highest', undefined],
    ['phr', undefined],
    ['-1', undefined],
    ['2000', undefined],
    ['global9', undefined],
    ['loa', undefined],
  ])('POLICY 2: the level of %j', (value, level) => {
    expect(read('acr', value)?.level).toBe(level)
  })

  it('POLICY 2: a set is read as a whole or not at all, whatever the order', () => {
    expect(read('clearance', ['V', 'R', 'R'])).toEqual({ values: ['R V'], holds: ['R', 'V'] })
    expect(read('roles', 'admin')).toEqual({ values: ['admin'], holds: ['admin'] })
    for (const bad of [['R', 'x y'], ['R', 'é'], ['x'.repeat(33)], Array.from({ length: 17 }, (_, i) => `r${i}`), ['R', { a: 1 }]])
      expect(read('clearance', bad)).toBeUndefined()
  })

  it('CLAIMS 5.6: rules and proofs meet in the same hash, claims and owners do not', async () => {
    expect(await claimValueOf(keyring, 'email', 'Bob@Example.NET')).toBe(await claimValue(keyring, 'bob@example.net'))
    expect(await claimValueOf(keyring, 'country', 'de')).toBe(await claimValueOf(keyring, 'country', 'DE'))
    const values = ['country', 'nationality', 'email_domain'].map((claim) => claimValueOf(keyring, claim, 'DE'))
    // What cannot be a value meets nothing, not even the same text of another kind.
    const odd = [claimValueOf(keyring, 'country', 'Germany'), claimValueOf(keyring, 'country', '\0country\0DE'), domainValue(keyring, 'DE')]
    const all = await Promise.all([...values, ...odd])
    expect(new Set(all).size).toBe(all.length - 1)
    expect(all[2]).toBe(all[5])
    const evidence = [{ ...one, value: all[0] ?? '', domain: all[1] ?? '' }]
    const [alice, carol] = await Promise.all([forOwner(keyring, 'alice', evidence), forOwner(keyring, 'carol', evidence)])
    expect(alice[0]?.policy_mac).not.toBe(carol[0]?.policy_mac)
    expect(alice[0]?.policy_domain).not.toBe(carol[0]?.policy_domain)
  })

  it.each([
    ['CLINIC.example', 'clinic.example'],
    ['@clinic.example', 'clinic.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['clinic', undefined],
    ['a@clinic.example', undefined],
    ['', undefined],
  ])('CLAIMS 5.6: the domain %j', (text, domain) => {
    expect(canonicalDomain(text)).toBe(domain)
  })

  it('CLAIMS 5.6: reading never throws, and what was read is read again to the same', () => {
    fc.assert(
      fc.property(fc.constantFrom('email', 'acr', 'country', 'clearance', 'membership'), fc.jsonValue(), (claim, value) => {
        const found = read(claim, value)
        for (const text of found?.holds ?? found?.values ?? []) expect(read(claim, text)?.values).toEqual([text])
      }),
    )
  })
})

const one: Evidence = {
  claim: 'email',
  value: 'v'.repeat(43),
  domain: 'd'.repeat(43),
  iss: 'https://login.clinic.example',
  trust: 'r'.repeat(16),
  method: 'id-token',
  controlled_at: NOW,
  presented_at: NOW,
  exp: NOW + 3600,
}

describe('CLAIMS 5.6: what a rule says and what an issuer says meet', () => {
  const payload = {
    sub: 'u1',
    email: 'Bob@Clinic.example',
    email_verified: true,
    country: 'de',
    acr: 'loa3',
    npi_role: ['Physician'],
    clearance: ['R', 'V'],
    secret: 'not for us',
    auth_time: NOW - 500,
  }
  const claims = ['sub', 'email', 'country', 'acr', 'npi_role', 'clearance']
  const issuer = { issuer: one.iss, formats: [], claims, audiences: {}, trust: 'r', keys: async () => [] }
  const shown = (changes: object = {}, more: object = {}) =>
    evidenceIn(keyring, { issuer: { ...issuer, ...more }, payload: { ...payload, ...changes }, iat: NOW, exp: NOW + 60 }, 'jwt')
  const outcome = async (when: PolicyCondition, changes?: object): Promise<string> => {
    const facts = factsOf(keptEvidence(await forOwner(keyring, 'alice', await shown(changes))))
    const context = { keyring, owner: 'alice', labelPublic, macOfPerson: () => undefined }
    const document = { v: 1, effect: 'permit', target: { all: true }, scopes: '*', when } as const
    const { policy } = await compileRule(context, document, 'p')
    const world = {
      now: NOW,
      facts,
      client: { id: 'c', trust: [] },
      purpose: undefined,
      links: [],
      context: {},
      isMember: () => false,
      used: () => 0,
      approved: () => undefined,
    }
    return conditionHolds(policy.when, { resource_id: 'r', scope: 'view' }, world).kind
  }
  let labelPublic: JsonWebKey
  beforeAll(async () => {
    const pair = (await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits'])) as unknown as {
      publicKey: Parameters<typeof crypto.subtle.exportKey>[1]
    }
    labelPublic = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as JsonWebKey
  })

  it.each([
    [{ claim: 'sub', eq: `${one.iss} u1` }, 'true'],
    // OpenID Connect Core 5.7: alone it names nobody, and another issuer's is somebody else.
    [{ claim: 'sub', eq: 'u1' }, 'false'],
    [{ claim: 'sub', eq: 'https://elsewhere.example u1' }, 'false'],
    [{ claim: 'email', eq: 'bob@clinic.example' }, 'true'],
    [{ claim: 'email', domain: 'CLINIC.example' }, 'true'],
    [{ claim: 'email', domain: 'sub.clinic.example' }, 'false'],
    [{ claim: 'country', in: ['FR', 'DE'] }, 'true'],
    [{ claim: 'country', eq: 'FR' }, 'false'],
    [{ claim: 'npi_role', eq: 'physician' }, 'true'],
    // RFC 9470 5: as old as the sign-in, 500 seconds here.
    [{ claim: 'acr', gte: 3, max_age: 501 }, 'true'],
    [{ claim: 'acr', gte: 3, max_age: 500 }, 'unknown'],
    [{ claim: 'acr', gte: 4 }, 'false'],
    [{ claim: 'clearance', covers: ['V'] }, 'true'],
    [{ claim: 'clearance', covers: ['V', 'TS'] }, 'false'],
    [{ claim: 'country', eq: 'DE', iss: [one.iss] }, 'true'],
    [{ claim: 'country', eq: 'DE', iss: ['https://elsewhere.example'] }, 'unknown'],
    [{ claim: 'secret', eq: 'not for us' }, 'unknown'],
  ] as [PolicyCondition, string][])('CLAIMS 5.6: %j is %s', async (when, wanted) => {
    expect(await outcome(when)).toBe(wanted)
  })

  it('CT-09: of an address that is not checked, or not of its domains, nothing counts; the rest does', async () => {
    const named = async (changes?: object, more?: object) => (await shown(changes, more)).map(({ claim }) => claim)
    expect(await named()).toEqual(claims)
    expect(await named({ email_verified: 'true' })).toEqual(claims.filter((claim) => claim !== 'email'))
    expect(await named({ email: ['bob@clinic.example'] })).not.toContain('email')
    expect(await named({}, { emailDomains: ['hospital.example'] })).not.toContain('email')
    expect(await named({}, { emailDomains: ['clinic.example'] })).toContain('email')
    expect(await named({ acr: { level: 4 }, country: 'Germany' })).toEqual(['sub', 'email', 'npi_role', 'clearance'])
    expect(await named({}, { claims: ['__proto__', 'constructor', 'toString'] })).toEqual([])
    expect((await shown())[0]).toMatchObject({ controlled_at: NOW - 500, presented_at: NOW, exp: NOW + 3600, trust: 'r' })
  })
})

describe('UMA Grant 3.3.6: what is asked for', () => {
  it('UMA Grant 3.3.6: issuers are named where the rule names them, and unknown claims by their own name', () => {
    const needs = [
      { kind: 'claim', claim: 'membership' },
      { kind: 'claim', claim: 'acr', iss: ['https://b.example', 'https://a.example', 'https://b.example'] },
      { kind: 'claim', claim: 'acr' },
      { kind: 'ask', key: 'p' },
      { kind: 'claim', claim: 'membership' },
    ]
    const asked = requiredClaims(needs, claimType)
    expect(asked.map(({ name, friendly_name, claim_type, issuer }) => [name, friendly_name, claim_type, issuer])).toEqual([
      [
        'acr',
        'Strength of the sign-in',
        'http://openid.net/specs/openid-connect-core-1_0.html#acr',
        ['https://a.example', 'https://b.example'],
      ],
      ['membership', 'membership', undefined, undefined],
    ])
    for (const { claim_token_format } of asked) expect(claim_token_format).not.toContain('dc+sd-jwt')
  })
})

describe('DESIGN 3: evidence in tickets and grants', () => {
  const ticket: Ticket = {
    owner: 'o'.repeat(22),
    connection: 'c'.repeat(16),
    service: 's'.repeat(22),
    permissions: [{ resource_id: 'r'.repeat(16), resource_scopes: ['view'] }],
    exp: NOW + 600,
    jti: 'j'.repeat(22),
    generation: 0,
    idle: 0,
    evidence: [],
  }

  it('UMA Grant 3.2.1: sixteen long ones of many issuers leave a ticket that clients accept; what is dropped are the oldest', async () => {
    const holds = Array.from({ length: 16 }, (_, i) => `${i}`.padEnd(32, 'x'))
    const many = Array.from({ length: MOST_SHOWN }, (_, i) => ({
      ...one,
      claim: `claim_${i}`,
      iss: `https://${'x'.repeat(240)}.example/${i}`,
      holds,
    }))
    const text = await renewTicket(keyring, ticket, { evidence: many }, NOW)
    expect(text.length).toBeLessThanOrEqual(8192)
    const kept = (await openTicket(keyring, text, NOW))?.evidence.map(({ claim }) => claim) ?? []
    expect(kept.length).toBeGreaterThan(2)
    expect(kept).toEqual(many.slice(-kept.length).map(({ claim }) => claim))
    const plain = many.map(({ holds: _, ...rest }) => ({ ...rest, iss: one.iss }))
    const all = await openTicket(keyring, await renewTicket(keyring, ticket, { evidence: plain }, NOW), NOW)
    expect(all?.evidence).toHaveLength(MOST_SHOWN)
  })

  it('UMA Grant 3.3.6: of what a registered issuer says of a claim the newest stays, of addresses proved here all', async () => {
    const acr = { ...one, claim: 'acr', level: 1 }
    const { trust: _, ...own } = one
    const first = await openTicket(keyring, await renewTicket(keyring, ticket, { evidence: [acr, own] }, NOW), NOW)
    const next = {
      evidence: [
        { ...acr, value: 'other', level: 3 },
        { ...own, value: 'other' },
      ],
    }
    const second = await openTicket(keyring, await renewTicket(keyring, first as Ticket, next, NOW), NOW)
    expect(second?.evidence.map(({ claim, level, value }) => [claim, level, value === 'other'])).toEqual([
      ['email', undefined, false],
      ['acr', 3, true],
      ['email', undefined, true],
    ])
  })

  it('POLICY 3: a grant keeps who vouched and when; grants of before satisfy no rule that asks for it', async () => {
    const [shown] = await forOwner(keyring, 'alice', [{ ...one, level: 2 }])
    if (shown === undefined) throw new Error('nothing shown')
    const kept = JSON.parse(JSON.stringify(keptEvidence([shown]))) as ReturnType<typeof keptEvidence>
    const { policy_mac: mac, policy_domain: domain } = shown
    expect(factsOf(kept)).toEqual([{ id: '0', claim: 'email', mac, domain, level: 2, iss: one.iss, iat: NOW, exp: one.exp }])
    expect(factsOf([{ claim: 'email', mac: 'm', exp: 9, method: 'email-code' }])).toMatchObject([{ iss: '', iat: 0, mac: 'm', exp: 9 }])
  })
})
