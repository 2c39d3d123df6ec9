// The servers that the person connected as an owner, and the origins whose pages may ask for proofs. Only storage; whoever calls has
// already asked the person and the browser.
import { WalletError } from '../errors.ts'
import { type Connection, read, update } from './storage.ts'

export const connections = async (): Promise<Connection[]> => Object.values(await read('connections'))

/** Throws `ended` if the wallet has no connection to this server any more. */
export const connectionTo = async (issuer: string): Promise<Connection> => {
  const found = (await read('connections'))[issuer]
  if (!found) throw new WalletError('ended', issuer)
  return found
}

export const keepConnection = (connection: Connection): Promise<void> =>
  update('connections', (all) => {
    all[connection.issuer] = connection
  })

/** Changes some members of a connection; nothing happens if it is gone meanwhile. */
export const changeConnection = (issuer: string, change: Partial<Connection>): Promise<void> =>
  update('connections', (all) => {
    const known = all[issuer]
    if (known) all[issuer] = { ...known, ...change }
  })

export const dropConnection = (issuer: string): Promise<void> =>
  update('connections', (all) => {
    delete all[issuer]
  })

export const approvals = async (): Promise<string[]> => Object.keys(await read('approvals')).sort()

export const isApproved = async (origin: string): Promise<boolean> => (await read('approvals'))[origin] !== undefined

export const keepApproval = (origin: string, now: number): Promise<void> =>
  update('approvals', (all) => {
    all[origin] ??= now
  })

export const dropApproval = (origin: string): Promise<void> =>
  update('approvals', (all) => {
    delete all[origin]
  })
