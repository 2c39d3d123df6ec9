// What the parts of an account work with, and how its sealed rows are read.
import * as v from 'valibot'
import type { ProtectionApi } from '../../../shared/protection-api.ts'
import type { FileView, StoredFile, Visit, VisitKind } from '../domain.ts'
import type { Env } from '../env.ts'
import { type Keyring, linkOf, openJson } from '../keyring.ts'
import { type FileRow, listVisits } from './account-tables.ts'

export type AccountContext = {
  env: Env
  sql: SqlStorage
  keyring: Keyring
  /** Name of this account; part of its links. */
  name: string
  /** The protection API of the owner, or why there is none. */
  api: () => Promise<ProtectionApi | 'disconnected' | 'unreachable'>
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

/** What is needed to send its bytes. */
export async function storedOf(keyring: Keyring, row: FileRow): Promise<StoredFile> {
  return { ...(await readLabel(keyring, row)), size: row.size, key: row.object_key, etag: row.etag ?? '' }
}

const visitOf = (row: { at: number; kind: string } | undefined): Visit | undefined =>
  row === undefined ? undefined : { at: row.at, kind: row.kind as VisitKind }

/** A row of the table as the owner sees it. */
export async function viewOf(context: AccountContext, row: FileRow): Promise<FileView> {
  const { keyring, name: account, sql } = context
  const label = await readLabel(keyring, row)
  const lastVisit = visitOf(listVisits(sql, row.id, 1)[0])
  return {
    id: row.id,
    path: `/f/${await linkOf(keyring, { account, file: row.id })}`,
    ...label,
    size: row.size,
    created: row.created,
    registration: row.resource_id === null ? 'waiting' : 'done',
    ...(row.policy_uri === null ? {} : { policyUri: row.policy_uri }),
    ...(row.problem === null ? {} : { problem: row.problem }),
    ...(lastVisit === undefined ? {} : { lastVisit }),
  }
}
