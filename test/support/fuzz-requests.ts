// Requests for fuzzing, one for each operation of the API document: right in most parts, wrong in some. What is wrong follows the seed.
import fc, { type Arbitrary } from 'fast-check'
import type { Operation, Parameter } from '../../worker/openapi/operation.ts'
import { fitting, type Live, nastyText, spoiled, type Value } from './fuzz-values.ts'
import { type DpopKey, dpopProof } from './http.ts'

/** Who can be somebody to the server: tokens and clients that stay good for the whole run. */
export type Parties = {
  origin: string
  pat: string
  wallet: { token: string; key: DpopKey }
  confidential: { id: string; secret: string }
  publicClient: { id: string; key: DpopKey }
  /** Client id -> registration access token, of clients that nobody needs. */
  registrations: ReadonlyMap<string, string>
  /** Cookies of an owner who is signed in, and what her pages' forms and scripts send along. */
  session: { cookie: string; csrf: string }
  live: Live
}

export type Sent = {
  operation: Operation
  method: string
  url: string
  headers: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
}
export type Plan = { operation: Operation; make: (parties: Parties) => Promise<Sent> }

type Auth = 'right' | 'none' | 'foreign' | 'garbage' | 'no-proof' | 'bad-proof'
const auth: Arbitrary<Auth> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Auth>('right') },
  { weight: 2, arbitrary: fc.constantFrom<Auth>('none', 'foreign', 'garbage', 'no-proof', 'bad-proof') },
)
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'HEAD', 'OPTIONS']

/** What fetch lets into a header. */
const headerText = nastyText.map((text) =>
  text
    .replace(/[^\x20-\x7e\xa0-\xff]/g, '')
    .trim()
    .slice(0, 2000),
)

/** The pool that `{id}` and `{sid}` of a path come from. */
const POOLS: readonly (readonly [string, string])[] = [
  ['/register/', 'registered'],
  ['/owner/connections/', 'connection'],
  ['/owner/policies/', 'policy'],
  ['/owner/rules/', 'rule'],
  ['/owner/groups/', 'group'],
  ['/owner/people/', 'person_id'],
]
const poolOf = (path: string, name: string): string =>
  POOLS.find(([begin]) => path.startsWith(begin))?.[1] ?? (name === 'id' ? 'resource_id' : name)

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
const escaped = (text: string): string => encodeURIComponent(text.toWellFormed())

type Asked = { path: string; query: readonly (readonly [string, string])[]; headers: Record<string, string> }

/** A value for a parameter: a fitting one, mostly. */
const parameterValue = (operation: Operation, parameter: Parameter): Arbitrary<Value> =>
  fc.oneof(
    { weight: 5, arbitrary: fitting(parameter.schema, parameter.in === 'path' ? poolOf(operation.path, parameter.name) : parameter.name) },
    { weight: 1, arbitrary: (parameter.in === 'header' ? headerText : nastyText).map((text) => () => text) },
  )

function askedFor(operation: Operation): Arbitrary<(live: Live) => Asked> {
  const parameters = operation.parameters ?? []
  return fc
    .tuple(
      fc.tuple(...parameters.map((parameter) => parameterValue(operation, parameter))),
      fc.array(fc.nat(5), { minLength: parameters.length, maxLength: parameters.length }),
      fc.nat(20),
    )
    .map(([values, dice, twice]) => (live: Live) => {
      let path = operation.path
      const query: [string, string][] = []
      const headers: Record<string, string> = {}
      parameters.forEach((parameter, i) => {
        const text = textOf(values[i]?.(live))
        // `.` and `..` would make another path of it, nothing another operation.
        if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, escaped(/^(\.{1,2})?$/.test(text) ? '~' : text))
        else if (parameter.required !== true && dice[i] !== 0) return
        else if (parameter.in === 'query') query.push([parameter.name, text])
        else if (parameter.name !== 'DPoP') headers[parameter.name] = text.replace(/[^\x20-\x7e]/g, '').trim()
      })
      const first = query[0]
      return { path, query: first !== undefined && twice === 0 ? [...query, first] : query, headers }
    })
}

/** An example with ids of this server in place of `<id>`. */
const filledIn = (example: unknown, live: Live, pick: number): unknown => {
  const known = live.get('resource_id') ?? []
  const id = known[pick % Math.max(1, known.length)] ?? 'none'
  return JSON.parse(JSON.stringify(example).replaceAll('<id>', id))
}

type Body = { type: string; content: string | Uint8Array<ArrayBuffer> } | undefined

function bodyFor(operation: Operation): Arbitrary<(live: Live) => Body> {
  const { body } = operation
  if (body === undefined) return fc.constant(() => undefined)
  const right = fitting(body.schema)
  const value = fc.oneof(
    { weight: 3, arbitrary: right },
    { weight: 2, arbitrary: spoiled(right) },
    // What the document itself gives as an example: it must do what it says.
    ...(body.example === undefined
      ? []
      : [
          {
            weight: 1,
            arbitrary: fc.nat().map(
              (pick): Value =>
                (live) =>
                  filledIn(body.example, live, pick),
            ),
          },
        ]),
  )
  const usual = body.type === 'form' ? 'application/x-www-form-urlencoded' : 'application/json'
  const type = fc.oneof(
    { weight: 20, arbitrary: fc.constant(usual) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'application/json',
        'application/x-www-form-urlencoded',
        'text/plain',
        'application/json; charset=utf-16',
        'multipart/form-data',
      ),
    },
    { weight: 1, arbitrary: headerText },
  )
  const raw = fc.oneof(
    { weight: 25, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: nastyText.map((text): string | Uint8Array<ArrayBuffer> => text) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes): string | Uint8Array<ArrayBuffer> => new Uint8Array(bytes)) },
    { weight: 1, arbitrary: fc.constantFrom('['.repeat(20_000), `{"a":"${'x'.repeat(70_000)}"}`, `a=${'x'.repeat(70_000)}`) },
  )
  return fc.tuple(value, type, raw, fc.nat(30)).map(([make, contentType, other, twice]) => (live: Live) => {
    if (other !== undefined) return { type: contentType, content: other }
    const made = make(live)
    if (body.type === 'json') return { type: contentType, content: JSON.stringify(made) ?? 'undefined' }
    const fields = typeof made === 'object' && made !== null ? Object.entries(made) : [['x', made] as const]
    const pairs = fields.map(([name, one]): [string, string] => [name, textOf(one)])
    const first = pairs[0]
    return { type: contentType, content: String(new URLSearchParams(first !== undefined && twice === 0 ? [...pairs, first] : pairs)) }
  })
}

/** Credentials for an operation: headers, and for clients also fields of the form. */
async function credentials(operation: Operation, how: Auth, method: string, url: string, parties: Parties, path: string) {
  const { pat, wallet, confidential, publicClient, registrations } = parties
  const headers: Record<string, string> = {}
  const fields: Record<string, string> = {}
  const proof = async (key: DpopKey, token?: string): Promise<string> =>
    how === 'bad-proof' ? `${(await dpopProof(key, 'TRACE', url, token)).slice(0, -4)}AAAA` : dpopProof(key, method, url, token)
  if (how === 'none') return { headers, fields }
  if (how === 'garbage') return { headers: { authorization: 'Bearer ~~not.a.token~~', dpop: 'e30.e30.e30' }, fields }
  const isForeign = how === 'foreign'
  switch (operation.access) {
    case 'protection':
      headers.authorization = `Bearer ${isForeign ? wallet.token : pat}`
      break
    case 'owner':
    case 'credential':
      headers.authorization = `DPoP ${isForeign ? pat : wallet.token}`
      if (how !== 'no-proof') headers.dpop = await proof(wallet.key, wallet.token)
      break
    case 'registration': {
      const id = decodeURIComponent(path.split('/').at(-1) ?? '')
      headers.authorization = `Bearer ${isForeign ? pat : (registrations.get(id) ?? 'A'.repeat(43))}`
      break
    }
    case 'client':
      if (isForeign) headers.authorization = `Basic ${btoa(`${publicClient.id}:${confidential.secret}`)}`
      else if (how === 'right') headers.authorization = `Basic ${btoa(`${confidential.id}:${confidential.secret}`)}`
      else {
        fields.client_id = publicClient.id
        if (how === 'bad-proof') headers.dpop = await proof(publicClient.key)
        else headers.dpop = await dpopProof(publicClient.key, method, url)
      }
      break
    case 'session':
      headers.origin = isForeign ? 'https://evil.example' : parties.origin
      // Signing out would leave nobody for the rest.
      if (how === 'right' && operation.id !== 'signOut') {
        headers.cookie = parties.session.cookie
        headers['x-csrf'] = parties.session.csrf
      }
      break
    case 'anyone':
      break
  }
  return { headers, fields }
}

/** One request for this operation. */
export const planFor = (operation: Operation): Arbitrary<Plan> =>
  fc
    .tuple(
      askedFor(operation),
      bodyFor(operation),
      auth,
      fc.oneof({ weight: 24, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(...METHODS) }),
      fc.constantFrom(undefined, undefined, 'text/html', 'application/json', '*/*', 'de'),
    )
    .map(([asked, bodyOf, how, otherMethod, accept]) => ({
      operation,
      make: async (parties: Parties): Promise<Sent> => {
        const { path, query, headers: own } = asked(parties.live)
        const method = otherMethod ?? operation.method.toUpperCase()
        const bare = `${parties.origin}${path}`
        const { headers, fields } = await credentials(operation, how, method, bare, parties, path)
        const body = method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? undefined : bodyOf(parties.live)
        const search = query.map(([name, text]) => `${escaped(name)}=${escaped(text)}`).join('&')
        const { content } = body ?? {}
        return {
          operation,
          method,
          url: search === '' ? bare : `${bare}?${search}`,
          headers: {
            ...own,
            ...headers,
            ...(body === undefined ? {} : { 'content-type': body.type }),
            ...(accept === undefined ? {} : accept === 'de' ? { 'accept-language': 'de' } : { accept }),
          },
          ...(content === undefined ? {} : { body: withFields(content, fields) }),
        }
      },
    }))

function withFields(content: string | Uint8Array<ArrayBuffer>, fields: Record<string, string>): string | Uint8Array<ArrayBuffer> {
  if (typeof content !== 'string' || Object.keys(fields).length === 0) return content
  const form = new URLSearchParams(content)
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  return String(form)
}
