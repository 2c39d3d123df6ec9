// Which addresses the server may call, as a table, and what it takes from there. The other side is a function that answers.
import { describe, expect, it } from 'vitest'
import { guardedJson } from '../../worker/http/guarded-fetch.ts'
import { publicUrl } from '../../worker/http/public-url.ts'

const REFUSED: readonly (readonly [string, string])[] = [
  ['http', 'http://client.dev/x'],
  ['another scheme', 'ftp://client.dev/x'],
  ['data', 'data:application/json,{}'],
  ['a port of the system', 'https://client.dev:22/x'],
  ['a port of the system, of mail', 'https://client.dev:465/x'],
  ['the last port of the system', 'https://client.dev:1023/x'],
  ['the port of http', 'https://client.dev:80/x'],
  ['port 0', 'https://client.dev:0/x'],
  ['a port of telephones', 'https://client.dev:5061/x'],
  ['a port of chats', 'https://client.dev:6697/x'],
  ['a port that does not exist', 'https://client.dev:65536/x'],
  ['loopback with a port', 'https://127.0.0.1:8443/x'],
  ['private with a port', 'https://10.1.2.3:8443/x'],
  ['IPv6 loopback with a port', 'https://[::1]:8443/x'],
  ['a user name that looks like a host with a port', 'https://client.dev:8443@10.0.0.1/x'],
  ['localhost with a port', 'https://localhost:8443/x'],
  ['a user name', 'https://a@client.dev/x'],
  ['a password', 'https://a:b@client.dev/x'],
  ['an empty authority', 'https:///client.dev/x'],
  ['one slash', 'https:/client.dev/x'],
  ['no slash', 'https:client.dev/x'],
  ['a fragment', 'https://client.dev/x#y'],
  ['a backslash', 'https://client.dev\\@10.0.0.1/'],
  ['a blank', 'https://client.dev/ x'],
  ['a line feed', 'https://client.dev/\nx'],
  ['what is not ASCII', 'https://clïent.dev/x'],
  ['no URL', 'client.dev'],
  ['loopback', 'https://127.0.0.1/x'],
  ['loopback, another number', 'https://127.8.8.8/x'],
  ['loopback, hexadecimal', 'https://0x7f000001/x'],
  ['loopback, one number', 'https://2130706433/x'],
  ['loopback, octal', 'https://0177.0.0.1/x'],
  ['loopback, two numbers', 'https://127.1/x'],
  ['loopback, with a dot at the end', 'https://127.0.0.1./x'],
  ['loopback, wide digits by percent', 'https://127%2E0.0.1/x'],
  ['this network', 'https://0.0.0.0/x'],
  ['private 10', 'https://10.1.2.3/x'],
  ['private 172.16', 'https://172.31.255.255/x'],
  ['private 192.168', 'https://192.168.1.1/x'],
  ['link-local, metadata service', 'https://169.254.169.254/latest'],
  ['carrier-grade NAT', 'https://100.64.0.1/x'],
  ['benchmarking', 'https://198.19.0.1/x'],
  ['documentation', 'https://203.0.113.1/x'],
  ['multicast', 'https://224.0.0.1/x'],
  ['broadcast', 'https://255.255.255.255/x'],
  ['IPv6 loopback', 'https://[::1]/x'],
  ['IPv6 unspecified', 'https://[::]/x'],
  ['IPv4-mapped', 'https://[::ffff:127.0.0.1]/x'],
  ['IPv4-mapped, hexadecimal', 'https://[::ffff:7f00:1]/x'],
  ['IPv4-compatible', 'https://[::7f00:1]/x'],
  ['NAT64', 'https://[64:ff9b::a00:1]/x'],
  ['6to4', 'https://[2002:7f00:1::]/x'],
  ['Teredo', 'https://[2001::1]/x'],
  ['IPv6 documentation', 'https://[2001:db8::1]/x'],
  ['IPv6 documentation, new', 'https://[3fff::1]/x'],
  ['unique local', 'https://[fd00::1]/x'],
  ['link-local', 'https://[fe80::1]/x'],
  ['IPv6 multicast', 'https://[ff02::1]/x'],
  ['localhost', 'https://localhost/x'],
  ['localhost with a dot', 'https://localhost./x'],
  ['LOCALHOST', 'https://LOCALHOST/x'],
  ['below localhost', 'https://a.localhost/x'],
  ['a name without a dot', 'https://intranet/x'],
  ['an empty label', 'https://a..dev/x'],
  ['.local', 'https://printer.local/x'],
  ['.internal', 'https://metadata.google.internal/x'],
  ['.test', 'https://a.test/x'],
  ['.invalid', 'https://a.invalid/x'],
  ['.onion', 'https://a.onion/x'],
  ['home.arpa', 'https://nas.home.arpa/x'],
  ['nip.io', 'https://127.0.0.1.nip.io/x'],
  ['sslip.io', 'https://10-0-0-1.sslip.io./x'],
  ['localtest.me', 'https://localtest.me/x'],
]
const TAKEN = [
  'https://client.dev/x',
  'https://client.dev:443/x?y=z',
  'https://client.dev:8443/x',
  'https://client.dev:1024/x',
  'https://client.dev:65535/x',
  'https://[2606:4700::1111]:8443/x',
  'https://CLIENT.dev./x',
  'https://8.8.8.8/x',
  'https://172.32.0.1/x',
  'https://100.128.0.1/x',
  'https://[2606:4700::1111]/x',
  'https://[2001:4860:4860::8888]/x',
  'https://xn--clent-5ta.dev/x',
  'https://mylocalhost.dev/',
]

describe('CIMD 6.5: addresses that the server calls', () => {
  for (const [why, url] of REFUSED) it(`CIMD 6.5: not ${why}: ${JSON.stringify(url)}`, () => expect(publicUrl(url)).toBeUndefined())
  for (const url of TAKEN) it(`CIMD 6.5: ${url}`, () => expect(publicUrl(url)?.hostname).toBeTruthy())

  it('CIMD 6.5: an origin that is listed, to the letter, and no other', () => {
    const listed = ['http://127.0.0.1:8788']
    expect(publicUrl('http://127.0.0.1:8788/x', listed)?.href).toBe('http://127.0.0.1:8788/x')
    for (const url of ['http://127.0.0.1:8789/x', 'http://localhost:8788/x', 'https://127.0.0.1:8788/x', 'http://a@127.0.0.1:8788/x'])
      expect(publicUrl(url, listed)).toBeUndefined()
  })
})

/** A world of one page; counts the requests. */
const world = (answer: (request: { url: string; init: RequestInit }) => Response | Promise<Response>) => {
  let now = 1_800_000_000_000
  const seen: string[] = []
  const fetch = async (url: RequestInfo | URL, init: RequestInit = {}) => {
    seen.push(String(url))
    return answer({ url: String(url), init })
  }
  const deps = { env: { DEV_ORIGINS: '' }, issuer: 'https://as.dev', now: () => now, fetch: fetch as typeof globalThis.fetch }
  return { deps, seen, pass: (seconds: number) => (now += seconds * 1000) }
}
const json = (text: string, headers: Record<string, string> = {}, status = 200) =>
  new Response(text, { status, headers: { 'content-type': 'application/json', ...headers } })
let pages = 0
const fresh = (): string => `https://client.dev/${++pages}`

describe('CIMD 4, 6.6: documents that the server takes', () => {
  it('CIMD 4.2: remembered for as long as it says, an hour if it says nothing, a minute at least, a day at most', async () => {
    for (const [said, seconds] of [
      ['', 3600],
      ['max-age=600', 600],
      ['public, max-age=1', 60],
      ['no-store', 60],
      ['no-cache, max-age=9000', 60],
      ['max-age=999999999', 86_400],
    ] as const) {
      const { deps, seen, pass } = world(() => json('{"a":1}', said === '' ? {} : { 'cache-control': said }))
      const url = fresh()
      expect(await guardedJson(deps, url)).toEqual({ a: 1 })
      pass(seconds - 1)
      await guardedJson(deps, url)
      expect(seen, said).toHaveLength(1)
      pass(1)
      await guardedJson(deps, url)
      expect(seen, said).toHaveLength(2)
    }
  })

  it('CIMD 4.2: what failed is not remembered', async () => {
    let isDown = true
    const { deps, seen } = world(() => (isDown ? json('{}', {}, 500) : json('{"a":1}')))
    const url = fresh()
    expect(await guardedJson(deps, url)).toBeUndefined()
    isDown = false
    expect(await guardedJson(deps, url)).toEqual({ a: 1 })
    expect(seen).toHaveLength(2)
  })

  it('CIMD 4.2: what is not what was asked for is not remembered', async () => {
    let text = '{"a":2}'
    const { deps, seen } = world(() => json(text))
    const [url, isGood] = [fresh(), (value: unknown) => JSON.stringify(value) === '{"a":1}']
    expect(await guardedJson(deps, url, { isGood })).toBeUndefined()
    text = '{"a":1}'
    expect(await guardedJson(deps, url, { isGood })).toEqual({ a: 1 })
    expect(seen).toHaveLength(2)
  })

  it('RFC 7517 5: what is missing is looked for again, once a minute', async () => {
    const { deps, seen, pass } = world(() => json('{}'))
    const url = fresh()
    for (let i = 0; i < 5; i++) await guardedJson(deps, url, { again: true })
    expect(seen).toHaveLength(1)
    pass(60)
    for (let i = 0; i < 5; i++) await guardedJson(deps, url, { again: true })
    expect(seen).toHaveLength(2)
  })

  it('CIMD 6.5: fifty at once are one request', async () => {
    const { deps, seen } = world(() => json('{"a":1}'))
    const url = fresh()
    const all = await Promise.all(Array.from({ length: 50 }, () => guardedJson(deps, url)))
    expect(all.every((one) => JSON.stringify(one) === '{"a":1}')).toBe(true)
    expect(seen).toHaveLength(1)
  })

  it('CIMD 4: asks without following redirects, with nothing of ours but a name', async () => {
    let sent: RequestInit = {}
    const { deps } = world(({ init }) => {
      sent = init
      return json('{}')
    })
    await guardedJson(deps, fresh())
    expect(sent).toMatchObject({ redirect: 'manual', headers: { Accept: 'application/json' } })
    expect(Object.keys(sent.headers ?? {})).toEqual(['Accept', 'User-Agent'])
  })

  for (const [why, answer] of [
    [
      'a redirect',
      () => new Response('{}', { status: 302, headers: { location: 'https://client.dev/y', 'content-type': 'application/json' } }),
    ],
    ['201', () => json('{}', {}, 201)],
    ['404', () => json('{}', {}, 404)],
    ['HTML', () => new Response('{}', { headers: { 'content-type': 'text/html' } })],
    ['no media type', () => new Response(new TextEncoder().encode('{}'))],
    ['another charset', () => json('{}', { 'content-type': 'application/json;charset=utf-7' })],
    ['no JSON', () => json('{')],
    ['nothing', () => json('')],
    ['not UTF-8', () => new Response(new Uint8Array([0x22, 0xff, 0x22]), { headers: { 'content-type': 'application/json' } })],
    ['one octet too many', () => json(`"${'x'.repeat(99)}"`)],
    [
      'no end',
      () =>
        new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(64)) }), {
          headers: { 'content-type': 'application/json' },
        }),
    ],
    ['an error on the way', () => Promise.reject(new TypeError('network'))],
  ] as const) {
    it(`CIMD 4: not ${why}`, async () => {
      expect(await guardedJson(world(answer).deps, fresh(), { max: 100 })).toBeUndefined()
    })
  }

  it('CIMD 4: exactly as long as may be, and media types with +json', async () => {
    const { deps } = world(() => json(`"${'x'.repeat(98)}"`, { 'content-type': 'application/jwk-set+json; charset=UTF-8' }))
    expect(await guardedJson(deps, fresh(), { max: 100 })).toBe('x'.repeat(98))
  })

  it('DESIGN 7 I8: what may not be called is not called, nor is this server itself', async () => {
    const { deps, seen } = world(() => json('{}'))
    for (const url of ['https://10.0.0.1/', 'https://localhost/x', 'https://as.dev/jwks', 'http://client.dev/'])
      expect(await guardedJson(deps, url)).toBeUndefined()
    expect(seen).toEqual([])
  })
})
