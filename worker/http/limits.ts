// How often something may happen, counted exactly by one-time objects (CLAIMS 7). Objects are named by keyed hashes: no address, network
// or client can be read off them.
import type { Limit } from '../objects/one-time.ts'
import { type Quotas, quotasOf } from '../objects/quotas.ts'
import { type AppContext, oneTimeObject, seconds } from './context.ts'

const HOUR = 3600

/** CLAIMS 7: mailed codes for one address, from one network, on behalf of one client. */
export function mailLimits(quotas: Quotas, kind: 'address' | 'network' | 'client'): Limit[] {
  switch (kind) {
    case 'address':
      return [
        { max: quotas.mails_per_address_ten_minutes, window: 600 },
        { max: quotas.mails_per_address_day, window: 24 * HOUR },
      ]
    case 'network':
      return [{ max: quotas.mails_per_network_hour, window: HOUR }]
    case 'client':
      return [{ max: quotas.mails_per_client_hour, window: HOUR }]
  }
}

/**
 * Counts one more of `kind` for `key` (anything that identifies it). If that would be too many, the seconds after which it is not: whole
 * minutes, since the exact moment would tell when somebody else had a mail.
 */
export async function waitFor(c: AppContext, kind: Parameters<typeof mailLimits>[1], key: string): Promise<number | undefined> {
  const { deps } = c.var
  const name = await deps.keyring.mac('limit', `mail ${kind}\0${key}`)
  const counted = await oneTimeObject(c.env, name).count({ limits: mailLimits(quotasOf(c.env), kind), now: seconds(deps) })
  return counted.kind === 'ok' ? undefined : Math.ceil(counted.retry_after / 60) * 60
}

/**
 * The network of the person who asks: /24 of an IPv4 address, /64 of an IPv6 address. Undefined without CF-Connecting-IP, which
 * Cloudflare always sets and nobody can forge there, and for a loopback address: then the request is this machine's own.
 */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined
  const v4 = /^(?:::ffff:)?(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/i.exec(address)?.[1]
  if (v4 !== undefined) return v4.startsWith('127.') ? undefined : v4
  // The URL parser writes an IPv6 address in its one canonical form.
  const host = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1)
  if (host === undefined || host === '::1') return undefined
  const [left = '', right] = host.split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const groups = right === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
  return groups.slice(0, 4).join(':')
}
