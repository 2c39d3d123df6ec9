// Secrets are never compared with `===`: how long that takes tells how much of a guess was right. Held against the sources, since the
// difference itself is far below what a test over HTTP could measure; and against lines that do it.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const WORKER = resolve(import.meta.dirname, '../../worker')
const SECRET = /secret|csrf|password|registrationHash/i
/** What says nothing of a secret: whether there is one, or of which kind. */
const HARMLESS = /^(undefined|null|true|false|['"`\d])/

/** Lines that compare a secret openly. MACs under a key of ours are another matter: nobody can choose what they begin with. */
const open = (source: string): string[] =>
  source.split('\n').filter((line) => {
    if (/^\s*(\/\/|\*|\/\*)/.test(line) || line.includes('keyring.mac(')) return false
    const compared = [...line.matchAll(/(\S+)\s[!=]==\s\(?(?:await )?(\S+)/g)]
    return compared.some(([, left = '', right = '']) => (SECRET.test(left) || SECRET.test(right)) && !HARMLESS.test(right))
  })

const sources = readdirSync(WORKER, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(WORKER, file), 'utf8') }))

/** Who asks has shown the registration token, and learns of a hash that cannot be turned back what it knows already. */
const KNOWN = ['oauth/client-management.ts']

describe('CA-13: secrets are compared in constant time', () => {
  it('CA-13: no secret is compared openly anywhere in the server', () => {
    expect(sources.length).toBeGreaterThan(100)
    const found = sources.flatMap(({ file, text }) => open(text).map((line) => `${file}: ${line.trim()}`))
    expect(found.filter((one) => !KNOWN.some((file) => one.startsWith(file)))).toEqual([])
  })

  it('CA-13: the secret of a client is hashed, and the hashes are compared as bytes in constant time', () => {
    const text = sources.find(({ file }) => file === join('oauth', 'client-auth.ts'))?.text ?? ''
    expect(text).toContain('isSame(await sha256(secret), client.secretHash)')
    expect(text).toMatch(/function isSame[\s\S]{0,200}crypto\.subtle\.timingSafeEqual\(/)
  })

  it.each([
    'if (secret === client.secret) return client',
    'if ((await sha256(secret)) !== client.secretHash) throw invalidClient()',
    'return client.secretHash === (await sha256(given))',
    'const ok = given === csrf',
  ])('CA-13: this would be found: %s', (line) => expect(open(line)).toEqual([line]))

  it.each(['if (secret === undefined || client.secretHash === undefined) return', "if (secret !== '') return"])(
    'CA-13: this is no comparison with a secret: %s',
    (line) => expect(open(line)).toEqual([]),
  )
})
