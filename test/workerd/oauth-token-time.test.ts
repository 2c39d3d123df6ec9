// Tokens and codes with time, and what tokens look like (RFC 6749 4.1.2, DESIGN 7).
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Alice, authorize, connectService, type Registered, registerClient, signIn } from '../support/actors.ts'
import { type Answer, type Call, call, expectStatus } from '../support/http.ts'
import { challenge, expectRefusal } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs, sharedAs } from '../support/server.ts'

const CB = 'https://service.example/cb'
let as: Running
let alice: Alice
let client: Registered
beforeAll(async () => {
  as = await sharedAs()
  alice = await signIn(as)
  client = await registerClient(as, { client_name: 'A shelf', redirect_uris: [CB, `${CB}2`] })
})

const token = (form: Record<string, string>, options: Call = {}, server = as): Promise<Answer> =>
  call(`${server.origin}/token`, { form, ...options })

const basic = (of: Registered) => ({ basic: { id: of.id, secret: of.secret ?? '' } })
type Code = { code: string; verifier: string; form: Record<string, string> }
const newCode = async (
  of = client,
  scope = 'openid uma_protection',
  more: Record<string, string> = {},
  by = alice,
  server = as,
): Promise<Code> => {
  const { params, verifier } = await authorize(server, by, { clientId: of.id, redirectUri: CB, scope, more })
  const code = params.get('code') ?? ''
  return { code, verifier, form: { grant_type: 'authorization_code', code, redirect_uri: CB, code_verifier: verifier } }
}

/** True if the token opens the protection API. */
const isGood = async (pat: unknown, server = as): Promise<boolean> =>
  (await call(`${server.origin}/uma/resource`, { bearer: String(pat) })).status === 200

describe('RFC 6749 4.1.2: time', () => {
  let own: Running
  let by: Alice
  let of: Registered
  beforeAll(async () => {
    own = await ownAs()
    by = await signIn(own)
    of = await registerClient(own, { redirect_uris: [CB] })
  })
  afterAll(() => own.stop())
  const code = () => newCode(of, 'openid uma_protection', {}, by, own)

  it('TESTS AZ-15: a code lives for a minute', async () => {
    const [early, late] = [await code(), await code()]
    await own.setClock(57)
    expect((await token(early.form, basic(of), own)).status).toBe(200)
    await own.setClock(61)
    expectRefusal(await token(late.form, basic(of), own), 400, 'invalid_grant')
    await own.setClock(0)
    expect((await token((await code()).form, basic(of), own)).status).toBe(200)
  })

  it('RFC 6749 4.1.2: a code that is used again after it ran out ends its tokens all the same', async () => {
    const { form } = await code()
    const { json } = expectStatus(await token(form, basic(of), own), 200, 'first use')
    await own.setClock(300)
    expectRefusal(await token(form, basic(of), own), 400, 'invalid_grant')
    expect(await isGood(json.access_token, own)).toBe(false)
    await own.setClock(0)
  })

  it('RFC 6749 5.1: an access token lives as long as was said, a refresh token half a year', async () => {
    const { json } = expectStatus(await token((await code()).form, basic(of), own), 200, 'code')
    const refresh = { grant_type: 'refresh_token', refresh_token: String(json.refresh_token) }
    await own.setClock(3590)
    expect(await isGood(json.access_token, own)).toBe(true)
    await own.setClock(3601)
    const at = await call(`${own.origin}/uma/resource`, { bearer: String(json.access_token) })
    expectRefusal(at, 401, 'invalid_token')
    expect(challenge(at)).toBe('Bearer error="invalid_token"')
    await own.setClock(179 * 86_400)
    const again = expectStatus(await token(refresh, basic(of), own), 200, 'refresh').json
    expect(await isGood(again.access_token, own)).toBe(true)
    await own.setClock(181 * 86_400)
    expectRefusal(await token(refresh, basic(of), own), 400, 'invalid_grant')
    await own.setClock(0)
  })
})

describe('DESIGN 7: tokens', () => {
  it('RFC 6749 10.10: no two are alike, and nothing in them tells two of one owner', async () => {
    const service = await connectService(as, await signIn(as))
    const form = { grant_type: 'refresh_token', refresh_token: String(service.tokens.refresh_token) }
    const made = await Promise.all(
      Array.from({ length: 24 }, async () => String((await token(form, basic(service.client))).json.access_token)),
    )
    expect(new Set(made).size).toBe(24)
    expect(new Set(made.map((one) => one.split('.')[1])).size).toBe(24)
    // The slot of the sealing key and the kind come first; after that, no two share eight characters.
    expect(new Set(made.map((one) => one.slice(3, 11))).size).toBe(24)
  })
})
