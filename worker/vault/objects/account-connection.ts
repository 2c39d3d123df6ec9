// The account's connection to its authorization server: who decides, as which client the vault speaks, with which PAT. All of it goes
// through the resource server kit; what the kit keeps lies in the account's own tables.
import * as v from 'valibot'
import { connectOwner, type OwnerConnection } from '../../../shared/owner-connection.ts'
import { umaMetadata } from '../../../shared/protocol/uma-federation.ts'
import type { RegistrationStore } from '../../../shared/resource-registry.ts'
import type { TextStore } from '../../../shared/text-store.ts'
import { type Env, nowOf, outboundOf } from '../env.ts'
import { type Keyring, openJson, sealJson } from '../keyring.ts'
import { authorizationServerOf } from '../names.ts'
import { type Connection, connectionSchema } from './account-context.ts'
import { forgetRegistered, readFile, readSetting, setRegistered, writeSetting } from './account-tables.ts'

const patSchema = v.object({ accessToken: v.string(), refreshToken: v.optional(v.string()), expiresAt: v.number() })

export async function readConnection(sql: SqlStorage, keyring: Keyring): Promise<Connection | undefined> {
  const sealed = readSetting(sql, 'connection')
  const opened = sealed === undefined ? undefined : await openJson(keyring, 'connection', sealed)
  return v.is(connectionSchema, opened) ? opened : undefined
}

/**
 * What the kit keeps, sealed, as settings of the account. Without a `pat` the account is disconnected. Whoever still works for a connection
 * that was replaced finds nothing here: a PAT goes to no other server than the one that gave it.
 */
const settingsOf = (sql: SqlStorage, keyring: Keyring, isCurrent: () => boolean): TextStore => ({
  read: async (name) => {
    const sealed = isCurrent() ? readSetting(sql, name) : undefined
    const opened = sealed === undefined ? undefined : await openJson(keyring, name, sealed)
    if (name !== 'pat') return typeof opened === 'string' ? opened : undefined
    return v.is(patSchema, opened) ? JSON.stringify(opened) : undefined
  },
  write: async (name, text) => {
    const value = name === 'pat' && text !== undefined ? v.parse(patSchema, JSON.parse(text)) : text
    const sealed = value === undefined ? undefined : await sealJson(keyring, name, value)
    if (isCurrent()) writeSetting(sql, name, sealed)
  },
})

/**
 * The table of files is the registry: each row knows what the owner's server calls the file, and what that was told of it. What a server
 * that was replaced meanwhile answers is not written.
 */
const filesOf = (sql: SqlStorage, isCurrent: () => boolean): RegistrationStore => ({
  read: (file) => {
    const row = readFile(sql, file)
    if (row === undefined || row.resource_id === null) return undefined
    // A row of an older vault does not say what was told: the server is told once more.
    return { id: row.resource_id, hash: row.described ?? '', ...(row.policy_uri === null ? {} : { policyUri: row.policy_uri }) }
  },
  write: (file, registration) => {
    if (!isCurrent()) return
    if (registration === undefined) forgetRegistered(sql, file, nowOf())
    else setRegistered(sql, file, registration)
  },
})

/** The owner's authorization server; nothing when nobody is connected. Nothing is sent before it is needed. */
export async function openOwner(env: Env, sql: SqlStorage, keyring: Keyring): Promise<OwnerConnection | undefined> {
  const mine = readSetting(sql, 'connection')
  const connection = await readConnection(sql, keyring)
  if (connection === undefined) return undefined
  const { clientId, clientSecret, issuer } = connection
  const client = { clientId, ...(clientSecret === undefined ? {} : { clientSecret }) }
  const isCurrent = (): boolean => readSetting(sql, 'connection') === mine
  const options = {
    asUri: issuer,
    realm: 'vault',
    // The PAT belongs to this client. A server that has forgotten the client is registered with at the owner's next sign-in.
    identity: async () => client,
    store: settingsOf(sql, keyring, isCurrent),
    registrations: filesOf(sql, isCurrent),
    metadata: async () => {
      const metadata = await (await authorizationServerOf(env, keyring, issuer)).metadata(issuer)
      return metadata === undefined ? undefined : v.parse(umaMetadata, JSON.parse(metadata))
    },
  }
  return connectOwner(options, { fetch: outboundOf(env), now: nowOf })
}
