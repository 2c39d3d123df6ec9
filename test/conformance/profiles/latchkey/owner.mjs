// An owner at Latchkey over HTTP: signs in with a mailed code, says yes on the consent page, shares through the owner API as a wallet does.
// Resource servers and the wallet register themselves (RFC 7591).
import { newDpopKey, random, sha256 } from '../../lib/http.ts'

/** @import { Adapter, Authorization, Client, Ended, Environment, Json, OwnerName, Pat, Policy, PolicyWanted } from '../../contract.ts' */
/** @import { Browser, Page } from '../../lib/browser.ts' */
/** @import { Answer, DpopKey } from '../../lib/http.ts' */
/** @typedef {{ to: (address: string) => Promise<{ text: string }[]>, code: (address: string, seen: number) => Promise<string>, turns: Map<string, Promise<unknown>> }} Mailbox */
/** @typedef {{ name: OwnerName, browser: Browser, address: string }} Owner */
/** @typedef {{ key: DpopKey, token: string }} Wallet */

/** @type {(answer: Answer, status: number, what: string) => Json} */
export const expected = (answer, status, what) => {
  if (answer.status !== status) throw new Error(`${what}: ${answer.status} instead of ${status}: ${answer.text.slice(0, 400)}`)
  return answer.json
}

/** @typedef {(mailbox: Mailbox, browser: Browser, page: Page, address: string, until?: (url: string) => boolean, more?: Record<string, string>) => Promise<Page>} Prove */

/** @type {Prove} */
const typeCode = async (mailbox, browser, page, address, until, more = {}) => {
  const seen = (await mailbox.to(address)).length
  const codePage = await browser.submit(page, { address })
  return browser.submit(codePage, { code: await mailbox.code(address, seen), ...more }, until)
}

/** Types an address, reads the mail, types the code; `more` is what else is filled in beside the code. One after the other for one address:
 * a code belongs to the page that asked for it. @type {Prove} */
export const proveAddress = (mailbox, browser, page, address, until, more) => {
  const before = mailbox.turns.get(address) ?? Promise.resolve()
  const turn = before.catch(() => undefined).then(() => typeCode(mailbox, browser, page, address, until, more))
  mailbox.turns.set(address, turn)
  return turn
}

/** @type {(environment: Environment, mailbox: Mailbox, name: OwnerName) => Promise<Owner>} */
const signIn = async (environment, mailbox, name) => {
  const browser = environment.newBrowser()
  const address = `${name}.${random(5)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, 'x')}@example.net`
  const page = await proveAddress(mailbox, browser, await browser.open(`${environment.issuer}/sign-in`), address)
  if (page.status !== 200) throw new Error(`signing in ended with ${page.status} at ${page.url}`)
  return { name, browser, address }
}

const PLACE = { first: 'https://gallery.example', second: 'https://archive.example' }

/**
 * The owner's side of the adapter.
 * @param {Environment} environment
 * @param {Mailbox} mailbox
 */
export const makeOwners = (environment, mailbox) => {
  const { issuer, metadata, http } = environment
  const token = String(metadata.token_endpoint)
  /** @type {Map<string, Promise<unknown>>} */
  const kept = new Map()
  /** @template T @param {string} key @param {() => Promise<T>} make @returns {Promise<T>} */
  const once = (key, make) => {
    const found = kept.get(key) ?? make()
    kept.set(key, found)
    return /** @type {Promise<T>} */ (found)
  }

  /** @type {(name: OwnerName) => Promise<Owner>} */
  const owner = (name) => once(`owner ${name}`, () => signIn(environment, mailbox, name))

  /** @type {(metadata: Json) => Promise<Client>} */
  const register = async (wanted) => {
    const json = expected(await http.call(String(metadata.registration_endpoint), { json: wanted }), 201, 'registration')
    return { id: String(json.client_id), ...(json.client_secret !== undefined && { secret: String(json.client_secret) }), metadata: json }
  }

  /** @type {(authorization: Authorization) => Promise<Ended>} */
  const authorize = async ({ owner: name, url, isBack, decision = 'allow' }) => {
    const { browser } = await owner(name)
    const page = await browser.open(url, isBack)
    if (isBack(page.url)) return { back: new URL(page.url), ...page }
    if (!page.forms.some(({ buttons }) => buttons.includes('decision'))) return page
    const next = await browser.submit(page, { decision }, isBack)
    return {
      ...(isBack(next.url) && { back: new URL(next.url) }),
      ...next,
      text: page.text,
      statuses: [...page.statuses, ...next.statuses],
    }
  }

  /** The authorization code flow; answers the token response.
   * @type {(name: OwnerName, client: Client, redirect: string, scope: string, key?: DpopKey) => Promise<Json>} */
  const connect = async (name, client, redirect, scope, key) => {
    const verifier = random()
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: client.id,
      redirect_uri: redirect,
      scope,
      state: random(8),
      code_challenge: sha256(verifier),
      code_challenge_method: 'S256',
    })
    const { back, status, text } = await authorize({
      owner: name,
      url: `${metadata.authorization_endpoint}?${query}`,
      isBack: (url) => url.startsWith(redirect),
    })
    const code = back?.searchParams.get('code')
    if (!code) throw new Error(`the authorization of ${scope} ended with ${back ?? status} ${text.slice(0, 300)}`)
    const form = { grant_type: 'authorization_code', code, redirect_uri: redirect, code_verifier: verifier }
    const answer = await http.call(token, {
      form: client.secret === undefined ? { ...form, client_id: client.id } : form,
      ...(client.secret !== undefined && { basic: { id: client.id, secret: client.secret } }),
      ...(key && { dpop: key }),
    })
    return expected(answer, 200, `tokens for ${scope}`)
  }

  /** @type {(place: string) => Promise<Client>} */
  const service = (place) =>
    register({
      client_name: `A service at ${place}`,
      client_uri: place,
      redirect_uris: [`${place}/connected`],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
    })

  /** @type {(name: OwnerName, place: string, client: Client) => Promise<Pat>} */
  const pat = async (name, place, client) => {
    const json = await connect(name, client, `${place}/connected`, 'openid uma_protection')
    return {
      token: String(json.access_token),
      ...(json.refresh_token !== undefined && { refreshToken: String(json.refresh_token) }),
      client,
    }
  }

  /** @type {Adapter['protectionToken']} */
  const protectionToken = async ({ owner: name, service: which, fresh = false }) => {
    const place = fresh ? `https://fresh-${Date.now()}.example` : PLACE[which]
    if (fresh) return pat(name, place, await service(place))
    return once(`pat ${name} ${which}`, async () => pat(name, place, await once(`service ${which}`, () => service(place))))
  }

  /** A client that Olga lets get its tokens by itself; the code that says so is traded once. @type {NonNullable<Adapter['organisation']>} */
  const organisation = async () => {
    const place = `https://organisation-${Date.now()}.example`
    const client = await register({
      client_name: 'An organisation',
      client_uri: place,
      redirect_uris: [`${place}/connected`],
      grant_types: ['authorization_code', 'client_credentials'],
      token_endpoint_auth_method: 'client_secret_basic',
    })
    await connect('olga', client, `${place}/connected`, 'uma_protection')
    return client
  }

  /** @type {(name: OwnerName) => Promise<Wallet>} */
  const wallet = (name) =>
    once(`wallet ${name}`, async () => {
      const key = await newDpopKey()
      const redirect = 'https://abcdefghijklmnopabcdefghijklmnop.chromiumapp.org/connected'
      const client = await register({
        client_name: 'A wallet',
        redirect_uris: [redirect],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
        dpop_bound_access_tokens: true,
      })
      return { key, token: String((await connect(name, client, redirect, 'uma_owner', key)).access_token) }
    })

  /** @type {(name: OwnerName, path: string, options?: import('../../lib/http.ts').Call) => Promise<Answer>} */
  const ownerCall = async (name, path, options = {}) => {
    const { key, token: bearer } = await wallet(name)
    return http.call(`${issuer}/owner${path}`, { bearer, dpop: key, ...options })
  }

  /** @type {(wanted: PolicyWanted) => Promise<Policy>} */
  const allow = async ({ owner: name, resource, scopes, person, until }) => {
    const json = {
      resource_id: resource,
      person: { email: person.address },
      resource_scopes: scopes,
      ...(until !== undefined && { until }),
    }
    const { id } = expected(await ownerCall(name, '/policies', { json }), 201, 'sharing')
    return { withdraw: async () => void expected(await ownerCall(name, `/policies/${id}`, { method: 'DELETE' }), 204, 'stop sharing') }
  }

  /** @type {NonNullable<Adapter['disconnect']>} */
  const disconnect = async (name, { client }) => {
    const { items } = /** @type {{ items: { id: string, client_id: string }[] }} */ (
      expected(await ownerCall(name, '/connections'), 200, 'connections')
    )
    const found = items.find((one) => one.client_id === client.id)
    expected(await ownerCall(name, `/connections/${found?.id}`, { method: 'DELETE' }), 204, 'disconnecting')
  }

  /** Lets people ask this owner. @type {(name: OwnerName) => Promise<Json>} */
  const letAsk = (name) =>
    once(`asks ${name}`, async () =>
      expected(await ownerCall(name, '/settings', { method: 'PUT', json: { lets_people_ask: true } }), 200, 'settings'),
    )

  /** @type {NonNullable<Adapter['revokeOnReplay']>} */
  const revokeOnReplay = async (name) => {
    await once(`replays ${name}`, async () =>
      expected(await ownerCall(name, '/settings', { method: 'PUT', json: { revoke_on_replay: true } }), 200, 'settings'),
    )
  }

  /** @type {NonNullable<Adapter['answer']>} */
  const answer = async ({ owner: name, resource, decision, scopes }) => {
    const { items } = /** @type {{ items: { id: string, state: string, permissions: { resource_id: string }[] }[] }} */ (
      expected(await ownerCall(name, '/requests'), 200, 'requests')
    )
    const found = items.find(({ state, permissions }) => state === 'waiting' && permissions.some((one) => one.resource_id === resource))
    const json = decision === 'approve' ? { decision: 'allow', ...(scopes && { resource_scopes: scopes }) } : { decision: 'deny' }
    expected(await ownerCall(name, `/requests/${found?.id}`, { json }), 200, 'answering')
  }

  /** @type {NonNullable<Adapter['emptyPolicy']>} */
  const emptyPolicy = async ({ owner: name, resource, scopes }) => {
    // Whatever of these is not refused would be a policy that demands nothing.
    for (const person of [undefined, null, {}, { email: '' }, { email: '*' }]) {
      await ownerCall(name, '/policies', { json: { resource_id: resource, person, resource_scopes: scopes } })
    }
  }

  /** @type {NonNullable<Adapter['ownerBrowser']>} */
  const ownerBrowser = async (name) => (await owner(name)).browser

  return {
    organisation,
    revokeOnReplay,
    letAsk,
    answer,
    ownerBrowser,
    protectionToken,
    authorize,
    allow,
    disconnect,
    emptyPolicy,
    wallet,
    register,
  }
}
