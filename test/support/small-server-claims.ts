// Claim tokens at the small server (small-server.ts): JWTs about an address, of one issuer, made for one client.
import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT, UnsecuredJWT } from 'jose'
import { type Fields, isText, known, now } from './small-server-requests.ts'

export const JWT = 'urn:ietf:params:oauth:token-type:jwt'
export const ISSUER_OF_CLAIMS = 'https://people.example'

export type Claims = {
  jwk: JWK
  /** UMA Grant 3.3.1: whom a pushed claim token is about; nobody, if it is not as it must be. */
  shownBy: (form: Map<string, string>, client: string) => Promise<string | undefined>
  /** What a person pushes; with `flaw` a single thing is wrong with it. */
  make: (wanted: Fields) => Promise<{ claim_token: string; claim_token_format: string }>
}

export const openClaims = async (audience: string): Promise<Claims> => {
  const [people, strangers] = await Promise.all([generateKeyPair('ES256', { extractable: true }), generateKeyPair('ES256')])
  return {
    jwk: { ...(await exportJWK(people.publicKey)), kid: 'people', alg: 'ES256', use: 'sig' },
    shownBy: async (form, client) => {
      const text = form.get('claim_token') ?? ''
      if (form.get('claim_token_format') !== JWT) return undefined
      const token = text.includes('.') ? text : Buffer.from(text, 'base64url').toString()
      try {
        const wanted = { issuer: ISSUER_OF_CLAIMS, audience, requiredClaims: ['exp', 'email'], algorithms: ['ES256'] }
        const { payload } = await jwtVerify(token, people.publicKey, wanted)
        // What was made for one client is of no use to another.
        return payload.client_id === client && isText(payload.email) ? known(payload.email) : undefined
      } catch {
        return undefined
      }
    },
    make: async ({ flaw, client, person }) => {
      const claims = {
        iss: flaw === 'issuer' ? 'https://strangers.example' : ISSUER_OF_CLAIMS,
        aud: flaw === 'audience' ? 'https://elsewhere.example' : audience,
        exp: now() + (flaw === 'expired' ? -3600 : 300),
        email: person,
        client_id: flaw === 'holder' ? 'another' : client,
      }
      const key = flaw === 'signature' ? strangers.privateKey : people.privateKey
      const signed = (): Promise<string> => new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'people' }).sign(key)
      const claim_token = flaw === 'unsigned' ? new UnsecuredJWT(claims).encode() : await signed()
      return { claim_token, claim_token_format: JWT }
    },
  }
}
