// The server's request and answer against the wallet's own code: two implementations that share nothing but shared/.
import { CompactEncrypt } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { fits, verifyRequest } from '../../extension/as/presentation-request.ts'
import { claimsOf, parseSdJwt, present } from '../../extension/as/sd-jwt.ts'
import { claimValue } from '../../worker/claims/address.ts'
import { issueEmailCredential } from '../../worker/claims/email-credential.ts'
import { verifyClaimToken } from '../../worker/claims/formats.ts'
import { didDocument, makeVpRequest, type PendingRequest } from '../../worker/claims/vp-request.ts'
import { verifyVpResponse } from '../../worker/claims/vp-response.ts'
import type { Keyring } from '../../worker/tokens/keyring.ts'
import { sha256 } from '../../worker/tokens/opaque.ts'
import { testKeyring } from '../support/keyring.ts'
import { type Holder, newHolder } from '../support/proof.ts'

const NOW = 1_800_000_000
// A loopback issuer: its DID has a port.
const ISSUER = 'http://localhost:8787'
const transaction = {
  type: 'urn:latchkey:uma-claims-gathering:1' as const,
  credential_ids: ['email'],
  ticket_hash: 'hash',
  client_id: 'c1',
  client_name: 'PhotoPrint',
  claims_redirect_uri: 'https://photoprint.example/cb',
  service_name: 'Vault',
  resource_scopes: ['view'],
}
let keyring: Keyring
let holder: Holder
let request: string
let pending: PendingRequest
let credential: string

beforeAll(async () => {
  keyring = await testKeyring()
  holder = await newHolder()
  const made = await makeVpRequest(keyring, { issuer: ISSUER, negotiation: 'n1', transaction, now: NOW })
  request = made.request
  pending = made.pending
  credential = await issueEmailCredential(keyring, {
    issuer: ISSUER,
    email: 'bob@example.net',
    controlledAt: NOW,
    holder: holder.publicJwk,
    now: NOW,
  })
})

const judged = async (origin = ISSUER, now = NOW) => verifyRequest(request, origin, didDocument(ISSUER, keyring.publicJwks), now)

describe('CLAIMS 6: the wallet and the server', () => {
  it('CLAIMS 6 step 6: the wallet finds the request sound, and its proof fits', async () => {
    const verdict = await judged()
    if (verdict.kind !== 'sound') throw new Error(verdict.reason)
    expect(verdict.request.tells).toBe('email')
    expect(verdict.request.transaction).toEqual(transaction)
    const claims = claimsOf(await parseSdJwt(credential))
    expect(fits(verdict.request.query, String(claims.vct), claims)).toBe(true)
  })

  it('CLAIMS 11 #1: shown by another origin, or too late, it is refused by the wallet', async () => {
    expect(await judged('http://localhost:9999')).toMatchObject({ kind: 'refused' })
    expect(await judged(ISSUER, NOW + 301)).toMatchObject({ kind: 'refused' })
  })

  it('CLAIMS 6 step 8: what the wallet answers is believed', async () => {
    const verdict = await judged()
    if (verdict.kind !== 'sound') throw new Error(verdict.reason)
    const { nonce, transaction_data_hashes, encryption, credential_id } = verdict.request
    const question = { aud: `origin:${ISSUER}`, nonce, transaction_data_hashes }
    const presentation = await present(await parseSdJwt(credential), ['email'], holder.privateKey, question, NOW)
    const response = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ vp_token: { [credential_id]: [presentation] } })))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: encryption.kid })
      .encrypt(encryption.key)
    expect(await verifyVpResponse(keyring, { response, pending, negotiation: 'n1', issuer: ISSUER, now: NOW })).toMatchObject({
      kind: 'evidence',
      address: 'bob@example.net',
      evidence: { value: await claimValue(keyring, 'bob@example.net') },
    })
    // The same presentation is no claim token (CLAIMS 11 #2).
    const nobody = { client: 'c', issuerOf: async () => undefined, takeOnce: async () => false }
    const pushed = { format: 'dc+sd-jwt', token: presentation, ticket: 't', issuer: ISSUER, now: NOW, ...nobody }
    expect(await verifyClaimToken(keyring, pushed)).toEqual({ kind: 'rejected', reason: 'kb_jwt:aud' })
    expect(await sha256(pending.transaction)).toBe(transaction_data_hashes[0])
  })
})
