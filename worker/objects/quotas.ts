// How much of everything one owner, service, guest, network or address may have: configuration (QUOTAS in wrangler.toml) with defaults. Pure; who
// counts is the one writer of what is counted. 0 means no limit.

/** Far above what a person or a large service needs, and below what would harm the others. */
export const QUOTA_DEFAULTS = {
  resources_per_owner: 100_000,
  /** Resources of one service of one owner. */
  resources_per_service: 100_000,
  policies_per_owner: 100_000,
  people_per_owner: 20_000,
  /** Rules that are no plain shares; what they were before; groups, their members all together; types of things. */
  rules_per_owner: 20_000,
  past_rules_per_owner: 200_000,
  groups_per_owner: 1000,
  members_per_owner: 50_000,
  types_per_owner: 1000,
  /** Who has joined an organisation; organisations that one owner has joined. */
  members_per_organisation: 10_000,
  memberships_per_owner: 20,
  /** Services and wallets. */
  connections_per_owner: 200,
  /** Issuers whose word the owner takes. */
  issuers_per_owner: 50,
  /** Questions to an owner (CLAIMS 7): of one guest that wait, of one guest in a day, of all guests that wait. */
  questions_per_guest: 3,
  questions_per_guest_day: 5,
  questions_per_owner: 100,
  /** Apps that one guest lets skip the question: a convenience, so that one more takes the place of the oldest. */
  consents_per_guest: 100,
  /** What all apps of one owner together ask of her server in a minute, each of them half of it: reading, changing, questions about rules. */
  reads_per_owner_minute: 6000,
  changes_per_owner_minute: 1200,
  questions_per_owner_minute: 480,
  /** Tickets that one service of one owner may ask for in a minute. */
  tickets_per_service_minute: 6000,
  /** What one network may ask of endpoints that need no secret: a large service behind one address stays below, a flood does not. */
  registrations_per_network_minute: 60,
  registrations_per_network_hour: 300,
  pushes_per_network_minute: 240,
  /** Refusals of the token endpoint for a bad client, code, ticket or refresh token. */
  refusals_per_network_minute: 120,
  /** Documents of clients and issuers that are not remembered: each makes this server call another one. */
  documents_per_network_minute: 60,
  /** Mailed codes (CLAIMS 7). */
  mails_per_address_ten_minutes: 3,
  mails_per_address_day: 10,
  mails_per_network_hour: 20,
  mails_per_client_hour: 200,
} as const

export type QuotaName = keyof typeof QUOTA_DEFAULTS
export type Quotas = Readonly<Record<QuotaName, number>>

const NAMES = Object.keys(QUOTA_DEFAULTS) as QuotaName[]

/** A limit that is there for counting with: no limit is a very high one. */
const limitOf = (setting: unknown): number | undefined =>
  typeof setting === 'number' && Number.isInteger(setting) && setting >= 0 ? setting || Number.MAX_SAFE_INTEGER : undefined

/**
 * The quotas of this deployment: QUOTAS as a table, or as JSON text. Names that are missing have their default, and so has what is no
 * whole number: a mistyped limit must not become none.
 */
export function quotasOf(env: { QUOTAS?: unknown }): Quotas {
  const given = typeof env.QUOTAS === 'string' ? parsed(env.QUOTAS) : env.QUOTAS
  const table = (typeof given === 'object' && given !== null ? given : {}) as Partial<Record<QuotaName, unknown>>
  return Object.fromEntries(NAMES.map((name) => [name, limitOf(table[name]) ?? QUOTA_DEFAULTS[name]])) as Quotas
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not JSON: the defaults hold
  }
}

/** Tickets of the running minute, by service. Kept in memory: a ticket that is asked for stores nothing, and neither does its count. */
export class MinuteCounts {
  readonly #max: number
  #minute = -1
  readonly #counts = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  /** The seconds until the next minute if one more would be too many. `now` in seconds. */
  look(key: string, now: number): number | undefined {
    const minute = Math.floor(now / 60)
    return minute === this.#minute && (this.#counts.get(key) ?? 0) >= this.#max ? (minute + 1) * 60 - now : undefined
  }

  /** Counts one more; the seconds until the next minute if that is too many. `now` in seconds. */
  take(key: string, now: number): number | undefined {
    const minute = Math.floor(now / 60)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#counts.clear()
    }
    const count = (this.#counts.get(key) ?? 0) + 1
    if (count > this.#max) return (minute + 1) * 60 - now
    this.#counts.set(key, count)
    return undefined
  }
}
