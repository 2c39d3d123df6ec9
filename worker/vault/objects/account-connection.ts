// The account's connection to its authorization server: who decides, as which client the vault speaks, with which PAT.
import * as v from 'valibot'
import { createProtectionApi, type Pat, type ProtectionApi } from '../../../shared/protection-api.ts'
import { umaMetadata } from '../../../shared/protocol/uma-federation.ts'
import { type Env, nowOf, outboundOf } from '../env.ts'
import { type Keyring, openJson, sealJson } from '../keyring.ts'
import { authorizationServerOf } from '../names.ts'
import { type Connection, connectionSchema } from './account-context.ts'
import { readSetting, writeSetting } from './account-tables.ts'

const patSchema = v.object({ accessToken: v.string(), refreshToken: v.optional(v.string()), expiresAt: v.number() })

export async function readConnection(sql: SqlStorage, keyring: Keyring): Promise<Connection | undefined> {
  const sealed = readSetting(sql, 'connection')
  const opened = sealed === undefined ? undefined : await openJson(keyring, 'connection', sealed)
  return v.is(connectionSchema, opened) ? opened : undefined
}

/** Where the PAT lies: sealed, in the account's own table. Without one the account is disconnected. */
const patStore = (sql: SqlStorage, keyring: Keyring) => ({
  read: async (): Promise<Pat | undefined> => {
    const sealed = readSetting(sql, 'pat')
    const opened = sealed === undefined ? undefined : v.safeParse(patSchema, await openJson(keyring, 'pat', sealed))
    if (opened?.success !== true) return undefined
    const { accessToken, refreshToken, expiresAt } = opened.output
    return { accessToken, expiresAt, ...(refreshToken === undefined ? {} : { refreshToken }) }
  },
  write: async (renewed: Pat | undefined): Promise<void> => {
    writeSetting(sql, 'pat', renewed === undefined ? undefined : await sealJson(keyring, 'pat', renewed))
  },
})

/** The protection API of the owner; `unreachable` when the server's metadata cannot be had. */
export async function openApi(env: Env, sql: SqlStorage, keyring: Keyring): Promise<ProtectionApi | 'disconnected' | 'unreachable'> {
  const connection = await readConnection(sql, keyring)
  if (connection === undefined || readSetting(sql, 'pat') === undefined) return 'disconnected'
  const metadata = await (await authorizationServerOf(env, keyring, connection.issuer)).metadata(connection.issuer)
  if (metadata === undefined) return 'unreachable'
  const { clientId, clientSecret } = connection
  return createProtectionApi(
    {
      metadata: v.parse(umaMetadata, JSON.parse(metadata)),
      client: { clientId, ...(clientSecret === undefined ? {} : { clientSecret }) },
      pat: patStore(sql, keyring),
    },
    { fetch: outboundOf(env), now: nowOf },
  )
}
