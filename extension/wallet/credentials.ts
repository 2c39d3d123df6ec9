// Proofs that this wallet holds: key-bound SD-JWT credentials, each with a key of its own and used once, so that two presentations share
// nothing but what they say (CLAIMS 6, unlinkability). Taking one is atomic and belongs to one visit: a worker that died in the middle
// finds the same credential again and never spends a second.
import type { Proof } from '../messages.ts'
import { list, rewrite } from './database.ts'

export type Credential = {
  id: string
  issuer: string
  email: string
  vct: string
  /** As issued: `<issuer-signed JWT>~<disclosure>~...~` */
  sd_jwt: string
  keys: CryptoKeyPair
  /** Seconds since 1970. */
  expires_at: number
  controlled_at?: number
  /** The visit that spent it. */
  spent_for?: string
}

const isUsable = (credential: Credential, now: number): boolean => credential.spent_for === undefined && credential.expires_at > now

/** Adds a batch. What was left of an earlier batch for the same address goes, and everything that ran out. */
export const keepCredentials = (batch: Credential[], now: number): Promise<null> =>
  rewrite<Credential, null>('credentials', (all) => ({
    put: batch,
    remove: all
      .filter(
        (old) =>
          old.expires_at <= now || (!old.spent_for && batch.some(({ issuer, email }) => issuer === old.issuer && email === old.email)),
      )
      .map(({ id }) => id),
    result: null,
  }))

/** One credential for each address at this server that still has some, to match a request against. */
export const usableCredentials = async (issuer: string, now: number): Promise<Credential[]> => {
  const byEmail = new Map<string, Credential>()
  for (const credential of await list<Credential>('credentials')) {
    if (credential.issuer === issuer && isUsable(credential, now)) byEmail.set(credential.email, credential)
  }
  return [...byEmail.values()].sort((a, b) => a.email.localeCompare(b.email))
}

/** Takes one credential for this visit, for good. Answers the same one again for the same visit; undefined when none is left. */
export const takeCredential = (issuer: string, email: string, visit: string, now: number): Promise<Credential | undefined> =>
  rewrite<Credential, Credential | undefined>('credentials', (all) => {
    const mine = all.find((credential) => credential.spent_for === visit)
    if (mine) return { result: mine }
    const next = all.find((credential) => credential.issuer === issuer && credential.email === email && isUsable(credential, now))
    if (!next) return { result: undefined }
    const taken = { ...next, spent_for: visit }
    return { put: [taken], result: taken }
  })

/** Deletes what the visit spent: its key must never sign again. */
export const destroySpent = (visit: string): Promise<null> =>
  rewrite<Credential, null>('credentials', (all) => ({
    remove: all.filter((c) => c.spent_for === visit).map(({ id }) => id),
    result: null,
  }))

/** Deletes the proofs of an address at a server, or all proofs of a server. */
export const forgetProofs = (issuer: string, email?: string): Promise<null> =>
  rewrite<Credential, null>('credentials', (all) => ({
    remove: all.filter((c) => c.issuer === issuer && (email === undefined || c.email === email)).map(({ id }) => id),
    result: null,
  }))

/** What the person sees under "My proofs". */
export const listProofs = async (now: number): Promise<Proof[]> => {
  const proofs = new Map<string, Proof>()
  for (const credential of await list<Credential>('credentials')) {
    if (!isUsable(credential, now)) continue
    const { issuer, email, expires_at, controlled_at } = credential
    const known = proofs.get(`${issuer} ${email}`)
    if (known) known.left += 1
    else proofs.set(`${issuer} ${email}`, { issuer, email, left: 1, expires_at, controlled_at })
  }
  return [...proofs.values()].sort((a, b) => a.email.localeCompare(b.email) || a.issuer.localeCompare(b.issuer))
}
