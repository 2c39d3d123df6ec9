// HTTP as all endpoints speak it: origins, hosts, paths, sizes; nothing is fetched, nothing fails (RFC 9110, RFC 9700, TESTS HT).
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { good, must, should } from '../lib/case.ts'
import { notGranted, ok, same, status } from '../lib/check.ts'
import { basicAuth } from '../lib/http.ts'
import { rawCall } from '../lib/raw.ts'
import { UMA_TICKET, type World } from '../lib/world.ts'

const EVIL = 'https://evil.example'
const FORM = 'application/x-www-form-urlencoded'

/** Endpoints that programs of any origin call. */
const OPEN = [
  'token_endpoint',
  'permission_endpoint',
  'resource_registration_endpoint',
  'introspection_endpoint',
  'registration_endpoint',
  'revocation_endpoint',
]

/** Runs `body` while somebody listens on this machine; answers how often he was called. */
const listening = async (body: (url: string) => Promise<void>): Promise<number> => {
  let hits = 0
  const canary = createServer((_request, response) => {
    hits++
    response.end('{}')
  })
  await new Promise<void>((done) => canary.listen(0, '127.0.0.1', done))
  try {
    await body(`http://127.0.0.1:${(canary.address() as AddressInfo).port}`)
  } finally {
    canary.close()
  }
  return hits
}

const tokenRequest = async (w: World, more: Record<string, string>) => {
  const { client } = await w.app()
  const form = { grant_type: UMA_TICKET, ticket: 'x', ...more }
  return w.http.call(w.endpoint('token_endpoint'), { form, basic: { id: client.id, secret: client.secret ?? '' } })
}

export const http = [
  must('RFC 8414 2: a foreign Host or Forwarded header changes no address that the server gives', 'HT-10 G-4', async (w) => {
    const { origin, pathname } = new URL(w.issuer)
    const path = `${pathname.replace(/\/$/, '')}/.well-known/uma2-configuration`
    for (const headers of [
      { host: 'evil.example' },
      { 'x-forwarded-host': 'evil.example' },
      { 'x-forwarded-proto': 'gopher', 'x-original-host': 'evil.example' },
      { forwarded: 'host=evil.example;proto=http' },
    ] as Record<string, string>[])
      ok(!(await rawCall(origin, { path, headers })).text.includes('evil.example'), `${Object.keys(headers)[0]} stands in the document`)
  }),
  should(
    'UMA Grant 2: discovery can be read from any origin, without credentials',
    'HT-08 O-15',
    async (w) => {
      const { headers } = await w.http.call(`${w.issuer}/.well-known/uma2-configuration`, { headers: { origin: EVIL } })
      same(headers.get('access-control-allow-origin'), '*', 'Access-Control-Allow-Origin')
      same(headers.get('access-control-allow-credentials'), null, 'Access-Control-Allow-Credentials')
    },
    ['cors'],
  ),
  good(
    'RFC 9700 2.6: endpoints for programs answer any origin without credentials, errors too',
    'HT-08 O-15',
    async (w) => {
      for (const name of OPEN.filter((one) => w.metadata[one] !== undefined)) {
        const headers = { origin: EVIL, authorization: 'Bearer a.eyJhdWQiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.x' }
        const answer = await w.http.call(w.endpoint(name), { method: 'POST', headers })
        same(answer.headers.get('access-control-allow-origin'), '*', name)
        same(answer.headers.get('access-control-allow-credentials'), null, `${name}: credentials`)
        const asked = {
          origin: EVIL,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,dpop',
        }
        const preflight = await w.http.call(w.endpoint(name), { method: 'OPTIONS', headers: asked })
        status(preflight, [200, 204], `${name}: preflight`)
        ok(/authorization/i.test(preflight.headers.get('access-control-allow-headers') ?? ''), `${name}: preflight allows no Authorization`)
      }
    },
    ['cors'],
  ),
  must(
    'RFC 9700 2.6: scripts of other origins cannot read the claims interaction endpoint',
    'HT-08 O-15',
    async (w) => {
      const { headers } = await w.http.call(`${w.endpoint('claims_interaction_endpoint')}?client_id=x&ticket=x`, {
        headers: { origin: EVIL },
      })
      same(headers.get('access-control-allow-origin'), null, 'Access-Control-Allow-Origin')
    },
    ['interactive'],
  ),
  must('RFC 9110 4.2.3: other spellings of a path are that path, or nothing', 'HT-06', async (w) => {
    const { origin, pathname } = new URL(w.endpoint('resource_registration_endpoint'))
    const spellings = [
      `/${pathname}`,
      `${pathname};x=1`,
      `${pathname.replace(/^(.)(.)/, (_all, slash: string, letter: string) => `${slash}%${letter.charCodeAt(0).toString(16)}`)}`,
      `/x/..${pathname}`,
      `${pathname}/../${pathname.split('/').at(-1)}`,
      `${pathname}/.`,
      `${pathname}%2f`,
      pathname.toUpperCase(),
    ]
    for (const path of spellings) {
      const answer = await rawCall(origin, { path })
      ok([301, 307, 308, 400, 401, 404, 405].includes(answer.status), `${path} answers ${answer.status}`)
    }
  }),
  must('RFC 9110 15.5: nothing that a stranger sends is answered with 5xx', 'HT-02 HT-03', async (w) => {
    const urls = Object.keys(w.metadata)
      .filter((name) => name.endsWith('_endpoint'))
      .map((name) => w.endpoint(name))
    for (const url of urls) {
      for (const type of [
        FORM,
        'application/json',
        'text/plain',
        'multipart/form-data; boundary=x',
        'application/json; charset=utf-16',
        '',
      ]) {
        for (const body of ['', '{', '\u0000', 'a=%ZZ&b=%', '[]', '"x"', '{"__proto__":{"x":1}}']) {
          const answer = await w.http.call(url, { method: 'POST', body, headers: { 'content-type': type } })
          ok(answer.status < 500, `POST ${url} as ${type || 'nothing'} with ${JSON.stringify(body)} answers ${answer.status}`)
          ok(!/\n\s+at .*:\d+:\d+/.test(answer.text), `POST ${url}: a stack is told`)
        }
      }
    }
  }),
  must('RFC 9110 15.5.14: what is far too large is refused soon', 'HT-03', async (w) => {
    const begin = performance.now()
    notGranted(await tokenRequest(w, { scope: 'x '.repeat(25_000) }), 'scope of 50 kB')
    notGranted(await tokenRequest(w, { ticket: 'x'.repeat(1_000_000) }), 'ticket of 1 MB')
    notGranted(await tokenRequest(w, { claim_token: 'x'.repeat(200_000), claim_token_format: 'x' }), 'claim token of 200 kB')
    ok(performance.now() - begin < 10_000, 'refusing took more than ten seconds')
  }),
  must('RFC 9110 15.5.14: a body without length, or of 20 MB, does no harm', 'HT-03', async (w) => {
    const { client } = await w.app()
    const { origin, pathname } = new URL(w.endpoint('token_endpoint'))
    const headers = { authorization: basicAuth(client.id, client.secret ?? ''), 'content-type': FORM }
    for (const size of [300_000, 20_000_000]) {
      const body = `grant_type=${encodeURIComponent(UMA_TICKET)}&ticket=${'x'.repeat(size)}`
      const answer = await rawCall(origin, { method: 'POST', path: pathname, headers, body, chunked: true })
      ok(answer.status < 500 && answer.status !== 200, `${size} characters: ${answer.status}`)
    }
    status(await w.http.call(`${w.issuer}/.well-known/uma2-configuration`), 200, 'the server afterwards')
  }),
  must('UMA FedAuthz 3.1.1: what descriptions name is not fetched', 'F-15 F-16 FA-10 CR-13 I8', async (w) => {
    const rs = await w.rs()
    const hits = await listening(async (url) => {
      const thing = await w.thing([`${url}/scope`, 'view'], { description: { icon_uri: `${url}/icon`, type: `${url}/type` } })
      await rs.call(rs.resourceUrl(thing.id))
      await thing.ticket(['view'])
      for (const icon_uri of ['javascript:alert(1)', `${url}/other`, 'data:text/html,x'])
        status(await rs.create({ resource_scopes: ['view'], icon_uri }), [201, 400], `icon_uri ${icon_uri}`)
    })
    same(hits, 0, 'calls')
  }),
  must(
    'RFC 9700 4.11: what a client registers is not fetched from private addresses',
    'CR-09 CR-11 CR-13 I8',
    async (w) => {
      const hits = await listening(async (url) => {
        const { port } = new URL(url)
        for (const host of ['127.0.0.1', 'localhost', '0x7f000001', '2130706433', '[::ffff:127.0.0.1]', 'localhost.']) {
          const place = `http://${host}:${port}`
          const json = {
            client_name: 'x',
            grant_types: [UMA_TICKET],
            logo_uri: `${place}/logo`,
            jwks_uri: `${place}/jwks`,
            sector_identifier_uri: place,
            request_uris: [place],
          }
          const answer = await w.http.call(w.endpoint('registration_endpoint'), { json })
          ok(answer.status < 500, `status ${answer.status}`)
        }
      })
      same(hits, 0, 'calls')
    },
    ['registration'],
  ),
  must('RFC 9700 4.11: a client_id that is an address leads the server to no private place', 'CR-09 CR-12 I8', async (w) => {
    const hits = await listening(async (url) => {
      const client_id = `${url}/client`
      notGranted(
        await w.http.call(w.endpoint('token_endpoint'), { form: { grant_type: UMA_TICKET, ticket: 'x', client_id } }),
        'token endpoint',
      )
      const at = w.metadata.authorization_endpoint
      if (typeof at === 'string') await w.http.call(`${at}?${new URLSearchParams({ client_id, response_type: 'code' })}`)
    })
    // A client id metadata document is https (draft-ietf-oauth-client-id-metadata-document 2).
    same(hits, 0, 'calls')
  }),
  good('RFC 9110 8.8: answers for programs are not guessed to be something else', 'HT-02', async (w) => {
    const answer = await tokenRequest(w, {})
    same(answer.headers.get('x-content-type-options'), 'nosniff', 'X-Content-Type-Options')
  }),
]
