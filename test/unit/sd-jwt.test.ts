import { base64url, type JWK } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { claimValue } from '../../worker/claims/address.ts'
import { emailEvidence, issueEmailCredential, ownIssuer } from '../../worker/claims/email-credential.ts'
import { verifyClaimToken } from '../../worker/claims/formats.ts'
import { verifyPresentation } from '../../worker/claims/sd-jwt.ts'
import { domainValue } from '../../worker/claims/types.ts'
import { randomSecret, sha256 } from '../../worker/tokens/opaque.ts'
import { testKeyring } from '../support/keyring.ts'
import { DOMAIN, disclosure, EMAIL, type Forgery, forge, jws, newHolder, type Setting } from '../support/proof.ts'

const NOW = 1_800_000_000
const ISSUER = 'https://as.example'
let setting: Setting

beforeAll(async () => {
  setting = { keyring: await testKeyring(), issuer: ISSUER, holder: await newHolder(), aud: ISSUER, nonce: randomSecret(), now: NOW }
})

const verify = (token: string, change: Partial<Parameters<typeof verifyPresentation>[1]> = {}) =>
  verifyPresentation(token, { aud: ISSUER, nonce: setting.nonce, now: NOW, keyOf: ownIssuer(setting.keyring, ISSUER), ...change })

/** Reason -> how it is forged. */
type Attack = readonly [reason: string, title: string, forgery: Forgery | (() => Promise<Forgery>)]

const unsigned = (header: unknown, payload: unknown) =>
  `${base64url.encode(JSON.stringify(header))}.${base64url.encode(JSON.stringify(payload))}.`

const credentialAttacks: Attack[] = [
  ['credential:form', 'alg none', { token: (t) => t.replace(/^[^~]+/, unsigned({ alg: 'none', typ: 'dc+sd-jwt' }, { iss: ISSUER })) }],
  [
    'credential:alg',
    'alg none with something for a signature',
    { token: (t) => t.replace(/^[^~]+/, `${unsigned({ alg: 'none', typ: 'dc+sd-jwt' }, { iss: ISSUER })}AA`) },
  ],
  [
    'credential:alg',
    'HS256 with the public key for a secret',
    async () => ({ credential: { alg: 'HS256', key: new TextEncoder().encode(JSON.stringify(setting.keyring.publicJwks[0]).padEnd(32)) } }),
  ],
  ['credential:typ', 'typ JWT: any token of this server', { credential: { typ: 'JWT' } }],
  ['credential:typ', 'typ vc+sd-jwt, the old name', { credential: { typ: 'vc+sd-jwt' } }],
  ['credential:typ', 'typ evt+jwt: a browser mail token', { credential: { typ: 'evt+jwt' } }],
  ['credential:typ', 'no typ', { credential: { typ: undefined } }],
  ['credential:typ', 'typ with application/', { credential: { typ: 'application/dc+sd-jwt' } }],
  ['credential:crit', 'a critical header', { credential: { header: { crit: ['x'], x: 1 } } }],
  ['credential:signature', 'signed by somebody else under our kid', async () => ({ credential: { key: (await newHolder()).privateKey } })],
  ['credential:issuer', 'unknown kid', { credential: { kid: 'other' } }],
  ['credential:issuer', 'no kid', { credential: { kid: undefined } }],
  ['credential:issuer', 'kid that is a path', { credential: { kid: '../../etc/keys' } }],
  [
    'credential:issuer',
    'key in the header (CT-13)',
    async () => {
      const eve = await newHolder()
      return { credential: { kid: undefined, key: eve.privateKey, header: { jwk: eve.publicJwk } } }
    },
  ],
  ['credential:issuer', 'another issuer', { payload: (p) => ({ ...p, iss: 'https://evil.example' }) }],
  ['credential:issuer', 'issuer with a slash at the end', { payload: (p) => ({ ...p, iss: `${ISSUER}/` }) }],
  ['credential:iss', 'no issuer', { payload: ({ iss: _, ...p }) => p }],
  ['credential:iss', 'a list of issuers', { payload: (p) => ({ ...p, iss: [ISSUER] }) }],
  ['credential:time', 'expired', { payload: (p) => ({ ...p, exp: NOW }) }],
  ['credential:time', 'never expires', { payload: ({ exp: _, ...p }) => p }],
  ['credential:time', 'expiry as text', { payload: (p) => ({ ...p, exp: String(NOW + 1000) }) }],
  ['credential:time', 'issued in the future', { payload: (p) => ({ ...p, iat: NOW + 61 }) }],
  ['credential:time', 'not yet valid', { payload: (p) => ({ ...p, nbf: NOW + 61 }) }],
  ['credential:status', 'names a status that nobody asks for', { payload: (p) => ({ ...p, status: { status_list: {} } }) }],
  ['credential:cnf', 'no holder key', { payload: ({ cnf: _, ...p }) => p }],
  [
    'credential:cnf',
    'holder key with its private half',
    () => Promise.resolve({ payload: (p: Record<string, unknown>) => ({ ...p, cnf: { jwk: setting.holder.privateJwk } }) }),
  ],
  ['credential:cnf', 'symmetric holder key', { payload: (p) => ({ ...p, cnf: { jwk: { kty: 'oct', k: 'AAAA' } } }) }],
  ['credential:cnf', 'holder key by reference', { payload: (p) => ({ ...p, cnf: { kid: 'x' } }) }],
]

const disclosureAttacks: Attack[] = [
  ['disclosure:duplicate', 'twice the same', { shown: [EMAIL, EMAIL] }],
  ['disclosure:unreferenced', 'one that the issuer never signed', { shown: [EMAIL, disclosure('s', 'email', 'alice@example.net')] }],
  [
    'disclosure:collision',
    'a name that stands in the payload already',
    { hidden: [EMAIL, disclosure('s', 'verification', {})], shown: [EMAIL, disclosure('s', 'verification', {})] },
  ],
  [
    'disclosure:collision',
    'two with one name',
    { hidden: [EMAIL, disclosure('t', 'email', 'x@y.example')], shown: [EMAIL, disclosure('t', 'email', 'x@y.example')] },
  ],
  ['disclosure:name', 'named _sd', { hidden: [disclosure('s', '_sd', ['x'])], shown: [disclosure('s', '_sd', ['x'])] }],
  ['disclosure:name', 'named ...', { hidden: [disclosure('s', '...', 'x')], shown: [disclosure('s', '...', 'x')] }],
  ['disclosure:name', 'a hidden holder key', { hidden: [disclosure('s', 'cnf', {})], shown: [disclosure('s', 'cnf', {})] }],
  ['disclosure:name', 'a hidden not-before', { hidden: [disclosure('s', 'nbf', 0)], shown: [disclosure('s', 'nbf', 0)] }],
  ['disclosure:_sd_alg', 'an unknown hash', { payload: (p) => ({ ...p, _sd_alg: 'sha-1' }) }],
  ['disclosure:digest_twice', 'one digest at two places', { payload: (p) => ({ ...p, verification: { _sd: p._sd } }) }],
  ['disclosure:_sd', '_sd that is no list', { payload: (p) => ({ ...p, _sd: 'x' }), shown: [] }],
  ['disclosure:digest', 'a digest that is no text', { payload: (p) => ({ ...p, _sd: [1] }), shown: [] }],
  ['disclosure:place', 'an array element where a claim belongs', { hidden: [disclosure('s', 'x')], shown: [disclosure('s', 'x')] }],
  ['disclosure:form', 'one member too many', { shown: [disclosure('s', 'email', 'a@b.example', 'x')] }],
  ['disclosure:form', 'no JSON', { shown: [base64url.encode('email')] }],
  ['disclosure:form', 'base64 in another spelling', { shown: [`${EMAIL}=`] }],
  ['disclosure:form', 'no UTF-8', { shown: [base64url.encode(new Uint8Array([0x5b, 0x22, 0xff, 0x22, 0x5d]))] }],
  ['disclosure:form', 'empty', { shown: [EMAIL, ''] }],
  ['disclosure:too_many', '65 of them', { shown: Array.from({ length: 65 }, (_, i) => disclosure('s', `n${i}`, 1)) }],
  ['disclosure:depth', 'nested beyond reason', { payload: (p) => ({ ...p, x: JSON.parse(`${'{"a":'.repeat(20)}1${'}'.repeat(20)}`) }) }],
]

const bindingAttacks: Attack[] = [
  ['key_binding', 'none at all', { token: (t) => t.slice(0, t.lastIndexOf('~') + 1) }],
  ['kb_jwt:signature', 'by another key', async () => ({ kb: { key: (await newHolder()).privateKey } })],
  ['kb_jwt:alg', 'HS256', { kb: { alg: 'HS256', key: new Uint8Array(32) } }],
  [
    'kb_jwt:signature',
    'EdDSA by an Ed25519 key that is not the holder',
    async () => {
      const ed = await newHolder('EdDSA')
      return { kb: { alg: 'EdDSA', key: ed.privateKey } }
    },
  ],
  ['kb_jwt:typ', 'typ JWT', { kb: { typ: 'JWT' } }],
  ['kb_jwt:typ', 'typ dpop+jwt: a DPoP proof of the same key', { kb: { typ: 'dpop+jwt' } }],
  ['kb_jwt:aud', 'another server', { binding: { aud: 'https://other.example' } }],
  ['kb_jwt:aud', 'the form of a page presentation', { binding: { aud: `origin:${ISSUER}` } }],
  ['kb_jwt:aud', 'a list', { binding: { aud: [ISSUER] } }],
  ['kb_jwt:aud', 'none', { binding: { aud: undefined } }],
  ['kb_jwt:nonce', 'another ticket', { binding: { nonce: 'x' } }],
  ['kb_jwt:nonce', 'none', { binding: { nonce: undefined } }],
  ['kb_jwt:iat', 'six minutes old', { binding: { iat: NOW - 301 } }],
  ['kb_jwt:iat', 'from the future', { binding: { iat: NOW + 61 } }],
  ['kb_jwt:iat', 'none', { binding: { iat: undefined } }],
  ['kb_jwt:iat', 'expired by its own word', { binding: { exp: NOW } }],
  ['kb_jwt:sd_hash', 'other disclosures', { binding: { sd_hash: 'x' } }],
  ['kb_jwt:sd_hash', 'a disclosure added on the way', { token: (t) => t.replace(`~${EMAIL}~`, `~${EMAIL}~${DOMAIN}~`) }],
  ['kb_jwt:sd_hash', 'a disclosure taken away on the way', { shown: [EMAIL, DOMAIN], token: (t) => t.replace(`~${DOMAIN}~`, '~') }],
  ['kb_jwt:transaction_data', 'speaks of a transaction that nobody asked for', { binding: { transaction_data_hashes: ['x'] } }],
]

const formAttacks: Attack[] = [
  ['size', 'larger than 32 KB', { token: (t) => `${t}${'A'.repeat(32_768)}` }],
  ['key_binding', 'nothing', { token: () => '' }],
  ['key_binding', 'a JWT alone', { token: (t) => t.split('~')[0] as string }],
  ['credential:form', 'blanks', { token: (t) => ` ${t}` }],
  ['credential:form', 'no JSON inside', async () => ({ token: (t: string) => t.replace(/^[^.]+/, 'e30x') })],
]

describe('SD-JWT with key binding (RFC 9901, CLAIMS 3, 11 #5)', () => {
  it('RFC 9901 7.3: a sound presentation shows what was disclosed and who holds it', async () => {
    const verdict = await verify(await forge(setting))
    expect(verdict).toMatchObject({
      kind: 'ok',
      presentation: { iss: ISSUER, presentedAt: NOW, exp: NOW + 86_400, claims: { email: 'Bob@example.net' } },
    })
    expect(verdict.kind === 'ok' && 'email_domain' in verdict.presentation.claims).toBe(false)
    expect(verdict.kind === 'ok' && '_sd' in verdict.presentation.claims).toBe(false)
  })

  for (const alg of ['EdDSA', 'Ed25519']) {
    it(`RFC 9864: a holder may sign with ${alg}`, async () => {
      expect(await verify(await forge({ ...setting, holder: await newHolder(alg) }))).toMatchObject({ kind: 'ok' })
    })
  }

  it('RFC 9901 4.2.4.2: array elements and nested objects open at their place', async () => {
    const inner = disclosure('s', 'street', 'Rua Augusta')
    const element = disclosure('s', 'PT')
    const token = await forge(setting, {
      hidden: [EMAIL],
      shown: [EMAIL, element, inner],
      payload: (p) => ({
        ...p,
        nationalities: [{ '...': digests.element }, { '...': 'A'.repeat(43) }, 'DE'],
        address: { _sd: [digests.inner] },
      }),
    })
    expect(await verify(token)).toMatchObject({
      kind: 'ok',
      presentation: { claims: { nationalities: ['PT', 'DE'], address: { street: 'Rua Augusta' } } },
    })
  })
  const digests = { element: '', inner: '' }
  beforeAll(async () => {
    digests.element = await sha256(disclosure('s', 'PT'))
    digests.inner = await sha256(disclosure('s', 'street', 'Rua Augusta'))
  })

  it('RFC 9901: a claim called __proto__ stays a claim', async () => {
    const named = base64url.encode('["s","__proto__",{"email":"eve@evil.example"}]')
    const verdict = await verify(await forge(setting, { hidden: [named], shown: [named] }))
    expect(verdict.kind === 'ok' && verdict.presentation.claims.email).toBe(undefined)
  })

  for (const [group, attacks] of Object.entries({ credentialAttacks, disclosureAttacks, bindingAttacks, formAttacks })) {
    for (const [reason, title, forgery] of attacks) {
      it(`CLAIMS 11 #5: ${group.replace('Attacks', '')}, ${title}: refused (${reason})`, async () => {
        const token = await forge(setting, typeof forgery === 'function' ? await forgery() : forgery)
        expect(await verify(token)).toEqual({ kind: 'rejected', reason })
      })
    }
  }

  for (const [title, iat] of [
    ['300 s old', NOW - 300],
    ['60 s ahead', NOW + 60],
  ] as const) {
    it(`CLAIMS 11 #3: a key binding ${title} is accepted`, async () => {
      expect(await verify(await forge(setting, { binding: { iat } }))).toMatchObject({
        kind: 'ok',
        presentation: { presentedAt: Math.min(iat, NOW) },
      })
    })
  }

  describe('OpenID4VP B.3.3.1: transaction data', () => {
    const transactionData = ['eyJ0eXBlIjoieCJ9']
    it('OpenID4VP B.3.3.1: signed over as asked', async () => {
      expect(await verify(await forge({ ...setting, transactionData }), { transactionData })).toMatchObject({ kind: 'ok' })
    })
    for (const [title, binding] of [
      ['not signed over', { transaction_data_hashes: undefined }],
      ['another transaction', { transaction_data_hashes: ['x'] }],
      ['one too many', { transaction_data_hashes: ['x', 'y'] }],
      ['another hash', { transaction_data_hashes_alg: 'sha-512' }],
      ['a text in place of a list', { transaction_data_hashes: 'x' }],
    ] as const) {
      it(`OpenID4VP B.3.3.1: ${title}: refused`, async () => {
        const token = await forge({ ...setting, transactionData }, { binding })
        expect(await verify(token, { transactionData })).toEqual({ kind: 'rejected', reason: 'kb_jwt:transaction_data' })
      })
    }
  })
})

describe('the e-mail credential (CLAIMS 8)', () => {
  const issue = (change: Partial<Parameters<typeof issueEmailCredential>[1]> = {}) =>
    issueEmailCredential(setting.keyring, {
      issuer: ISSUER,
      email: 'bob@example.net',
      controlledAt: NOW - 10,
      holder: setting.holder.publicJwk,
      now: NOW,
      ...change,
    })

  async function present(credential: string, names: string[]): Promise<string> {
    const [jwt, ...disclosures] = credential.split('~').filter((part) => part !== '')
    const shown = disclosures.filter((text) =>
      names.includes((JSON.parse(new TextDecoder().decode(base64url.decode(text))) as string[])[1] as string),
    )
    const signed = `${[jwt, ...shown].join('~')}~`
    return (
      signed +
      (await jws(
        { aud: ISSUER, nonce: setting.nonce, iat: NOW, sd_hash: await sha256(signed) },
        { alg: 'ES256', typ: 'kb+jwt' },
        setting.holder.privateKey,
      ))
    )
  }

  it('CLAIMS 8: what is issued verifies, and shows the address as a keyed hash', async () => {
    const verdict = await verify(await present(await issue(), ['email']))
    if (verdict.kind !== 'ok') throw new Error(verdict.reason)
    expect(await emailEvidence(setting.keyring, verdict.presentation)).toEqual({
      kind: 'evidence',
      address: 'bob@example.net',
      evidence: {
        claim: 'email',
        value: await claimValue(setting.keyring, 'bob@example.net'),
        domain: await domainValue(setting.keyring, 'example.net'),
        iss: ISSUER,
        method: 'dc+sd-jwt',
        controlled_at: Math.floor((NOW - 10) / 3600) * 3600,
        presented_at: NOW,
        exp: Math.floor(NOW / 86_400) * 86_400 + 30 * 86_400,
      },
    })
  })

  it('CLAIMS 6: without its disclosures it names nobody, and times are rounded to the day', async () => {
    const [jwt] = (await issue()).split('~')
    const payload = JSON.parse(new TextDecoder().decode(base64url.decode((jwt as string).split('.')[1] as string))) as Record<
      string,
      unknown
    >
    expect(JSON.stringify(payload)).not.toContain('bob')
    expect((payload.iat as number) % 86_400).toBe(0)
    expect((payload.exp as number) % 86_400).toBe(0)
    expect(Object.keys(payload).toSorted()).toEqual(['_sd', '_sd_alg', 'cnf', 'exp', 'iat', 'iss', 'vct', 'verification'])
  })

  it('CLAIMS 6: two credentials of one batch have nothing in common but what the issuer says of itself', async () => {
    const [one, two] = await Promise.all([issue(), issue({ holder: (await newHolder()).publicJwk })])
    const parts = one
      .split('~')
      .slice(1)
      .filter((part) => part !== '')
    expect(parts).toHaveLength(3)
    expect(two.split('~').some((part) => parts.includes(part))).toBe(false)
  })

  it('CLAIMS 8: a private holder key never gets into a credential', async () => {
    const [jwt] = (await issue({ holder: { ...setting.holder.privateJwk } as JWK })).split('~')
    expect(new TextDecoder().decode(base64url.decode((jwt as string).split('.')[1] as string))).not.toContain('"d"')
  })

  it('CLAIMS 5.2: without the disclosed address it is no e-mail proof', async () => {
    const verdict = await verify(await present(await issue(), ['email_domain']))
    if (verdict.kind !== 'ok') throw new Error(verdict.reason)
    expect(await emailEvidence(setting.keyring, verdict.presentation)).toEqual({ kind: 'rejected', reason: 'email' })
  })

  for (const [reason, payload] of [
    ['vct', { vct: 'https://as.example/vct/membership' }],
    ['verification', { verification: undefined }],
  ] as const) {
    it(`CLAIMS 9: a credential of this server with another ${reason} is no e-mail proof`, async () => {
      const verdict = await verify(await forge(setting, { payload: (p) => ({ ...p, ...payload }) }))
      if (verdict.kind !== 'ok') throw new Error(verdict.reason)
      expect(await emailEvidence(setting.keyring, verdict.presentation)).toEqual({ kind: 'rejected', reason })
    })
  }
})

describe('pushed claim tokens (UMA Grant 3.3.1)', () => {
  const ticket = 'ticket-1'
  const nobody = { client: 'c', issuerOf: async () => undefined, takeOnce: async () => false }
  const push = async (token: string, change: Partial<Parameters<typeof verifyClaimToken>[1]> = {}) =>
    verifyClaimToken(setting.keyring, { format: 'dc+sd-jwt', token, ticket, issuer: ISSUER, now: NOW, ...nobody, ...change })
  const made = async (forgery?: Forgery) => forge({ ...setting, nonce: await sha256(ticket) }, forgery)

  it('UMA Grant 3.3.1: a proof made for this server and ticket becomes evidence', async () => {
    expect(await push(await made())).toMatchObject({
      kind: 'evidence',
      evidence: [{ claim: 'email', method: 'dc+sd-jwt', value: await claimValue(setting.keyring, 'bob@example.net') }],
    })
  })

  it('UMA Grant 3.3.1: wrapped in base64url, or in base64 with padding, it is the same', async () => {
    const token = await made()
    expect(await push(base64url.encode(token))).toMatchObject({ kind: 'evidence' })
    expect(await push(btoa(token))).toMatchObject({ kind: 'evidence' })
  })

  it('UMA Grant 5.7: made for another ticket: refused (CT-08)', async () => {
    expect(await push(await made(), { ticket: 'ticket-2' })).toEqual({ kind: 'rejected', reason: 'kb_jwt:nonce' })
  })

  it('UMA Grant 5.7: made for the claims page: refused here (CLAIMS 11 #2)', async () => {
    expect(await push(await made({ binding: { aud: `origin:${ISSUER}` } }))).toEqual({ kind: 'rejected', reason: 'kb_jwt:aud' })
  })

  it('CLAIMS 11 #20: unsigned JSON is refused under any format', async () => {
    const token = base64url.encode('{"email":["bob@example.net"]}')
    expect(await push(token)).toMatchObject({ kind: 'rejected' })
    expect(await push(token, { format: 'urn:ietf:params:oauth:token-type:jwt' })).toEqual({ kind: 'rejected', reason: 'jwt:form' })
  })

  for (const token of ['', '~', '~~', 'a~b', '....', '\u0000', '=', 'A'.repeat(40_000)]) {
    it(`UMA Grant 3.3.1: ${JSON.stringify(token).slice(0, 20)} is refused, not an error`, async () => {
      expect(await push(token)).toMatchObject({ kind: 'rejected' })
    })
  }
})
