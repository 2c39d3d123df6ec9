// The engine, told in the words of the minutes that asked for it: WG 2011-02-24 and WG 2016-12-15 (SPECS 5 and 6).
import { describe, expect, it } from 'vitest'
import type { Condition, Policy, Thing, ThingType } from '../../../worker/policy/policy.ts'
import { requestedScopes } from '../../../worker/policy/scopes.ts'
import type { Fact } from '../../../worker/policy/world.ts'
import { asked, assessed, bob, fact, isBob, NOW, rule } from './worlds.ts'

const claimsAsked = (...args: Parameters<typeof assessed>) => {
  const decided = assessed(...args)
  return decided.kind === 'need_info' ? decided.needs.map((need) => (need.kind === 'claim' ? need.claim : need.kind)) : decided.kind
}
const photo = asked('photo', ['view'])
const letter = asked('letter', ['view'])

describe('WG 2011-02-24: claims over time', () => {
  const dozen = Array.from({ length: 12 }, (_, at) => `claim_${at + 1}`)
  const policy = rule('p', { all: dozen.map((claim) => ({ claim, eq: 'yes' })) })
  const shown = (without?: string): Fact[] => dozen.map((claim) => fact(claim, 'yes', { exp: claim === without ? NOW : NOW + 3600 }))

  it('WG 2011-02-24: the first request for a resource whose policy wants a dozen claims is told which dozen', () => {
    expect(claimsAsked([photo], [policy])).toEqual([...dozen].sort())
  })

  it('WG 2011-02-24: with the dozen the requester is authorised', () => {
    expect(claimsAsked([photo], [policy], { facts: shown() })).toBe('granted')
  })

  it('WG 2011-02-24: the grant lasts no longer than the claim that expires first', () => {
    const facts = shown().map((one) => (one.claim === 'claim_7' ? { ...one, exp: NOW + 60 } : one))
    expect(assessed([photo], [policy], { facts })).toMatchObject({ cells: [{ until: NOW + 60 }] })
  })

  it('WG 2011-02-24: when one of the dozen has expired, the requester is not authorised, and that single claim is required again', () => {
    for (const claim of dozen) expect(claimsAsked([photo], [policy], { facts: shown(claim) })).toEqual([claim])
  })

  it('WG 2011-02-24: another resource of the same host wants what its own policy wants, and not again what was given', () => {
    const rules = [
      rule('p', isBob, { target: { resources: ['photo'] } }),
      rule('q', { all: [isBob, { claim: 'age', gte: 18 }] }, { target: { resources: ['letter'] } }),
    ]
    expect(claimsAsked([photo], rules, { facts: [bob] })).toBe('granted')
    expect(claimsAsked([letter], rules, { facts: [bob] })).toEqual(['age'])
  })

  it('WG 2011-02-24: the user tightens the policy; the next request is not authorised and is renegotiated for the new claim only', () => {
    const before = [rule('p', isBob)]
    const after = [...before, rule('r', { claim: 'country', eq: 'PT' }, { effect: 'require' })]
    expect(claimsAsked([photo], before, { facts: [bob] })).toBe('granted')
    expect(claimsAsked([photo], after, { facts: [bob] })).toEqual(['country'])
    expect(claimsAsked([photo], after, { facts: [bob, fact('country', 'PT')] })).toBe('granted')
  })

  it('WG 2011-02-24: preliminary claims, which based on their value determine if any further claims are required', () => {
    const isDoctor: Condition = { claim: 'role', eq: 'doctor' }
    const isFamily: Condition = { claim: 'role', eq: 'family' }
    const policies = [
      rule('p', { seq: [{ any: [isDoctor, isFamily] }, { if: isDoctor, then: { claim: 'license', eq: 'valid' }, else: isFamily }] }),
    ]
    expect(claimsAsked([photo], policies)).toEqual(['role'])
    expect(claimsAsked([photo], policies, { facts: [fact('role', 'doctor')] })).toEqual(['license'])
    expect(claimsAsked([photo], policies, { facts: [fact('role', 'family')] })).toBe('granted')
    expect(claimsAsked([photo], policies, { facts: [fact('role', 'stranger')] })).toBe('denied')
  })

  it('WG 2011-02-24: only claims that serve the policies of what was asked for are demanded (U-28)', () => {
    const other = rule('q', { claim: 'passport', eq: 'x' }, { target: { resources: ['letter'] } })
    expect(claimsAsked([photo], [rule('p', isBob, { target: { resources: ['photo'] } }), other])).toEqual(['email'])
  })

  it('WG 2011-02-24: different claims are demanded of software that people run and of software that is run for them', () => {
    const hosted: Condition = { client_trust: ['attested'] }
    const policies = [rule('p', { if: hosted, then: isBob, else: { all: [isBob, { claim: 'acr', gte: 2 }] } })]
    expect(claimsAsked([photo], policies, { client: { id: 'cloud', trust: ['attested'] } })).toEqual(['email'])
    expect(claimsAsked([photo], policies, { client: { id: 'desktop', trust: ['pushed'] } })).toEqual(['acr', 'email'])
  })
})

describe('WG 2016-12-15: several authorities, one resource', () => {
  const record: Thing = { id: 'Alice/Medication', scopes: ['read'], type: 'record', labels: ['R'], ancestors: [] }
  const organisation = rule('org', { claim: 'clearance', covers: ['R'] }, { tier: 'org', effect: 'require', target: { labels: ['R'] } })
  const consent = rule('alice', isBob)
  const practice = rule('practice', { claim: 'staff', eq: 'yes' }, { tier: 'org' })
  const type = (authority: ThingType['authority']): ThingType => ({ type: 'record', implies: {}, authority })
  const cleared = fact('clearance', 'c', { holds: ['R', 'V'] })
  const staff = fact('staff', 'yes')
  const ask = (rules: Policy[], facts: Fact[], authority: ThingType['authority'] = 'owner') =>
    claimsAsked([asked(record.id, ['read'])], rules, { facts }, { things: [record], types: [type(authority)] })

  it('WG 2016-12-15: organisational policies hold on top of what the patient allows', () => {
    expect(ask([consent, organisation], [bob])).toEqual(['clearance'])
    expect(ask([consent, organisation], [bob, cleared])).toBe('granted')
    expect(ask([consent, organisation], [bob, fact('clearance', 'c', { holds: [] })])).toBe('denied')
  })

  it('WG 2016-12-15: organisational rules come before the patient’s consent: their proof is asked for first, then hers', () => {
    expect(ask([consent, organisation], [])).toEqual(['clearance'])
    expect(ask([consent, organisation], [cleared])).toEqual(['email'])
    expect(ask([practice, consent, organisation], [cleared], 'both')).toEqual(['staff'])
    // She is asked last: about somebody who is known.
    const asking = rule('asks', { ask: 'asks' }, { tier: 'org', effect: 'require' })
    expect(ask([consent, asking], [])).toEqual(['email'])
    expect(ask([consent, asking], [bob])).toBe('ask')
  })

  it('WG 2016-12-15: an organisation cannot give what the patient has not allowed, unless the record is of that kind', () => {
    expect(ask([practice, organisation], [staff, cleared])).toBe('denied')
    expect(ask([practice, organisation], [staff, cleared], 'either')).toBe('granted')
  })

  it('WG 2016-12-15: where both decide, the second consent is asked for when the first is there', () => {
    expect(ask([practice, consent], [staff], 'both')).toEqual(['email'])
    expect(ask([practice, consent], [staff, bob], 'both')).toBe('granted')
  })

  it('WG 2016-12-15: a directive whose source cannot be reached denies', () => {
    const away = {
      isMember: () => {
        throw new Error('away')
      },
    }
    const directive = rule('directive', { claim: 'email', group: 'consented' }, { effect: 'require', tier: 'org' })
    expect(claimsAsked([photo], [consent, directive], { facts: [bob], ...away })).toBe('denied')
  })

  const registered = ['A', 'B', 'C']
  const offers = ['A', 'B', 'C', 'X']
  const thing: Thing = { id: 'r', scopes: offers, labels: [], ancestors: [] }
  const grants = (ticket: string[], requested: string[]) => {
    const { cells } = requestedScopes([{ resource_id: 'r', resource_scopes: ticket }], () => offers, registered, requested)
    const decided = assessed(cells, [rule('p', isBob)], { facts: [bob] }, { things: [thing] })
    return decided.kind === 'granted' ? decided.cells[0]?.resource_scopes : decided.kind
  }

  it('WG 2016-12-15: 1a, a scope that the client did not register is granted if the resource server asked for it', () => {
    expect(grants(['X'], [])).toEqual(['X'])
  })

  it('WG 2016-12-15: 1b, a scope that the client did not register is not added because the client asks for it', () => {
    expect(grants(['A'], ['X'])).toEqual(['A'])
    expect(grants(['A'], ['B', 'X'])).toEqual(['A', 'B'])
  })

  it("WG 2016-12-15: partial fulfilment or rejection is determined, by the client's own choice", () => {
    const rules = [rule('p', isBob, { scopes: ['A'] })]
    const both = [asked('r', ['A', 'B'])]
    const kind = (partial: boolean) => assessed(both, rules, { facts: [bob] }, { things: [thing], partial }).kind
    expect([kind(true), kind(false)]).toEqual(['granted', 'denied'])
  })
})
