// The account as its owner sees it: files with their links, what is on its way, whether the server is connected.
import type { FileView, Overview, Visit, VisitKind } from '../domain.ts'
import { linkOf } from '../keyring.ts'
import { readConnection } from './account-connection.ts'
import { type AccountContext, aliasOf, hidesNames, readLabel } from './account-context.ts'
import { type FileRow, listFiles, listVisits, readSetting } from './account-tables.ts'
import { listRunning } from './account-uploads.ts'

const visitOf = (row: { at: number; kind: string } | undefined): Visit | undefined =>
  row === undefined ? undefined : { at: row.at, kind: row.kind as VisitKind }

/** A row of the table as the owner sees it. */
async function viewOf(context: AccountContext, row: FileRow): Promise<FileView> {
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
    ...(hidesNames(sql) ? { alias: await aliasOf(keyring, row.id) } : {}),
    ...(row.problem === null ? {} : { problem: row.problem }),
    ...(lastVisit === undefined ? {} : { lastVisit }),
  }
}

export async function overviewOf(context: AccountContext): Promise<Overview> {
  const { keyring, sql } = context
  const connection = await readConnection(sql, keyring)
  return {
    server: connection?.issuer ?? '',
    connected: readSetting(sql, 'pat') !== undefined,
    hidesNames: hidesNames(sql),
    files: await Promise.all(listFiles(sql, 'stored').map((row) => viewOf(context, row))),
    uploads: await listRunning(context),
  }
}
