// Which hosts are on the public internet and which belong to somebody's own network (DESIGN 7 I8). Pure. What a name resolves to cannot be
// seen from a Worker: the runtime connects to public addresses only (Cloudflare; workerd by itself), so this is the outer of two walls.

/** Names that lead nowhere public (RFC 6761, RFC 6762, RFC 7686, RFC 8375, RFC 9476, ICANN), and those that people give to their own networks. */
const SPECIAL_NAMES = [
  'localhost',
  'local',
  'internal',
  'test',
  'invalid',
  'onion',
  'alt',
  'arpa',
  'localdomain',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
]
/** Public names that answer with any address that is written in them, or with this machine's. */
const ECHOING_NAMES = ['nip.io', 'sslip.io', 'xip.io', 'localtest.me', 'lvh.me', 'vcap.me', 'lacolhost.com', 'traefik.me']

/** IPv4 blocks that are not globally reachable (RFC 6890 and its registry), as first address and length of prefix. */
const V4_BLOCKS: readonly (readonly [string, number])[] = [
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
  ['224.0.0.0', 3],
]

const numberOf = (v4: string): number => v4.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

/** Whether an IPv4 address in its one canonical form is globally reachable. */
function isPublicV4(address: string): boolean {
  const value = numberOf(address)
  return !V4_BLOCKS.some(([first, length]) => Math.floor(value / 2 ** (32 - length)) === Math.floor(numberOf(first) / 2 ** (32 - length)))
}

/** Whether an IPv6 address, as the URL parser writes it, is in the global unicast space and in none of its special blocks. */
function isPublicV6(address: string): boolean {
  const [first = '', second = ''] = address.split(':')
  const head = Number.parseInt(first, 16)
  const next = second === '' ? 0 : Number.parseInt(second, 16)
  // 2000::/3 only: leaves out loopback, link-local, unique local, IPv4-mapped and NAT64.
  if (first === '' || head < 0x2000 || head > 0x3fff) return false
  if (head === 0x2001 && (next < 0x200 || next === 0xdb8)) return false // IETF assignments with Teredo; documentation
  return head !== 0x2002 && !(head === 0x3fff && next < 0x1000) // 6to4 carries any IPv4 address; documentation
}

function isPublicName(name: string): boolean {
  const labels = name.split('.')
  if (labels.length < 2 || labels.some((label) => label === '')) return false
  return ![...SPECIAL_NAMES, ...ECHOING_NAMES].some((special) => name === special || name.endsWith(`.${special}`))
}

/**
 * Whether a host is a public name or a globally reachable address (RFC 6890 2.2, RFC 6761 6). NOT checked: what a name resolves to.
 * @param hostname as the URL parser writes it: an IPv4 address in any form has become four numbers, an IPv6 address stands in brackets
 * @returns false for everything special, private, for documentation, or without a dot
 */
export function isPublicHost(hostname: string): boolean {
  const host = hostname.replace(/\.$/, '')
  if (host.startsWith('[')) return isPublicV6(host.slice(1, -1))
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) ? isPublicV4(host) : isPublicName(host)
}
