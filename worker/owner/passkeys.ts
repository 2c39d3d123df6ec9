// Passkeys (WebAuthn Level 3): sign in with one, add one. JSON for the page's script. A challenge travels sealed and is used once.
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { Hono } from 'hono'
import { base64url } from 'jose'
import * as v from 'valibot'
import { type AppContext, type AppEnv, oneTimeObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import { checkCsrf, openSession, requireSession, sameOrigin } from '../http/session.ts'
import { paths } from '../pages/paths.ts'
import { ownerById } from '../store/owners.ts'
import { insertPasskey, type Passkey, passkeyById, passkeysOf, passkeyUsed } from '../store/passkeys.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { dropSignIn, nextPath, readSignIn } from './sign-in-session.ts'

const CHALLENGE_LIFETIME = 300
const MAX_PASSKEYS = 20

const empty = v.object({})
const text = v.pipe(v.string(), v.maxLength(16_384))
const authenticatorResponse = v.object({
  id: text,
  rawId: text,
  type: v.literal('public-key'),
  response: v.record(v.string(), v.unknown()),
  clientExtensionResults: v.optional(v.record(v.string(), v.unknown()), {}),
  authenticatorAttachment: v.nullish(v.string()),
})
const finished = v.object({ state: text, response: authenticatorResponse, next: v.optional(v.string()) })

type Challenge = { challenge: string; use: 'sign-in' | 'register'; owner?: string; exp: number }

export const passkeys = new Hono<AppEnv>()
  .post(paths.signInPasskeyOptions, sameOrigin(), async (c) => {
    await readJson(c, empty)
    await checkCsrf(c.var.deps, await readSignIn(c), c.req.header('x-csrf'))
    const challenge = randomSecret()
    const options = await generateAuthenticationOptions({
      rpID: rpId(c),
      challenge: new Uint8Array(base64url.decode(challenge)),
      userVerification: 'preferred',
    })
    return c.json({ options, state: await sealChallenge(c, { challenge, use: 'sign-in' }) })
  })
  .post(paths.signInPasskey, sameOrigin(), async (c) => {
    const sent = await readJson(c, finished)
    await checkCsrf(c.var.deps, await readSignIn(c), c.req.header('x-csrf'))
    const { challenge } = await takeChallenge(c, sent.state, 'sign-in')
    const passkey = await passkeyById(c.env.DB, sent.response.id)
    const counter = passkey === undefined ? undefined : await verifySignIn(c, sent.response, challenge, passkey)
    if (passkey === undefined || counter === undefined) throw refused()
    await passkeyUsed(c.env.DB, passkey.id, counter, seconds(c.var.deps))
    dropSignIn(c)
    await openSession(c, passkey.owner)
    return c.json({ next: nextPath(c, sent.next) })
  })
  .post(paths.passkeyOptions, sameOrigin(), async (c) => {
    await readJson(c, empty)
    const session = await requireSession(c)
    await checkCsrf(c.var.deps, session, c.req.header('x-csrf'))
    const [owner, known] = await Promise.all([ownerById(c.env.DB, session.owner), passkeysOf(c.env.DB, session.owner)])
    if (owner === undefined || known.length >= MAX_PASSKEYS) throw refused()
    const address = await c.var.deps.keyring.open('address', owner.address_sealed, owner.id)
    const challenge = randomSecret()
    const options = await generateRegistrationOptions({
      rpName: rpId(c),
      rpID: rpId(c),
      userName: typeof address === 'string' ? address : rpId(c),
      userID: new Uint8Array(new TextEncoder().encode(owner.id)),
      challenge: new Uint8Array(base64url.decode(challenge)),
      attestationType: 'none',
      excludeCredentials: known.map((one) => ({ id: one.id })),
      // Discoverable: signing in asks for no address first.
      authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
    })
    return c.json({ options, state: await sealChallenge(c, { challenge, use: 'register', owner: owner.id }) })
  })
  .post(paths.passkeys, sameOrigin(), async (c) => {
    const sent = await readJson(c, finished)
    const session = await requireSession(c)
    await checkCsrf(c.var.deps, session, c.req.header('x-csrf'))
    const { challenge, owner } = await takeChallenge(c, sent.state, 'register')
    if (owner !== session.owner) throw refused()
    const made = await verifyNew(c, sent.response, challenge)
    if (made === undefined || !(await insertPasskey(c.env.DB, { ...made, owner }, seconds(c.var.deps)))) throw refused()
    return c.json({ added: true })
  })

/** Host of the issuer, without port (WebAuthn 4). */
const rpId = (c: AppContext): string => new URL(c.var.deps.issuer).hostname

const sealChallenge = (c: AppContext, challenge: Omit<Challenge, 'exp'>): Promise<string> =>
  c.var.deps.keyring.seal('passkey', { ...challenge, exp: seconds(c.var.deps) + CHALLENGE_LIFETIME })

// WebAuthn 13.4.3: a challenge must not be used twice.
async function takeChallenge(c: AppContext, state: string, use: Challenge['use']): Promise<Challenge> {
  const now = seconds(c.var.deps)
  const sealed = (await c.var.deps.keyring.open('passkey', state)) as Challenge | undefined
  if (sealed === undefined || sealed.use !== use || sealed.exp <= now) throw refused()
  if (!(await oneTimeObject(c.env, `passkey ${sealed.challenge}`).take({ key: 'challenge', exp: sealed.exp, now }))) throw refused()
  return sealed
}

type AuthenticatorResponse = v.InferOutput<typeof authenticatorResponse>
type Verification = Parameters<typeof verifyAuthenticationResponse>[0]
type Registration = Parameters<typeof verifyRegistrationResponse>[0]

/** The new counter if the passkey signed this challenge for this origin; undefined otherwise. */
async function verifySignIn(
  c: AppContext,
  response: AuthenticatorResponse,
  challenge: string,
  passkey: Passkey,
): Promise<number | undefined> {
  const { userHandle } = response.response
  // WebAuthn 7.2, 6: the passkey says whose it is; it must be whose we know it to be.
  if (typeof userHandle === 'string' && userHandle !== base64url.encode(passkey.owner)) return undefined
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: response as unknown as Verification['response'],
      expectedChallenge: challenge,
      expectedOrigin: c.var.deps.issuer,
      expectedRPID: rpId(c),
      credential: { id: passkey.id, publicKey: new Uint8Array(base64url.decode(passkey.public_key)), counter: passkey.counter },
      requireUserVerification: false,
    })
    return verified ? authenticationInfo.newCounter : undefined
  } catch {
    return undefined // the library throws for every reason that the specification gives to refuse
  }
}

async function verifyNew(c: AppContext, response: AuthenticatorResponse, challenge: string): Promise<Omit<Passkey, 'owner'> | undefined> {
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: response as unknown as Registration['response'],
      expectedChallenge: challenge,
      expectedOrigin: c.var.deps.issuer,
      expectedRPID: rpId(c),
      requireUserVerification: false,
    })
    if (!verified) return undefined
    const { id, publicKey, counter, transports } = registrationInfo.credential
    return { id, public_key: base64url.encode(publicKey), counter, transports: transports ?? [] }
  } catch {
    return undefined // as above
  }
}

const refused = () => new OAuthError('invalid_request', 'this passkey could not be used; try again or use a code by mail')
