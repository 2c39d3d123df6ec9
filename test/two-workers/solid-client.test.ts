// @inrupt/solid-client-access-grants (npm), unchanged, against the vault and the server: how a client of the Solid world does UMA. It asks
// without a token, reads two parameters out of the challenge, finds the token endpoint, pushes an access grant (a credential in JSON-LD,
// which this server does not take for a proof), and uses the token as bearer. It knows neither need_info nor a claims page.
import { fetchWithVc, getAccessApiEndpoint, getFile } from '@inrupt/solid-client-access-grants'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, bob, connectWallet, goBack, openClaims, registerApp, share, signIn } from '../support/actors.ts'
import { newestCode, typeAddress } from '../support/claims.ts'
import { ownBoth } from '../support/server.ts'
import type { Both } from '../support/story.ts'
import { challengeOf, openLink, putFile, type Stored, signInAtVault } from '../support/vault-actor.ts'

type Grant = Parameters<typeof fetchWithVc>[1]
type Options = NonNullable<Parameters<typeof fetchWithVc>[2]>

describe('UMA Grant 3: @inrupt/solid-client-access-grants', () => {
  let both: Both
  let stored: Stored
  let app: App
  /** A token of Bob's for this app, which stands for what he has shown before. */
  let pct: string
  let grant: Grant
  beforeAll(async () => {
    both = await ownBoth()
    const alice = await signIn(both.as)
    const owner = await signInAtVault(both, alice)
    const wallet = await connectWallet(both.as, alice)
    app = await registerApp(both.as, 'confidential')
    stored = await putFile(owner, { name: 'a.txt', type: 'text/plain', bytes: Uint8Array.from(new TextEncoder().encode('hello')) })
    const { items } = (await wallet.call('/owner/resources')).json as unknown as { items: { id: string }[] }
    const guest = bob()
    await share(wallet, items[0]?.id ?? '', guest.address)
    const { page } = await openClaims(both.as, guest, app, challengeOf(await openLink(stored.link, app)).ticket ?? '')
    const codePage = await typeAddress(guest, page)
    const done = await guest.browser.submit(codePage, { code: newestCode(both.as, guest.address), skip: 'on' })
    pct = String((await app.token(String((await goBack(guest, app, done)).get('ticket')))).json.pct)
    // As such a grant looks; the library sends it as it is and looks at nothing in it.
    const credential = {
      '@context': ['https://www.w3.org/2018/credentials/v1', 'https://schema.inrupt.com/credentials/v2.jsonld'],
      id: 'https://vc.example/1',
      type: ['VerifiableCredential', 'SolidAccessGrant'],
      issuer: 'https://vc.example',
      issuanceDate: '2026-01-01T00:00:00Z',
      credentialSubject: { id: 'https://alice.example/me', providedConsent: { mode: 'Read', forPersonalData: stored.link } },
      proof: { type: 'Ed25519Signature2020', proofPurpose: 'assertionMethod', proofValue: 'z1' },
    }
    grant = credential as unknown as Grant
  })
  afterAll(() => both.stop())

  type Exchange = { url: string; status: number; body: Record<string, unknown>; form: URLSearchParams }

  /** The session's fetch that the library wants: it says who the client is, and what else the client holds. Keeps what was said. */
  const session = (more: Record<string, string> = {}): { fetch: NonNullable<Options['fetch']>; exchanges: Exchange[] } => {
    const exchanges: Exchange[] = []
    const authenticated = async (input: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> => {
      const form = new URLSearchParams(String(init.body))
      for (const [name, value] of Object.entries(more)) form.set(name, value)
      const headers = new Headers(init.headers)
      headers.set('authorization', `Basic ${btoa(`${app.client.id}:${app.client.secret}`)}`)
      const answer = await fetch(input, { ...init, headers, body: form.toString() })
      const body = (await answer.clone().json()) as Record<string, unknown>
      exchanges.push({ url: String(input), status: answer.status, body, form })
      return answer
    }
    return { fetch: authenticated as NonNullable<Options['fetch']>, exchanges }
  }

  it('UMA Grant 3.2.1, 3.3.1, 3.3.6: it finds the way to the token endpoint; the answer is need_info, which it cannot follow', async () => {
    const { fetch: authenticated, exchanges } = session()
    await expect(fetchWithVc(stored.link, grant, { fetch: authenticated })).rejects.toThrow('No access token was returned')
    const [exchange, ...rest] = exchanges
    expect([exchange?.url, exchange?.status, rest]).toEqual([`${both.as.origin}/token`, 403, []])
    expect(exchange?.form.get('claim_token_format')).toBe('https://www.w3.org/TR/vc-data-model/#json-ld')
    expect(exchange?.body).toMatchObject({
      error: 'need_info',
      required_claims: [{ name: 'email' }],
      redirect_user: `${both.as.origin}/uma/claims`,
    })
    // Nothing was spoilt by a proof of another world: the process goes on with the new ticket.
    expect((await app.token(String(exchange?.body.ticket), { pct })).status).toBe(200)
  })

  it('UMA Grant 3.3.1, 3.3.5, 3.4: a client that has a PCT beside it gets a bearer token, and the file', async () => {
    const fresh = await app.token(challengeOf(await openLink(stored.link, app)).ticket ?? '', { pct })
    const opener = session({ pct: String(fresh.json.pct) })
    const open = await fetchWithVc(stored.link, grant, { fetch: opener.fetch })
    expect(await (await open(stored.link)).text()).toBe('hello')
    expect(opener.exchanges.map(({ status, body }) => [status, body.token_type, body.resource_server])).toEqual([
      [200, 'Bearer', both.vault.origin],
    ])
    const again = session({ pct: String(opener.exchanges[0]?.body.pct) })
    expect(await (await getFile(stored.link, grant, { fetch: again.fetch })).text()).toBe('hello')
  })

  it('UMA Grant 3.2.1: the header is read with its grammar too: UMA stands first; of credentials nothing is said', async () => {
    await expect(getAccessApiEndpoint(stored.link)).rejects.toThrow('No access issuer listed for property [verifiable_credential_issuer]')
  })
})
