// What is missing, as clients hear it: types of claims and who may vouch, each once and always in the same order.
import { describe, expect, it } from 'vitest'
import { isMultiClaim } from '../../../worker/policy/multi-claims.ts'
import { requiredClaims } from '../../../worker/policy/required-claims.ts'

const told = { friendly_name: 'A claim', formats: ['f'] }
const asked = (...needs: Parameters<typeof requiredClaims>[0]) => requiredClaims(needs, () => told)
const named = (...needs: Parameters<typeof requiredClaims>[0]) =>
  asked(...needs).map(({ name, issuer = [] }) => [name, ...issuer].join(' '))

describe('UMA Grant 3.3.6: required claims', () => {
  it('UMA Grant 3.3.6: nothing missing is nothing asked for; a need without a claim is none that could be pushed', () => {
    expect(asked()).toEqual([])
    expect(asked({ kind: 'purpose' }, { claim: 'a' })).toEqual([{ name: 'a', friendly_name: 'A claim', claim_token_format: ['f'] }])
  })

  it('UMA Grant 3.3.6: each once, in an order of its own, issuers too', () => {
    expect(named({ claim: 'b' }, { claim: 'a' }, { claim: 'b' })).toEqual(['a', 'b'])
    expect(named({ claim: 'a', iss: ['y', 'x', 'y'] }, { claim: 'a', iss: ['x', 'y'] })).toEqual(['a x y'])
    expect(named({ claim: 'c' }, { claim: 'a', iss: ['z'] }, { claim: 'b' })).toEqual(['a z', 'b', 'c'])
  })

  it('UMA Grant 3.3.6: from anybody is not asked for beside from somebody, and of another claim it is', () => {
    expect(named({ claim: 'a' }, { claim: 'a', iss: ['x'] })).toEqual(['a x'])
    expect(named({ claim: 'a' }, { claim: 'b', iss: ['x'] })).toEqual(['a', 'b x'])
    expect(named({ claim: 'a', iss: ['x'] }, { claim: 'a', iss: ['y'] })).toEqual(['a x', 'a y'])
  })

  it('UMA Grant 3.3.6: members that say nothing are left out', () => {
    const [bare] = requiredClaims([{ claim: 'a' }], () => ({ friendly_name: 'A', formats: [] }))
    expect(Object.keys(bare ?? {})).toEqual(['name', 'friendly_name'])
    const [full] = requiredClaims([{ claim: 'a', iss: ['x'] }], () => ({ friendly_name: 'A', claim_type: 't', formats: ['f', 'g'] }))
    expect(full).toEqual({ name: 'a', friendly_name: 'A', claim_type: 't', claim_token_format: ['f', 'g'], issuer: ['x'] })
  })

  it('POLICY 3: people have one country and one level, and may have several of everything else', () => {
    expect(['country', 'acr', 'eid_loa'].filter(isMultiClaim)).toEqual([])
    for (const claim of ['email', 'sub', 'npi', 'role', 'constructor', '', 'anything']) expect(isMultiClaim(claim), claim).toBe(true)
  })
})
