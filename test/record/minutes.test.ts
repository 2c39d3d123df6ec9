// The minutes of the UMA working group of 24 February 2011, told over HTTP from the first request to the tightened policy: a requester, a host and
// an authorization manager, with a new token at each step and with one token that gains permissions. The numbers are those of SPECS; what
// UMA 2.0 does otherwise stands at the step (SPECS 5, U-1 to U-24).
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findUmaChallenges, formatUmaChallenge } from '../../shared/challenge.ts'
import { type App, type Bob, bob, connectService, goBack, openClaims, registerApp, type Service, UMA_TICKET } from '../support/actors.ts'
import { newestCode, type Stage, stage, typeAddress } from '../support/claims.ts'
import { type Documents, startDocuments } from '../support/documents.ts'
import { type Answer, call, expectStatus, type Json, sha256 } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { newSigningKey, type SigningKey } from '../support/signing-client.ts'

const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const DOZEN = Array.from({ length: 12 }, (_, at) => `claim_${at + 1}`)
const allOf = (names: readonly string[]): Json => Object.fromEntries(names.map((name) => [name, 'yes']))

let as: Running
let documents: Documents
let s: Stage
let otherHost: Service
let key: SigningKey
let issuer: string
let guest: Bob
let clock = 0
const now = (): number => Math.floor(Date.now() / 1000) + clock
const pass = async (seconds: number): Promise<void> => {
  clock += seconds
  await as.setClock(clock)
}

beforeAll(async () => {
  documents = await startDocuments()
  as = await ownAs({ asVars: { DEV_ORIGINS: documents.origin } })
  s = await stage(as)
  otherHost = await connectService(as, s.alice)
  key = await newSigningKey('ES256', 'k1')
  documents.pages.set('/jwks', { keys: [key.jwk] })
  issuer = `${documents.origin}/clinic`
  for (const [iss, claims] of [
    [issuer, DOZEN],
    [`${issuer}/people`, ['roles', 'license', 'country']],
  ] as const) {
    const json = { issuer: iss, jwks_uri: `${documents.origin}/jwks`, formats: [JWT], claims }
    expectStatus(await s.wallet.call('/owner/issuers', { json }), 201, 'issuer')
  }
  // It proves its key by the server's clock.
  Object.assign(s.wallet.key, { now })
  guest = bob()
})
afterAll(async () => {
  await as.stop()
  await documents.stop()
})

/** The host: a thing is looked at if the token permits it, else there is a referral. */
const host = async (id: string, token?: string): Promise<Response> => {
  const rpt = token === undefined ? undefined : await s.service.introspect(token)
  const permissions = (rpt?.permissions ?? []) as { resource_id: string; resource_scopes: string[] }[]
  if (permissions.some((one) => one.resource_id === id && one.resource_scopes.includes('view'))) return new Response('the record')
  const ticket = await s.service.ticket({ resource_id: id, resource_scopes: ['view'] })
  return new Response(null, {
    status: 401,
    headers: { 'www-authenticate': formatUmaChallenge({ realm: 'records', asUri: as.origin, ticket }) },
  })
}
const referralOf = (response: Response): string => findUmaChallenges(response.headers.get('www-authenticate'))[0]?.ticket ?? ''
const says = async (ticket: string, claims: Json, iss = issuer): Promise<Record<string, string>> => ({
  claim_token: await new SignJWT({ iss, aud: as.origin, iat: now(), exp: now() + 120, tkt_hash: sha256(ticket), ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(key.privateKey),
  claim_token_format: JWT,
})
const wants = (answer: Answer): string[] => {
  expectRefusal(answer, 403, 'need_info')
  return (answer.json.required_claims as { name: string }[]).map(({ name }) => name)
}
const nextOf = (answer: Answer): string => String(answer.json.ticket)
const allow = async (id: string, all: Json[], more: Json = {}): Promise<string> => {
  const document = { v: 1, effect: 'permit', target: { resources: [id] }, scopes: ['view'], when: { all }, ...more }
  return String(expectStatus(await s.wallet.call('/owner/rules', { json: document }), 201, 'rule').json.id)
}
const byIssuer = (claim: string, more: Json = { eq: 'yes' }): Json => ({ claim, iss: [issuer], ...more })
const byPeople = (claim: string, more: Json): Json => ({ claim, iss: [`${issuer}/people`], ...more })

describe.each(['new_string', 'same_string'] as const)('WG 2011-02-24: the minutes, with rpt_upgrade %s', (mode) => {
  let app: App
  let first: string
  let second: string
  let third: string
  let referral: string
  let rpt: string
  let pct: string
  /** Sends what the requester has with a referral; takes over what comes. */
  const token = async (ticket: string, more: Record<string, string> = {}): Promise<Answer> => {
    const held = { ...(rpt === undefined ? {} : { rpt }), ...(pct === undefined ? {} : { pct }) }
    const answer = await app.token(ticket, { ...held, ...more })
    if (answer.json.pct !== undefined) pct = String(answer.json.pct)
    return answer
  }
  const granted = (answer: Answer): Json => {
    const { json } = expectStatus(answer, 200, 'RPT')
    rpt = String(json.access_token)
    return json
  }
  const permits = async (who = s.service): Promise<string[]> => {
    const { permissions = [] } = (await who.introspect(rpt)) as { permissions?: { resource_id: string; resource_scopes: string[] }[] }
    return permissions.map((one) => `${one.resource_id} ${one.resource_scopes.join()}`).sort()
  }

  beforeAll(async () => {
    app = await registerApp(as, 'confidential', { grant_types: [UMA_TICKET], rpt_upgrade: mode })
    const register = () => s.service.register({ resource_scopes: ['view', 'edit'] })
    ;[first, second, third] = [await register(), await register(), await register()]
    const isGuest = { claim: 'email', eq: guest.address }
    const license = { seq: [byPeople('roles', { covers: ['doctor'] }), byPeople('license', { eq: 'valid' })] }
    const ward = { seq: [byPeople('roles', { covers: ['nurse'] }), byPeople('country', { eq: 'PT' })] }
    await allow(first, [isGuest, { any: [license, ward] }])
    await allow(second, [
      isGuest,
      ...DOZEN.map((claim) => byIssuer(claim, claim === 'claim_7' ? { eq: 'yes', max_age: 600 } : { eq: 'yes' })),
    ])
  })

  it('WG S1-8: first access: 401 with the endpoint for a token', async () => {
    const response = await host(first)
    expect(response.status).toBe(401)
    const [challenge] = findUmaChallenges(response.headers.get('www-authenticate'))
    expect(challenge?.asUri).toBe(as.origin)
    expect((await call(`${as.origin}/.well-known/uma2-configuration`)).json.token_endpoint).toBe(`${as.origin}/token`)
    referral = challenge?.ticket ?? ''
  })

  it('WG S1-9: it goes to the token endpoint and is correlated there; a token without authorizations is none any more (U-1)', async () => {
    const answer = await token(referral)
    expect(answer.json).not.toHaveProperty('access_token')
    expect(wants(answer)).toContain('email')
    const stranger = await registerApp(as, 'confidential', { grant_types: [UMA_TICKET] })
    expectRefusal(await stranger.token(nextOf(answer)), 400, 'invalid_grant')
  })

  it('WG S1-12: nothing is authorised: refused again, with a referral (U-6)', async () => {
    const response = await host(first, 'a-token-that-permits-nothing')
    expect(response.status).toBe(401)
    referral = referralOf(response)
  })

  it('WG S1-13: the requester has a ticket for what it wants without knowing the taxonomy (U-25)', async () => {
    expect(referral.length).toBeGreaterThan(100)
    for (const told of [referral, atob(referral.replaceAll('-', '+').replaceAll('_', '/'))])
      for (const word of [first, 'view', s.service.client.id]) expect(told).not.toContain(word)
  })

  it('WG S1-15: the manager deduces what is wanted, consults the policies and demands what they want, and nothing else (U-28)', async () => {
    const answer = await token(referral)
    expect(wants(answer).sort()).toEqual(['email', 'roles'])
    referral = nextOf(answer)
  })

  it('WG S1-16: the requester obtains claims out of band, submits them and presents the referral again', async () => {
    const { page } = await openClaims(as, guest, app, referral)
    const codePage = await typeAddress(guest, page)
    const done = await guest.browser.submit(codePage, { code: newestCode(as, guest.address), skip: 'on' })
    const answer = await token(String((await goBack(guest, app, done)).get('ticket')))
    expect(wants(answer)).toEqual(['roles'])
    referral = nextOf(answer)
  })

  it('WG S1-17: the negotiation is iterative; preliminary claims decide whether further ones are wanted (U-23)', async () => {
    const answer = await token(referral, await says(referral, { roles: ['doctor'] }, `${issuer}/people`))
    expect(wants(answer)).toEqual(['license'])
    expect(JSON.stringify(answer.json)).not.toContain('country')
    referral = nextOf(answer)
    granted(await token(referral, await says(referral, { license: 'valid' }, `${issuer}/people`)))
    expect(pct).toBeDefined()
  })

  it('WG S1-10, S1-14: the host verifies by the back channel; it is what the host had registered, and no more', async () => {
    expect((await s.service.introspect(rpt)).active).toBe(true)
    expect(await permits()).toEqual([`${first} view`])
  })

  it('WG S1-11: the host asks for this requester’s scopes, for this host only (U-24)', async () => {
    expect(await permits(otherHost)).toEqual([])
    expect((await otherHost.introspect(rpt)).active).toBe(false)
  })

  it('WG S1-18: back to the host with the access token: 200', async () => {
    expect((await host(first, rpt)).status).toBe(200)
  })

  it('WG S1-3, S1-19: another resource: refused, referral, claims, authorised, and the first one still is (U-21)', async () => {
    const response = await host(second, rpt)
    expect(response.status).toBe(401)
    const asked = await token(referralOf(response))
    expect(wants(asked).sort()).toEqual([...DOZEN].sort())
    const before = rpt
    const answer = granted(await token(nextOf(asked), await says(nextOf(asked), allOf(DOZEN))))
    expect([answer.upgraded, rpt === before]).toEqual([true, mode === 'same_string'])
    expect(await permits()).toEqual([`${first} view`, `${second} view`].sort())
    expect([(await host(first, rpt)).status, (await host(second, rpt)).status]).toEqual([200, 200])
    if (mode === 'new_string') expect((await s.service.introspect(before)).active).toBe(false)
  })

  it('WG S1-20: one of a dozen claims has expired: not authorised the next time (U-20)', async () => {
    await pass(601)
    const response = await host(second, rpt)
    expect(response.status).toBe(401)
    expect((await host(first, rpt)).status).toBe(200)
    referral = referralOf(response)
  })

  it('WG S1-21: only that single claim is required again (U-20)', async () => {
    const before = rpt
    const asked = await token(referral)
    expect(wants(asked)).toEqual(['claim_7'])
    const answer = granted(await token(nextOf(asked), await says(nextOf(asked), { claim_7: 'yes' })))
    expect([answer.upgraded, rpt === before]).toEqual([true, mode === 'same_string'])
    expect([(await host(first, rpt)).status, (await host(second, rpt)).status]).toEqual([200, 200])
    // Without the token nothing of it is known: what issuers said is not remembered for the guest.
    const anew = await app.token(referralOf(await host(second)), { pct })
    expect(wants(anew).sort()).toEqual([...DOZEN].sort())
  })

  it('WG S1-22: the policy is tightened by the user: the next request is not authorised, and only what is new is negotiated (U-22)', async () => {
    const document = {
      v: 1,
      effect: 'require',
      target: { resources: [first, second] },
      scopes: ['view'],
      when: byPeople('country', { eq: 'PT' }),
    }
    expectStatus(await s.wallet.call('/owner/rules', { json: document }), 201, 'rule')
    const response = await host(second, rpt)
    expect([response.status, (await host(first, rpt)).status]).toEqual([401, 401])
    const asked = await token(referralOf(response))
    expect(wants(asked)).toEqual(['country'])
    granted(await token(nextOf(asked), await says(nextOf(asked), { country: 'PT' }, `${issuer}/people`)))
    expect([(await host(first, rpt)).status, (await host(second, rpt)).status]).toEqual([200, 200])
    expect(await permits()).toEqual([`${first} view`, `${second} view`].sort())
  })

  it('SPECS U-20: what was shown comes along for the same guest, app and host only', async () => {
    await allow(third, [{ claim: 'email', eq: guest.address }, byIssuer('claim_1')])
    const without = async (more: Record<string, string>): Promise<string[]> => wants(await app.token(referralOf(await host(third)), more))
    expect(await without({ rpt })).toEqual(['claim_1', 'email'])
    expect(await without({ pct })).toEqual(['claim_1'])
    const other = await registerApp(as, 'confidential', { grant_types: [UMA_TICKET] })
    expect(wants(await other.token(referralOf(await host(third)), { rpt }))).toEqual(['claim_1', 'email'])
    const elsewhere = await otherHost.register({ resource_scopes: ['view'] })
    await allow(elsewhere, [{ claim: 'email', eq: guest.address }, byIssuer('claim_1')])
    expect(wants(await app.token(await otherHost.ticket({ resource_id: elsewhere, resource_scopes: ['view'] }), { rpt, pct }))).toEqual([
      'claim_1',
    ])
    granted(await token(referralOf(await host(third))))
    expect((await host(third, rpt)).status).toBe(200)
  })
})
