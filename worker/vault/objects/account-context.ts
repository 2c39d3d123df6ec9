// What the parts of an account work with, and how its sealed rows are read.
import * as v from 'valibot'
import type { OwnerConnection } from '../../../shared/owner-connection.ts'
import type { ResourceDescription } from '../../../shared/protocol/uma-federation.ts'
import { minimalDescription } from '../../../shared/resource-registry.ts'
import { FILE_SCOPES, type StoredFile } from '../domain.ts'
import type { Env } from '../env.ts'
import { hashText, type Keyring, openJson } from '../keyring.ts'
import { type FileRow, readSetting } from './account-tables.ts'

export type AccountContext = {
  env: Env
  sql: SqlStorage
  keyring: Keyring
  /** Name of this account; part of its links. */
  name: string
  /** The owner's authorization server; nothing when nobody is connected. */
  owner: () => Promise<OwnerConnection | undefined>
}

export const connectionSchema = v.object({
  issuer: v.string(),
  subject: v.string(),
  clientId: v.string(),
  clientSecret: v.optional(v.string()),
})
/** Who decides for this account, and as which client the vault got its PAT. */
export type Connection = v.InferOutput<typeof connectionSchema>

const labelSchema = v.object({ name: v.string(), type: v.string() })
export type FileLabel = v.InferOutput<typeof labelSchema>

export async function readLabel(keyring: Keyring, row: FileRow): Promise<FileLabel> {
  return v.parse(labelSchema, await openJson(keyring, 'file', row.label))
}

export const hidesNames = (sql: SqlStorage): boolean => readSetting(sql, 'names') === 'hidden'

/** A name that says nothing: the same for a file at whatever server, and none of it can be made out from the link. */
export async function aliasOf(keyring: Keyring, file: string): Promise<string> {
  const letters = (await hashText(keyring, 'alias', file)).toLowerCase().replace(/[^a-z0-9]/g, '')
  return `File ${letters.slice(0, 6)}`
}

/** UMA FedAuthz 3.1, 8: what the owner's server is told about a file. */
export async function descriptionOf({ keyring, sql }: AccountContext, row: FileRow): Promise<ResourceDescription> {
  const { name, type } = await readLabel(keyring, row)
  const whole = { resource_scopes: [...FILE_SCOPES], name, type }
  return hidesNames(sql) ? minimalDescription(whole, await aliasOf(keyring, row.id)) : whole
}

/** What is needed to send its bytes. */
export async function storedOf(keyring: Keyring, row: FileRow): Promise<StoredFile> {
  return { ...(await readLabel(keyring, row)), size: row.size, key: row.object_key, etag: row.etag ?? '' }
}
