// The discovery document (UMA Grant 2, UMA FedAuthz 2, RFC 8414): where it is, what it says, and that what it names is there.
import { good, must, should } from '../lib/case.ts'
import { isJson, ok, same, status } from '../lib/check.ts'
import { UMA_TICKET, type World } from '../lib/world.ts'

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

const urlOf = (w: World, name: string): URL => {
  const url = URL.parse(String(w.metadata[name]))
  if (url === null) throw new Error(`${name} is no absolute URI: ${w.metadata[name]}`)
  return url
}

const endpointsOf = (w: World): string[] => Object.keys(w.metadata).filter((name) => name.endsWith('_endpoint'))

const texts = (value: unknown): string[] => (Array.isArray(value) ? (value as string[]) : [])

export const discovery = [
  must('UMA Grant 2: the discovery document is at <issuer>/.well-known/uma2-configuration', 'G-3 G-4 G-8', async (w) => {
    const answer = await w.http.call(`${w.issuer}/.well-known/uma2-configuration`)
    isJson(status(answer, 200, 'discovery'), 'discovery')
  }),
  must('RFC 8414 3.3: issuer is exactly the URL that the document was found under', 'G-4 O-40', async (w) => {
    same(w.metadata.issuer, w.issuer, 'issuer')
    ok(!/[?#]/.test(w.issuer), 'the issuer has a query or a fragment')
  }),
  good('RFC 8414 3: the same document is at the place of OAuth', 'G-4 O-40', async (w) => {
    const { origin, pathname } = new URL(w.issuer)
    const answer = await w.http.call(`${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`)
    same(status(answer, 200, 'RFC 8414 discovery').json, w.metadata, 'the document')
  }),
  must('UMA FedAuthz 2: permission and resource registration endpoint are declared', 'F-9 F-11 F-58', async (w) => {
    for (const name of ['permission_endpoint', 'resource_registration_endpoint']) urlOf(w, name)
  }),
  must('UMA FedAuthz 2: the introspection endpoint is declared', 'F-11 F-41', async (w) => void urlOf(w, 'introspection_endpoint')),
  must('RFC 8414 2: token endpoint and supported response types are declared', 'G-3 G-9 O-40', async (w) => {
    urlOf(w, 'token_endpoint')
    ok(Array.isArray(w.metadata.response_types_supported), 'response_types_supported is missing')
  }),
  must('UMA Grant 2: the uma-ticket grant is among the supported grant types', 'G-9 G-21', async (w) => {
    ok(texts(w.metadata.grant_types_supported).includes(UMA_TICKET), `grant_types_supported lacks ${UMA_TICKET}`)
  }),
  must(
    'UMA Grant 2: claims_interaction_endpoint is an absolute URI without fragment',
    'G-5',
    async (w) => same(urlOf(w, 'claims_interaction_endpoint').hash, '', 'fragment'),
    ['interactive'],
  ),
  must('UMA Grant 2: uma_profiles_supported, if it is there, is an array of URIs', 'G-6 G-68', async (w) => {
    const profiles = w.metadata.uma_profiles_supported
    ok(profiles === undefined || texts(profiles).every((one) => URL.canParse(one)), 'uma_profiles_supported holds something else')
    ok(profiles === undefined || Array.isArray(profiles), 'uma_profiles_supported is no array')
  }),
  should(
    'UMA Grant 3.3.1: formats of claim tokens are documented in the discovery document',
    'G-28',
    async (w) => {
      const documented = [...texts(w.metadata.claim_token_profiles_supported), ...texts(w.metadata.uma_profiles_supported)]
      ok(documented.length > 0, 'neither claim_token_profiles_supported nor uma_profiles_supported says anything')
    },
    ['pushedClaims'],
  ),
  must('UMA FedAuthz 1.3: every endpoint is https, or on loopback', 'F-1 G-70', async (w) => {
    for (const name of endpointsOf(w)) {
      const { protocol, hostname } = urlOf(w, name)
      ok(protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname)), `${name} is ${w.metadata[name]}`)
    }
  }),
  must('RFC 8414 2: arrays without elements are left out', 'G-9 O-40', async (w) => {
    const empty = Object.entries(w.metadata).filter(([, value]) => Array.isArray(value) && value.length === 0)
    same(empty, [], 'empty arrays')
  }),
  good('RFC 8414 2: what is advertised is there', 'G-9', async (w) => {
    for (const name of [...endpointsOf(w), 'jwks_uri']) {
      if (w.metadata[name] === undefined) continue
      const { status: got } = await w.http.call(urlOf(w, name).href)
      ok(got !== 404 && got < 500, `${name} answers ${got}`)
    }
  }),
  must('RFC 7517 9.2: the published keys are public', 'TK-17', async (w) => {
    const { json } = status(await w.http.call(urlOf(w, 'jwks_uri').href), 200, 'jwks')
    const keys = json.keys as Record<string, unknown>[]
    ok(Array.isArray(keys) && keys.length > 0, 'no keys')
    for (const key of keys)
      for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) ok(key[name] === undefined, `a key publishes "${name}"`)
  }),
  must(
    'RFC 9700 2.1.1: PKCE by S256 is advertised, plain is not',
    'O-15 AZ-07',
    async (w) => {
      const methods = texts(w.metadata.code_challenge_methods_supported)
      ok(methods.includes('S256') && !methods.includes('plain'), `code_challenge_methods_supported is ${methods.join(' ')}`)
    },
    ['authorizationCode'],
  ),
  must(
    'RFC 9207 3: iss in authorization responses is advertised',
    'O-41 AZ-10',
    async (w) => same(w.metadata.authorization_response_iss_parameter_supported, true, 'authorization_response_iss_parameter_supported'),
    ['responseIssuer', 'authorizationCode'],
  ),
  should('RFC 8414 2: the scope of the protection API is advertised', 'F-3 G-9', async (w) =>
    ok(texts(w.metadata.scopes_supported).includes('uma_protection'), 'scopes_supported lacks uma_protection'),
  ),
  good('RFC 8414 2: only what is offered is advertised', 'G-9', async (w) => {
    const named: Partial<Record<keyof typeof w.features, string>> = {
      registration: 'registration_endpoint',
      revocation: 'revocation_endpoint',
      par: 'pushed_authorization_request_endpoint',
      interactive: 'claims_interaction_endpoint',
      dpop: 'dpop_signing_alg_values_supported',
      introspectionJwt: 'introspection_signing_alg_values_supported',
    }
    for (const [feature, name] of Object.entries(named)) {
      same(w.metadata[name] !== undefined, w.offers(feature as keyof typeof w.features), `${name} is there`)
    }
  }),
]
