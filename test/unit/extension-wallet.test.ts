// What the wallet keeps: migrations, tables, keys, one-time credentials.
import { beforeEach, describe, expect, it } from 'vitest'
import {
  type Credential,
  destroySpent,
  forgetProofs,
  keepCredentials,
  listProofs,
  takeCredential,
  usableCredentials,
} from '../../extension/wallet/credentials.ts'
import { find, list } from '../../extension/wallet/database.ts'
import { forgetKeys, keepLabelKey, keyPairFor, labelKey, makeSigningKeys } from '../../extension/wallet/keys.ts'
import { MIGRATIONS, migrate, type Stored } from '../../extension/wallet/migrations.ts'
import { read, update } from '../../extension/wallet/storage.ts'
import { fake, resetBrowser } from '../support/fake-browser.ts'
import { resetIndexedDB } from '../support/fake-indexeddb.ts'

const ISSUER = 'https://share.example'
const NOW = 1_777_000_000

beforeEach(() => {
  resetBrowser()
  resetIndexedDB()
})

describe('STYLE 4: storage migrations', () => {
  const rename = (stored: Stored): Stored => ({ ...stored, connections: stored.servers ?? {} })
  const drop = ({ servers: _, ...rest }: Stored): Stored => rest

  it('STYLE 4: an empty storage is a new wallet of the newest version', () => {
    expect(migrate({}, [rename, drop])).toEqual({ kind: 'changed', stored: { connections: {}, version: 2 } })
  })

  it('STYLE 4: only the missing migrations run, in order', () => {
    expect(migrate({ version: 1, connections: { a: 1 }, servers: { b: 2 } }, [rename, drop])).toEqual({
      kind: 'changed',
      stored: { connections: { a: 1 }, version: 2 },
    })
    expect(migrate({ servers: { b: 2 } }, [rename, drop])).toEqual({ kind: 'changed', stored: { connections: { b: 2 }, version: 2 } })
  })

  it('STYLE 4: the newest version is left alone', () => {
    expect(migrate({ version: MIGRATIONS.length, settings: {} })).toEqual({ kind: 'current' })
  })

  it('STYLE 4: the storage of a newer wallet is not touched', () => {
    expect(migrate({ version: MIGRATIONS.length + 1, settings: {} })).toEqual({ kind: 'newer' })
  })

  it('STYLE 4: a migration gets a copy, so that a failing one leaves nothing half done', () => {
    const stored = { servers: { b: 2 } }
    const fail = (): Stored => {
      throw new Error('no')
    }
    expect(() => migrate(stored, [rename, fail])).toThrow('no')
    expect(stored).toEqual({ servers: { b: 2 } })
  })
})

describe('STYLE 4: tables of storage', () => {
  it('STYLE 4: what was never written reads as empty, and nobody can change the empty one', async () => {
    const first = await read('approvals')
    first['https://evil.example'] = 1
    expect(await read('approvals')).toEqual({})
  })

  it('STYLE 4: changes at the same time all arrive', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => update('approvals', (all) => Object.assign(all, { [`https://${index}.example`]: index }))),
    )
    expect(Object.keys(await read('approvals'))).toHaveLength(20)
  })

  it('STYLE 4: a change that throws changes nothing and holds nobody up', async () => {
    const failing = update('approvals', () => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await update('approvals', (all) => Object.assign(all, { [ISSUER]: NOW }))
    expect(await read('approvals')).toEqual({ [ISSUER]: NOW })
  })

  it('STYLE 4: damaged local data is an error and stays as it is; damaged session data is dropped', async () => {
    fake.local.set('approvals', 'not a record')
    fake.session.set('visits', 'not a record')
    await expect(read('approvals')).rejects.toThrow('cannot be read')
    expect(fake.local.get('approvals')).toBe('not a record')
    expect(await read('visits')).toEqual({})
  })

  it('EXTENSION 6: what is under way lies in session storage, what lasts in local storage', async () => {
    await update('intent', (intent) => Object.assign(intent, { origin: ISSUER }))
    await update('approvals', (all) => Object.assign(all, { [ISSUER]: NOW }))
    expect([...fake.session.keys()]).toEqual(['intent'])
    expect([...fake.local.keys()]).toEqual(expect.arrayContaining(['approvals']))
  })
})

describe('EXTENSION 4: keys', () => {
  it('EXTENSION 4: a server gets one pair for each use, the same at every call, also at the same time', async () => {
    const [first, second, third] = await Promise.all([keyPairFor('dpop', ISSUER), keyPairFor('dpop', ISSUER), keyPairFor('dpop', ISSUER)])
    const jwk = (pair: CryptoKeyPair) => crypto.subtle.exportKey('jwk', pair.publicKey)
    expect(await jwk(first)).toEqual(await jwk(second))
    expect(await jwk(first)).toEqual(await jwk(third))
    expect(await jwk(await keyPairFor('dpop', ISSUER))).toEqual(await jwk(first))
  })

  it('EXTENSION 4: two servers never see the same key', async () => {
    const jwk = async (issuer: string) => (await crypto.subtle.exportKey('jwk', (await keyPairFor('dpop', issuer)).publicKey)).x
    expect(await jwk(ISSUER)).not.toBe(await jwk('https://other.example'))
  })

  it('EXTENSION 4: no private half can be exported, the owner’s label key neither', async () => {
    const made = (await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits'])) as CryptoKeyPair
    await keepLabelKey(ISSUER, await crypto.subtle.exportKey('jwk', made.privateKey))
    const kept = [(await keyPairFor('dpop', ISSUER)).privateKey, (await keyPairFor('device', ISSUER)).privateKey, await labelKey(ISSUER)]
    for (const key of kept) {
      expect(key?.extractable).toBe(false)
      await expect(crypto.subtle.exportKey('jwk', key as CryptoKey)).rejects.toThrow()
    }
  })

  it('EXTENSION 4: forgetting a server deletes its keys and no others', async () => {
    await keyPairFor('dpop', ISSUER)
    await keyPairFor('device', ISSUER)
    await keyPairFor('dpop', 'https://other.example')
    await forgetKeys(ISSUER)
    expect((await list<{ id: string }>('keys')).map(({ id }) => id)).toEqual(['dpop https://other.example'])
    expect(await find('keys', `dpop ${ISSUER}`)).toBeUndefined()
  })
})

const batch = async (count: number, changes: Partial<Credential> = {}): Promise<Credential[]> => {
  const keys = await makeSigningKeys()
  return Array.from({ length: count }, () => ({
    id: crypto.randomUUID(),
    issuer: ISSUER,
    email: 'bob@example.net',
    vct: `${ISSUER}/vct/email`,
    sd_jwt: `jwt${crypto.randomUUID()}~`,
    keys,
    expires_at: NOW + 1000,
    ...changes,
  }))
}

describe('CLAIMS 6: one-time credentials', () => {
  it('CLAIMS 11.30: every visit gets another one, until none is left', async () => {
    await keepCredentials(await batch(3), NOW)
    const taken = [
      await takeCredential(ISSUER, 'bob@example.net', 'v1', NOW),
      await takeCredential(ISSUER, 'bob@example.net', 'v2', NOW),
      await takeCredential(ISSUER, 'bob@example.net', 'v3', NOW),
    ]
    expect(new Set(taken.map((credential) => credential?.sd_jwt)).size).toBe(3)
    expect(await takeCredential(ISSUER, 'bob@example.net', 'v4', NOW)).toBeUndefined()
  })

  it('CLAIMS 11.30: taken at the same time, still never the same one', async () => {
    await keepCredentials(await batch(5), NOW)
    const taken = await Promise.all(Array.from({ length: 8 }, (_, index) => takeCredential(ISSUER, 'bob@example.net', `v${index}`, NOW)))
    const got = taken.filter((credential) => credential !== undefined)
    expect(got).toHaveLength(5)
    expect(new Set(got.map(({ id }) => id)).size).toBe(5)
  })

  it('EXTENSION 6: the same visit, resumed by a new worker, gets the same one and spends no second', async () => {
    await keepCredentials(await batch(2), NOW)
    const first = await takeCredential(ISSUER, 'bob@example.net', 'v1', NOW)
    expect((await takeCredential(ISSUER, 'bob@example.net', 'v1', NOW))?.id).toBe(first?.id)
    expect((await listProofs(NOW))[0]?.left).toBe(1)
  })

  it('CLAIMS 6: a spent one is destroyed, key and all', async () => {
    await keepCredentials(await batch(2), NOW)
    await takeCredential(ISSUER, 'bob@example.net', 'v1', NOW)
    await destroySpent('v1')
    expect(await list('credentials')).toHaveLength(1)
  })

  it('CLAIMS 5.4: what ran out is neither offered nor taken', async () => {
    await keepCredentials(await batch(2, { expires_at: NOW + 10 }), NOW)
    expect(await usableCredentials(ISSUER, NOW + 10)).toEqual([])
    expect(await takeCredential(ISSUER, 'bob@example.net', 'v1', NOW + 10)).toBeUndefined()
    expect(await listProofs(NOW + 10)).toEqual([])
  })

  it('CLAIMS 6: proofs of one server are of no use at another', async () => {
    await keepCredentials(await batch(1), NOW)
    expect(await usableCredentials('https://evil.example', NOW)).toEqual([])
    expect(await takeCredential('https://evil.example', 'bob@example.net', 'v1', NOW)).toBeUndefined()
  })

  it('CLAIMS 6: a new batch replaces what was left for the same address, and leaves others', async () => {
    await keepCredentials(await batch(2), NOW)
    await keepCredentials(await batch(1, { email: 'bob.k@work.example' }), NOW)
    await keepCredentials(await batch(4), NOW)
    expect((await listProofs(NOW)).map(({ email, left }) => [email, left])).toEqual([
      ['bob.k@work.example', 1],
      ['bob@example.net', 4],
    ])
  })

  it('CLAIMS 10: forgetting an address deletes its proofs, forgetting a server all of them', async () => {
    await keepCredentials(await batch(2), NOW)
    await keepCredentials(await batch(2, { email: 'bob.k@work.example' }), NOW)
    await forgetProofs(ISSUER, 'bob@example.net')
    expect((await listProofs(NOW)).map(({ email }) => email)).toEqual(['bob.k@work.example'])
    await forgetProofs(ISSUER)
    expect(await list('credentials')).toEqual([])
  })
})
