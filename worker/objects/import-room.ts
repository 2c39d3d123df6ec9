// What an import needs besides rules (owner-import.ts): room within the owner's quotas, and the people whom its rules name.
import { base64url } from 'jose'
import type { BundlePerson } from './owner-bundle.ts'
import type { OwnerRecord } from './owner-record.ts'
import type { OwnerShares } from './owner-shares.ts'
import type { Put, RecordTable } from './record.ts'

/** How many there are, how many more there would be, and how many there may be. */
export type Quota = { name: RecordTable; used: number; more: number; most: number }

const newId = (): string => base64url.encode(crypto.getRandomValues(new Uint8Array(12)))

export class ImportRoom {
  readonly #parts: { record: OwnerRecord; shares: OwnerShares }
  readonly #more = new Map<RecordTable, number>()
  readonly #people = new Map<string, BundlePerson>()
  /** MAC -> id of those who come with the bundle. */
  readonly #coming = new Map<string, string>()

  constructor(parts: { record: OwnerRecord; shares: OwnerShares }, people: readonly BundlePerson[]) {
    this.#parts = parts
    for (const person of people) {
      // A number that somebody else has by now would make one person of two.
      const id = parts.shares.person(person.id) === undefined ? person.id : newId()
      this.#people.set(person.mac, { ...person, id })
    }
  }

  has(table: RecordTable, n = 1): boolean {
    const { used, most } = this.#parts.record.roomFor(table)
    return used + (this.#more.get(table) ?? 0) + n <= most
  }

  take(table: RecordTable, n = 1): void {
    if (n > 0) this.#more.set(table, (this.#more.get(table) ?? 0) + n)
  }

  get quotas(): Quota[] {
    return [...this.#more].map(([name, more]) => ({ name, more, ...this.#parts.record.roomFor(name) }))
  }

  /** Id of the person with a MAC: here, or with the bundle. */
  personFor(mac: string): string | undefined {
    return this.#parts.shares.personWith(mac)?.id ?? this.#people.get(mac)?.id
  }

  /** Rows of the bundle's people who are named and not known here; undefined if there is no room for them. */
  takePeople(macs: readonly string[], now: number): Put[] | undefined {
    const missing = [...new Set(macs)].flatMap((mac) => {
      const person = this.#people.get(mac)
      const isKnown = this.#coming.has(mac) || this.#parts.shares.personWith(mac) !== undefined
      return person === undefined || isKnown ? [] : [person]
    })
    if (!this.has('person', missing.length)) return undefined
    this.take('person', missing.length)
    for (const { id, mac } of missing) this.#coming.set(mac, id)
    return missing.map(({ id, mac, label }) => ({ table: 'person', row: { id, mac, label, created_at: now } }))
  }

  /** MAC -> id of those who become known. */
  get coming(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#coming)
  }
}
