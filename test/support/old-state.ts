// The people and programs of a packed state (packed-state.ts) in front of today's server: they call with what they held then, at the hour of
// then, a moment after it was packed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import { UMA_TICKET } from './actors.ts'
import { type Answer, type Call, call, type DpopKey, dpopProof, expectStatus, type Json } from './http.ts'
import { type OldStory, unpackState } from './packed-state.ts'
import { presentFor } from './proofs.ts'
import type { Running } from './runtime.ts'
import { startAs } from './story.ts'

/** A packed state in a folder of its own, and its server at the hour of then. */
export const restored = (version: number) => {
  const folder = mkdtempSync(join(process.env.LATCHKEY_TEST_FOLDER ?? tmpdir(), 'latchkey-'))
  const state = join(folder, 'as')
  const story = unpackState(version, state)
  const clock = story.at + 5 - Math.floor(Date.now() / 1000)
  const start = (): Promise<Running> => startAs({ folder, wrap: true, clock, asVars: { ISSUER: story.origin } })
  return {
    story,
    state,
    start,
    now: () => Math.floor(Date.now() / 1000) + clock,
    drop: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** The storage version that a database carries. */
export const metaOf = (file: string): Record<string, string> => {
  const database = new DatabaseSync(file)
  const rows = database.prepare("SELECT k, v FROM meta WHERE k LIKE 'version%'").all() as { k: string; v: string }[]
  database.close()
  return Object.fromEntries(rows.map(({ k, v }) => [k, v]))
}

type Named = { id: string; secret: string }

/** `origin`: of the server that runs; `now`: its clock, in seconds. */
export const peopleOf = (story: OldStory, origin: string, now: () => number) => {
  const token = (form: Record<string, string>, { id, secret }: Named): Promise<Answer> =>
    call(`${origin}/token`, { form, basic: { id, secret } })
  /** A call with the PAT of then. */
  const service = (path: string, options: Call = {}): Promise<Answer> => call(`${origin}${path}`, { bearer: story.service.pat, ...options })
  const introspect = async (rpt: unknown): Promise<Json> => (await service('/introspect', { form: { token: String(rpt) } })).json
  const ticket = async (resource_id: string): Promise<string> =>
    String(expectStatus(await service('/uma/permission', { json: { resource_id, resource_scopes: ['view'] } }), 201, 'ticket').json.ticket)
  /** The app presents a ticket, with what else it holds. */
  const redeem = (text: string, more: Record<string, string> = {}): Promise<Answer> =>
    token({ grant_type: UMA_TICKET, ticket: text, ...more }, story.app)
  /** With the guest's credential. */
  const push = async (text: string): Promise<Answer> => {
    const { sdJwt, key, jwk } = story.credential
    const proof = { sdJwt, jwk, privateKey: (await importJWK(key, 'ES256')) as CryptoKey, issuer: story.origin }
    return redeem(text, { claim_token: await presentFor(proof, text, { iat: now() }), claim_token_format: 'dc+sd-jwt' })
  }
  const wallet = async (path: string, options: { method?: string; json?: Json } = {}): Promise<Answer> => {
    const { d: _, ...jwk } = story.wallet.key as JWK & { d?: string }
    const privateKey = (await importJWK(story.wallet.key, 'ES256')) as CryptoKey
    const key: DpopKey = { privateKey, jwk, jkt: await calculateJwkThumbprint(jwk), now }
    const method = options.method ?? (options.json === undefined ? 'GET' : 'POST')
    // The proof names the address without what is asked in it (RFC 9449 4.2).
    const dpop = await dpopProof(key, method, `${story.origin}${path.split('?')[0]}`, story.wallet.token)
    return call(`${origin}${path}`, { ...options, method, headers: { authorization: `DPoP ${story.wallet.token}`, dpop } })
  }
  /** What a browser sends, and with `form` a page's own form. */
  const browse = (cookies: Record<string, string>, path: string, form?: Record<string, string>): Promise<Answer> =>
    call(`${origin}${path}`, {
      ...(form && { form }),
      headers: {
        accept: 'text/html',
        'sec-fetch-site': 'same-origin',
        cookie: Object.entries(cookies)
          .map(([name, value]) => `${name}=${value}`)
          .join('; '),
      },
    })
  return { token, service, introspect, ticket, redeem, push, wallet, browse }
}
