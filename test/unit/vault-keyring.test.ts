// Sealing and naming with the vault's keys. The object that keeps the root key is played by 32 fixed bytes.
import { describe, expect, it } from 'vitest'
import type { Env } from '../../worker/vault/env.ts'
import { hashText, keyringOf, linkOf, openJson, openLink, sealJson } from '../../worker/vault/keyring.ts'
import { accountName } from '../../worker/vault/names.ts'

const envWith = (fill: number, pepper?: string): Env => {
  const KEYS = { idFromName: (name: string) => name, get: () => ({ root: async () => new Uint8Array(32).fill(fill) }) }
  return { KEYS, ...(pepper === undefined ? {} : { PEPPER: pepper }) } as unknown as Env
}
const ref = { account: 'AAECAwQFBgcICQoLDA0ODw', file: 'AAECAwQFBgc' }

describe('DESIGN I6: nothing readable at rest', () => {
  it('DESIGN I6: sealed for one purpose, it opens for that one only, and with that root only', async () => {
    const keyring = await keyringOf(envWith(1))
    const sealed = await sealJson(keyring, 'pat', { accessToken: 'secret' })
    expect(sealed).not.toContain('secret')
    expect(await openJson(keyring, 'pat', sealed)).toEqual({ accessToken: 'secret' })
    expect(await openJson(keyring, 'file', sealed)).toBeUndefined()
    expect(await openJson(await keyringOf(envWith(2)), 'pat', sealed)).toBeUndefined()
    expect(await openJson(await keyringOf(envWith(1, 'pepper')), 'pat', sealed)).toBeUndefined()
    expect(await openJson(keyring, 'pat', `${sealed.slice(0, -2)}xx`)).toBeUndefined()
    expect(await openJson(keyring, 'pat', 'no')).toBeUndefined()
  })

  it('DESIGN I6: the same text sealed twice looks different', async () => {
    const keyring = await keyringOf(envWith(1))
    expect(await sealJson(keyring, 'a', 1)).not.toBe(await sealJson(keyring, 'a', 1))
  })

  it('DESIGN I6: a hash of one purpose says nothing about another', async () => {
    const keyring = await keyringOf(envWith(1))
    expect(await hashText(keyring, 'session', 'x')).not.toBe(await hashText(keyring, 'guest', 'x'))
  })
})

describe('DESIGN 4: links', () => {
  it('DESIGN 4: one thing has one link, 48 characters, and it leads back', async () => {
    const keyring = await keyringOf(envWith(1))
    const link = await linkOf(keyring, ref)
    expect(link).toMatch(/^[\w-]{48}$/)
    expect(await linkOf(keyring, ref)).toBe(link)
    expect(await openLink(keyring, link)).toEqual(ref)
  })

  it('DESIGN I3: two links of one owner have nothing in common', async () => {
    const keyring = await keyringOf(envWith(1))
    const [a, b] = [await linkOf(keyring, ref), await linkOf(keyring, { ...ref, file: 'AAECAwQFBgg' })]
    expect([...a].filter((letter, index) => letter === b[index]).length).toBeLessThan(12)
  })

  it('DESIGN 4: a link that was changed, cut or made elsewhere leads nowhere', async () => {
    const keyring = await keyringOf(envWith(1))
    const link = await linkOf(keyring, ref)
    for (let index = 0; index < link.length; index += 1) {
      const other = link[index] === 'A' ? 'B' : 'A'
      expect(await openLink(keyring, `${link.slice(0, index)}${other}${link.slice(index + 1)}`)).toBeUndefined()
    }
    for (const bad of ['', link.slice(1), `${link}A`, 'x'.repeat(48), `${link.slice(0, -1)}=`])
      expect(await openLink(keyring, bad)).toBeUndefined()
    expect(await openLink(await keyringOf(envWith(2)), link)).toBeUndefined()
  })

  it('OpenID Connect Core 5.7: an account is (iss, sub), both', async () => {
    const keyring = await keyringOf(envWith(1))
    const name = await accountName(keyring, 'https://a.example', 's')
    expect(name).toMatch(/^[\w-]{22}$/)
    expect(await accountName(keyring, 'https://a.example', 's')).toBe(name)
    expect(await accountName(keyring, 'https://b.example', 's')).not.toBe(name)
    expect(await accountName(keyring, 'https://a.example', 't')).not.toBe(name)
  })
})
