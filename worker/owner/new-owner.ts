// The first sign-in of an address: who may become an owner here, the owner's row, the label key and its recovery code (DESIGN decision 7).
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { invitationMac, ownerAddressMac } from '../claims/address.ts'
import { type AppContext, ownerObject, seconds } from '../http/context.ts'
import { addressesIn } from '../http/operator.ts'
import { setNames } from '../http/session.ts'
import { isInvited, useInvitation } from '../store/invitations.ts'
import { insertOwner, type OwnerRow, ownerByAddress, ownerSince, replaceLabelKey, resealAddress } from '../store/owners.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { newRecoveryCode, wrapWithCode } from '../tokens/recovery-code.ts'

/** How long the recovery code can be looked at, in this browser only. */
const SHOWN_FOR = 600
const COOKIE = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Strict' } as const

export type Arrived = { kind: 'known'; owner: string } | { kind: 'new'; owner: string } | { kind: 'closed' }

/** The owner of a proved address: found, or made if this server takes new owners. A new owner's recovery code waits for /welcome. */
export async function ownerOf(c: AppContext, address: string): Promise<Arrived> {
  const { deps } = c.var
  const address_mac = await ownerAddressMac(deps.keyring, address)
  const known = await ownerByAddress(c.env.DB, address_mac)
  if (known !== undefined) {
    // Idempotent: the object may not have heard of its owner if the first sign-in broke off.
    await ownerObject(c.env, known.id).init({ id: known.id, label_public: known.label_public })
    // Sealed for good: with each sign-in by the key of the day, so that old keys can go.
    if (!deps.keyring.isCurrent(known.address_sealed)) {
      await resealAddress(c.env.DB, known, await deps.keyring.seal('address', address, known.id))
    }
    return (await begunAnew(c, known)) ? { kind: 'new', owner: known.id } : { kind: 'known', owner: known.id }
  }
  const allowed = (await isInvitedByMail(c, address)) ? 'yes' : mayRegister(c.env, address)
  if (allowed === 'no') return { kind: 'closed' }
  const id = randomSecret(16)
  const { privateJwk, code, ...key } = await newLabelKey(id)
  const row = { id, address_mac, address_sealed: await deps.keyring.seal('address', address, id), ...key }
  if (!(await insertOwner(c.env.DB, row, seconds(deps), allowed === 'first'))) {
    // Somebody was faster: the same person in another tab, or the one owner of a personal server.
    const faster = await ownerByAddress(c.env.DB, address_mac)
    if (faster === undefined) return { kind: 'closed' }
    await ownerObject(c.env, faster.id).init({ id: faster.id, label_public: faster.label_public })
    return { kind: 'known', owner: faster.id }
  }
  await ownerObject(c.env, row.id).init({ id: row.id, label_public: row.label_public })
  if (c.env.REGISTRATION === 'invited') await useInvitation(c.env.DB, await invitationMac(deps.keyring, address), seconds(deps))
  await welcome(c, row.id, privateJwk, code)
  return { kind: 'new', owner: row.id }
}

/** This browser can read the names, and shows the recovery code for a while. */
async function welcome(c: AppContext, owner: string, private_jwk: JsonWebKey, code: string): Promise<void> {
  const { deps } = c.var
  await setNames(c, { owner, private_jwk })
  const shown = await deps.keyring.seal('names', { owner, code, exp: seconds(deps) + SHOWN_FOR }, 'welcome')
  setCookie(c, 'welcome', shown, { ...COOKIE, maxAge: SHOWN_FOR })
}

/**
 * An owner whose first sign-in never arrived: nobody has seen the recovery code, and nothing is sealed yet. Both are made anew, once no
 * browser can be showing the code of then any more.
 */
async function begunAnew(c: AppContext, known: OwnerRow): Promise<boolean> {
  const object = ownerObject(c.env, known.id)
  if (!(await object.isUntouched())) return false
  const since = await ownerSince(c.env.DB, known.id)
  if (since === undefined || since + SHOWN_FOR > seconds(c.var.deps)) return false
  const { privateJwk, code, ...key } = await newLabelKey(known.id)
  if (!(await replaceLabelKey(c.env.DB, known, key)) || !(await object.relabel(key))) return false
  await welcome(c, known.id, privateJwk, code)
  return true
}

type NewLabelKey = Pick<OwnerRow, 'label_public' | 'label_recovery'> & { privateJwk: JsonWebKey; code: string }

/** `id`: the owner's, to which the wrapped half is bound. */
async function newLabelKey(id: string): Promise<NewLabelKey> {
  const code = newRecoveryCode()
  const pair = (await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits'])) as CryptoKeyPair
  const privateJwk = bare((await crypto.subtle.exportKey('jwk', pair.privateKey)) as JsonWebKey)
  const { d: _, ...label_public } = privateJwk
  return { label_public, label_recovery: await wrapWithCode(privateJwk, code, id), privateJwk, code }
}

/** A key without `key_ops` and `ext`, which say what WebCrypto here may do with it, not what it is. */
const bare = ({ kty, crv, x, y, d }: JsonWebKey): JsonWebKey => ({ kty, crv, x, y, d }) as JsonWebKey

async function isInvitedByMail(c: AppContext, address: string): Promise<boolean> {
  if (c.env.REGISTRATION !== 'invited') return false
  return isInvited(c.env.DB, await invitationMac(c.var.deps.keyring, address), seconds(c.var.deps))
}

/**
 * REGISTRATION: `open`, `invited` (addresses in INVITED, those of operators, and those that operators invite), `owner-only` (the first
 * one); anything else is closed.
 */
export function mayRegister(env: Pick<Env, 'REGISTRATION' | 'INVITED' | 'OPERATORS'>, address: string): 'yes' | 'first' | 'no' {
  if (env.REGISTRATION === 'open') return 'yes'
  if (env.REGISTRATION === 'owner-only') return 'first'
  const invited = env.REGISTRATION === 'invited' ? [...addressesIn(env.INVITED), ...addressesIn(env.OPERATORS)] : []
  return invited.includes(address) ? 'yes' : 'no'
}

/** The recovery code of a new owner, for as long as it can be looked at. */
export async function shownCode(c: AppContext, owner: string): Promise<string | undefined> {
  const text = getCookie(c, 'welcome', 'host')
  const shown =
    text === undefined
      ? undefined
      : ((await c.var.deps.keyring.open('names', text, 'welcome')) as { owner: string; code: string; exp: number } | undefined)
  return shown?.owner === owner && shown.exp > seconds(c.var.deps) ? shown.code : undefined
}

export const hideCode = (c: AppContext): void => {
  deleteCookie(c, 'welcome', COOKIE)
}
