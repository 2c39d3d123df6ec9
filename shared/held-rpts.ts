// The RPTs that a client holds, in the program's store: by address, and which of them belong to one resource server and one
// authorization server, so that a later process can name them (UMA Grant 3.3.1, 3.3.5.1).
import type { RptResponse } from './protocol/uma-grant.ts'
import { memoryStore, readKept, type TextStore } from './text-store.ts'

/** `expires` in seconds since 1970. `asUri` is the issuer that gave it; not there when an earlier version wrote it. */
export type HeldRpt = { rpt: RptResponse; expires: number; asUri?: string }

export type HeldRpts = {
  store: TextStore
  /** The RPT to present at an address, if it has not run out. */
  find: (address: string) => Promise<RptResponse | undefined>
  /** What is kept for an address and has run out, but can be refreshed (UMA Grant 3.6). */
  renewable: (address: string) => Promise<(HeldRpt & { asUri: string }) | undefined>
  /** The RPT, perhaps run out, that goes along with a ticket of that server for that address (UMA Grant 3.3.1). */
  upgradable: (address: string, asUri: string) => Promise<string | undefined>
  /** Keeps an RPT; it also takes the place of `replaces`, wherever that is kept. */
  keep: (address: string, asUri: string, rpt: RptResponse, replaces?: string) => Promise<void>
  forget: (address: string) => Promise<void>
}

/** Seconds that an RPT without `expires_in` is used without asking. */
const DEFAULT_LIFETIME = 60
/** Addresses of one resource server that are remembered together; the oldest is left to run out by itself. */
const MOST_ADDRESSES = 32

/**
 * Opens the RPTs of a store (UMA Grant 3.4, 3.3.5.1). `deps.now` is seconds since 1970. Nothing is sent anywhere from here.
 * @param canProve is there a key for bound tokens? One whose key is gone is of no use (RFC 9449 7). Rejects only as the store does.
 */
export function heldRptsIn(store: TextStore = memoryStore(), canProve: boolean, deps: { now: () => number }): HeldRpts {
  const placeOf = (address: string): string => `rpt ${address}`
  // UMA Grant 3.3.5.1: an upgrade is within one resource server and one authorization server.
  const listOf = (address: string, asUri: string): string => `rpts ${new URL(address).origin} ${asUri}`

  const read = async (address: string): Promise<HeldRpt | undefined> => {
    const kept = await readKept<HeldRpt>(store, placeOf(address))
    return kept !== undefined && (canProve || kept.rpt.token_type.toLowerCase() !== 'dpop') ? kept : undefined
  }
  const addressesOf = async (list: string): Promise<string[]> => (await readKept<string[]>(store, list)) ?? []

  return {
    store,
    find: async (address) => {
      const kept = await read(address)
      return kept !== undefined && kept.expires > deps.now() ? kept.rpt : undefined
    },
    renewable: async (address) => {
      const kept = await read(address)
      if (kept === undefined || kept.expires > deps.now() || kept.asUri === undefined) return undefined
      return kept.rpt.refresh_token === undefined ? undefined : { ...kept, asUri: kept.asUri }
    },
    upgradable: async (address, asUri) => {
      for (const known of [address, ...(await addressesOf(listOf(address, asUri)))]) {
        const kept = await read(known)
        if (kept?.asUri === asUri) return kept.rpt.access_token
      }
      return undefined
    },
    keep: async (address, asUri, { pct: _kept, ...rpt }, replaces) => {
      const text = JSON.stringify({ rpt, expires: deps.now() + (rpt.expires_in ?? DEFAULT_LIFETIME), asUri } satisfies HeldRpt)
      const list = listOf(address, asUri)
      const others = (await addressesOf(list)).filter((known) => known !== address)
      for (const known of others) {
        // UMA Grant 3.3.5.1: what an upgraded RPT was made of is thrown away.
        if (replaces !== undefined && (await read(known))?.rpt.access_token === replaces) await store.write(placeOf(known), text)
      }
      await store.write(placeOf(address), text)
      await store.write(list, JSON.stringify([address, ...others].slice(0, MOST_ADDRESSES)))
    },
    forget: async (address) => store.write(placeOf(address), undefined),
  }
}
