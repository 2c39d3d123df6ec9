import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalAddress, claimValue, domainOf, maskedAddress, policyMac } from '../../worker/claims/address.ts'
import { testKeyring } from '../support/keyring.ts'
import vectors from '../vectors/address.json' with { type: 'json' }

describe('canonical address (CLAIMS 5.6)', () => {
  for (const { why, input, canonical } of vectors) {
    it(`CLAIMS 5.6: ${JSON.stringify(input).slice(0, 60)} ${canonical === null ? 'is refused' : `-> ${canonical}`}: ${why}`, () => {
      expect(canonicalAddress(input)).toBe(canonical ?? undefined)
    })
  }

  it('CLAIMS 5.6: the canonical form of a canonical form is itself, for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.emailAddress()),
        fc.constantFrom('', '@example.net', '@bücher.example'),
        (text, tail) => {
          const canonical = canonicalAddress(text + tail)
          if (canonical !== undefined) expect(canonicalAddress(canonical)).toBe(canonical)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('CLAIMS 5.6: a canonical address holds no space, control or second at sign', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const canonical = canonicalAddress(`${text}@example.net`)
        if (canonical !== undefined) expect(canonical).toMatch(/^[^\s@\p{C}]+@example\.net$/u)
      }),
      { numRuns: 2000 },
    )
  })

  it('CLAIMS 5.6: half a surrogate pair is refused', () => {
    expect(canonicalAddress('b\ud800b@example.net')).toBeUndefined()
    expect(canonicalAddress('bob@exam\udc00ple.net')).toBeUndefined()
  })

  it('CLAIMS 5.6: a text of a megabyte is refused without work', () => {
    expect(canonicalAddress(`${'a'.repeat(1_000_000)}@example.net`)).toBeUndefined()
  })

  it('UX: where an address only reminds, its local part is hidden', () => {
    expect(maskedAddress('bob@example.net')).toBe('b•••@example.net')
    expect(domainOf('bob@example.net')).toBe('example.net')
  })
})

describe('keyed hashes (CLAIMS 5.6)', () => {
  it('CLAIMS 11 #24: one contact has different bytes at two owners, and neither is the claim value', async () => {
    const keyring = await testKeyring()
    const value = await claimValue(keyring, 'bob@example.net')
    const [alice, carol] = await Promise.all([policyMac(keyring, 'alice', value), policyMac(keyring, 'carol', value)])
    expect(new Set([value, alice, carol]).size).toBe(3)
    expect(await policyMac(keyring, 'alice', value)).toBe(alice)
  })

  it('CLAIMS 11 #23: without the server secret a dictionary finds nothing', async () => {
    const [one, two] = await Promise.all([testKeyring(), testKeyring()])
    expect(await claimValue(one, 'bob@example.net')).not.toBe(await claimValue(two, 'bob@example.net'))
  })
})
