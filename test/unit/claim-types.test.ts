// Types of claims: canonical values, levels, sets, what is asked for, and how much of it a ticket carries.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { claimValue } from '../../worker/claims/address.ts'
import { forOwner } from '../../worker/claims/for-owner.ts'
import { canonicalDomain, claimType, claimValueOf, domainValue, readClaim } from '../../worker/claims/types.ts'
import { factsOf, keptEvidence } from '../../worker/objects/owner-facts.ts'
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

  it('UMA Grant 3.2.1: eight long ones of many issuers leave a ticket that clients accept; what is dropped are the oldest', async () => {
    const holds = Array.from({ length: 16 }, (_, i) => `${i}`.padEnd(32, 'x'))
    const many = Array.from({ length: 8 }, (_, i) => ({
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
    expect(all?.evidence).toHaveLength(8)
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
