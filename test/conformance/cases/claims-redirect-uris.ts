// Claims redirect URIs are compared letter by letter (UMA Grant 3.3.2, RFC 3986 6.2.1): one case for each way of being nearly right.
import type { Case } from '../lib/case.ts'
import { must } from '../lib/case.ts'
import { stayed, visit } from '../lib/visit.ts'
import { CLAIMS_REDIRECT } from '../lib/world.ts'

/** Addresses that are nearly the registered one, https://app.example/claims. */
const NEARLY: readonly (readonly [string, string])[] = [
  ['another host', 'https://evil.example/claims'],
  ['a slash at the end', `${CLAIMS_REDIRECT}/`],
  ['a longer path', `${CLAIMS_REDIRECT}/more`],
  ['a longer word', `${CLAIMS_REDIRECT}x`],
  ['a shorter path', 'https://app.example/'],
  ['another case of the path', 'https://app.example/Claims'],
  ['another case of the host', 'https://APP.example/claims'],
  ['an added query', `${CLAIMS_REDIRECT}?x=1`],
  ['an added fragment', `${CLAIMS_REDIRECT}#x`],
  ['the default port', 'https://app.example:443/claims'],
  ['another port', 'https://app.example:8443/claims'],
  ['http', 'http://app.example/claims'],
  ['a user name', 'https://app.example@evil.example/claims'],
  ['a host that begins alike', 'https://app.example.evil.example/claims'],
  ['a path that climbs', 'https://app.example/x/../claims'],
  ['an encoded letter', 'https://app.example/%63laims'],
  ['a backslash', 'https://evil.example\\@app.example/claims'],
  ['a relative reference', '/claims'],
  ['another scheme', 'javascript:alert(1)//app.example/claims'],
]

export const claimsRedirectUris = NEARLY.map(
  ([what, uri]): Case =>
    must(
      `UMA Grant 3.3.2: a claims redirect URI with ${what} is not the registered one`,
      'G-31 G-32 G-38 G-73 CI-01 I7',
      async (w) => stayed(await visit(w, { query: { claims_redirect_uri: uri } }), what),
      ['interactive'],
    ),
)
