// Where the vault may send a request (DESIGN, promise I8): public https addresses, and those that DEV_ORIGINS lists. Addresses come from
// people and from documents of other servers, so each is judged on its own. Pure, except `makeOutbound`.
// NOT checked: what a public name resolves to. Workers offer no look at that; their network does not route to private addresses.
import type { Fetch } from '../../shared/discovery.ts'

export type Verdict = { kind: 'allowed' } | { kind: 'refused'; reason: string }

const refused = (reason: string): Verdict => ({ kind: 'refused', reason })

/** IPv4 blocks of RFC 6890 and its successors that are not public: network, prefix length. */
const NOT_PUBLIC_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

/** The URL parser has turned every spelling (octal, hexadecimal, one number) into four decimal parts. */
function isPublicV4(address: string): boolean {
  const value = numberOf(address)
  return !NOT_PUBLIC_V4.some(([network, length]) => {
    const size = 2 ** (32 - length)
    return Math.floor(value / size) === Math.floor(numberOf(network) / size)
  })
}

/** Only global unicast (2000::/3) is public, without the blocks that lead elsewhere: 6to4, Teredo, documentation. */
function isPublicV6(address: string): boolean {
  const first = Number.parseInt(address.split(':')[0] || '0', 16)
  if (first < 0x2000 || first > 0x3fff) return false
  const second = Number.parseInt(address.split(':')[1] || '0', 16)
  const isTeredoOrSpecial = first === 0x2001 && second < 0x200
  const isDocumentation = (first === 0x2001 && second === 0xdb8) || first === 0x3fff
  return !isTeredoOrSpecial && !isDocumentation && first !== 0x2002
}

/** Names that never mean a public host: RFC 6761, RFC 6762, RFC 8375, RFC 9476, and those used on private networks. */
const PRIVATE_NAMES = [
  'localhost',
  'local',
  'localdomain',
  'internal',
  'intranet',
  'home',
  'lan',
  'corp',
  'private',
  'test',
  'invalid',
  'onion',
  'alt',
  'arpa',
]

/** Sentence on a host that is not public; nothing when it is. */
function hostProblem(host: string): string | undefined {
  if (host.startsWith('[')) return isPublicV6(host.slice(1, -1)) ? undefined : 'a private address'
  if (/^\d+(\.\d+){3}$/.test(host)) return isPublicV4(host) ? undefined : 'a private address'
  const labels = host.split('.')
  return labels.length < 2 || PRIVATE_NAMES.includes(labels.at(-1) ?? '') ? 'a private name' : undefined
}

/**
 * May the vault contact this address?
 * @param devOrigins exact origins that are allowed although they are not public or not https
 */
export function judgeAddress(address: string, devOrigins: readonly string[]): Verdict {
  if (!URL.canParse(address)) return refused('this is not an address')
  const url = new URL(address)
  if (url.username !== '' || url.password !== '') return refused('an address with a password in it')
  if (devOrigins.includes(url.origin)) return { kind: 'allowed' }
  if (url.protocol !== 'https:') return refused('only https is contacted')
  const problem = hostProblem(url.hostname.replace(/\.$/, ''))
  return problem === undefined ? { kind: 'allowed' } : refused(problem)
}

/** `DEV_ORIGINS`: origins separated by spaces or commas. An entry that is no bare origin makes the vault refuse to start. */
export function parseDevOrigins(text: string | undefined): readonly string[] {
  const entries = (text ?? '').split(/[\s,]+/).filter((entry) => entry !== '')
  for (const entry of entries) {
    if (!URL.canParse(entry) || new URL(entry).origin !== entry) throw new Error(`DEV_ORIGINS: ${entry} is not an origin`)
  }
  return entries
}

/** Milliseconds that another server has for an answer. */
const PATIENCE = 10_000

/** The only `fetch` of the vault: guarded, never following a redirect, and not for ever. Rejects with an Error that says why. */
export const makeOutbound =
  (devOrigins: readonly string[]): Fetch =>
  async (input, init) => {
    const verdict = judgeAddress(String(input), devOrigins)
    if (verdict.kind === 'refused') throw new Error(`not contacted: ${verdict.reason}`)
    // A redirect could lead past the guard, so it comes back as it is and counts as a wrong answer.
    return fetch(input, { ...init, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) })
  }
