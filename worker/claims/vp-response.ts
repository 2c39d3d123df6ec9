// The wallet's answer to a claims page: one JWE (`dc_api.jwt`) that only this session's key opens, one presentation in it.
// Does not remember the nonce: the negotiation's object forgets the request in the turn that writes down the proof.
import { compactDecrypt, type JWK } from 'jose'
import { EMAIL_CREDENTIAL } from '../../shared/protocol/wallet.ts'
import type { Evidence } from '../policy/evidence.ts'
import { emailEvidence, ownIssuer } from './email-credential.ts'
import { isObject } from './jws.ts'
import type { Hashing, Published, Sealing } from './keys.ts'
import { verifyPresentation } from './sd-jwt.ts'
import type { PendingRequest } from './vp-request.ts'

const MAX_RESPONSE = 65_536
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

export type VpVerdict = { kind: 'evidence'; evidence: Evidence; address: string } | { kind: 'rejected'; reason: string }

/**
 * Opens and verifies what a wallet sent for `pending`: ECDH-ES with A256GCM and nothing else, exactly one presentation of the credential
 * asked for, bound to this origin (`origin:<issuer>`), the nonce and the transaction. Never throws.
 */
export async function verifyVpResponse(
  keyring: Pick<Sealing, 'open'> & Hashing & Published,
  input: { response: string; pending: PendingRequest; negotiation: string; issuer: string; now: number },
): Promise<VpVerdict> {
  const { pending, issuer, now } = input
  if (now >= pending.exp) return { kind: 'rejected', reason: 'expired' }
  const presented = await openResponse(keyring, input)
  if (presented === undefined) return { kind: 'rejected', reason: 'response' }
  const verdict = await verifyPresentation(presented, {
    // OpenID4VP 1.0, A.4: another form than that of a pushed proof, so that neither passes for the other (CLAIMS 11 #2).
    aud: `origin:${issuer}`,
    nonce: pending.nonce,
    now,
    transactionData: [pending.transaction],
    keyOf: ownIssuer(keyring, issuer),
  })
  return verdict.kind === 'ok' ? emailEvidence(keyring, verdict.presentation) : verdict
}

async function openResponse(
  keyring: Pick<Sealing, 'open'>,
  { response, pending, negotiation }: { response: string; pending: PendingRequest; negotiation: string },
): Promise<string | undefined> {
  if (response.length > MAX_RESPONSE) return undefined
  const key = (await keyring.open('negotiation', pending.key, negotiation)) as JWK | undefined
  if (key === undefined) return undefined
  try {
    const { plaintext, protectedHeader } = await compactDecrypt(response, await importKey(key), {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    if ('zip' in protectedHeader) return undefined // no compression: a bomb costs its sender nothing (TK-09)
    return presentationIn(JSON.parse(decoder.decode(plaintext)))
  } catch {
    return undefined // not for this key, changed on the way, or no JSON
  }
}

// OpenID4VP 1.0, 8.1: an object with one member per credential asked for, each an array of presentations.
function presentationIn(answer: unknown): string | undefined {
  const token = isObject(answer) ? answer.vp_token : undefined
  if (!isObject(token) || Object.keys(token).length !== 1) return undefined
  const presentations = token[EMAIL_CREDENTIAL]
  if (!Array.isArray(presentations) || presentations.length !== 1) return undefined
  return typeof presentations[0] === 'string' ? presentations[0] : undefined
}

const importKey = (jwk: JWK): Promise<CryptoKey> =>
  crypto.subtle.importKey('jwk', jwk as JsonWebKey, { name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits'])
