// What an account does by itself, by alarm: registers files at the owner's server, deletes what was deleted, gives up old uploads.
// Each step is one that can be repeated: a crash in between costs a repetition, nothing else.
import type { ProtectionApi } from '../../../shared/protection-api.ts'
import type { ResourceDescription } from '../../../shared/protocol/uma-federation.ts'
import { FILE_SCOPES } from '../domain.ts'
import { nowOf } from '../env.ts'
import { type AccountContext, type FileLabel, readLabel } from './account-context.ts'
import {
  dueFiles,
  type FileRow,
  listFiles,
  listUploads,
  nextDue,
  readFile,
  readSetting,
  removeFile,
  setPostponed,
  setRegistered,
  setState,
  writeSetting,
} from './account-tables.ts'
import { abortUpload } from './account-uploads.ts'

const UPLOAD_LIFETIME = 7 * 86_400
/** A server that has been gone so long keeps a resource of which nothing is left here; it opens nothing. */
const MOST_TRIES_TO_DELETE = 30

/** UMA FedAuthz 3.1: what the owner's server is told about a file. */
export const descriptionOf = (label: FileLabel): ResourceDescription => ({
  resource_scopes: [...FILE_SCOPES],
  name: label.name,
  type: label.type,
})

/** UMA FedAuthz 3.2.1: where the owner decides about this thing. It becomes a link, so it must not be a script. */
const webAddress = (uri: string | undefined): string | null => (uri !== undefined && /^https?:\/\//i.test(uri) ? uri : null)

/** 5 s, 10 s, 20 s ... one hour. */
const pause = (tries: number): number => Math.min(5 * 2 ** tries, 3600)

async function register(context: AccountContext, row: FileRow, api: ProtectionApi): Promise<void> {
  const answer = await api.registerResource(descriptionOf(await readLabel(context.keyring, row)))
  if (answer.kind === 'ok') setRegistered(context.sql, row.id, answer.value._id, webAddress(answer.value.user_access_policy_uri))
  else setPostponed(context.sql, row.id, nowOf() + pause(row.tries), answer.kind === 'refused' ? answer.error : answer.kind)
}

async function remove(context: AccountContext, row: FileRow): Promise<void> {
  const { env, sql } = context
  await env.FILES.delete(row.object_key)
  const api = row.resource_id === null ? undefined : await context.api()
  if (row.resource_id !== null && api !== undefined && row.tries < MOST_TRIES_TO_DELETE) {
    const answer = typeof api === 'string' ? { kind: api } : await api.deleteResource(row.resource_id)
    if (answer.kind !== 'ok') {
      setPostponed(sql, row.id, nowOf() + pause(row.tries), answer.kind)
      return
    }
  }
  removeFile(sql, row.id)
}

/** After a new connection: what the server does not know (any more) is registered again (UMA FedAuthz 3.2.5). */
async function reconcile(context: AccountContext, api: ProtectionApi): Promise<void> {
  const answer = await api.listResources()
  if (answer.kind !== 'ok') return
  const known = new Set(answer.value)
  for (const row of listFiles(context.sql, 'stored')) {
    if (row.resource_id !== null && !known.has(row.resource_id)) {
      context.sql.exec('UPDATE file SET resource_id = NULL, due = ?2, tries = 0 WHERE id = ?1', row.id, nowOf())
    }
  }
  writeSetting(context.sql, 'reconcile', undefined)
}

async function step(context: AccountContext, row: FileRow, api: ProtectionApi | 'disconnected' | 'unreachable'): Promise<void> {
  // A row may have changed while another one was worked on.
  const current = readFile(context.sql, row.id)
  if (current === undefined || current.due === null || current.due > nowOf()) return
  if (current.state === 'deleting') await remove(context, current)
  else if (current.state === 'stored' && current.resource_id !== null) setState(context.sql, current.id, 'stored', null)
  else if (typeof api === 'string') setPostponed(context.sql, current.id, nowOf() + pause(current.tries), api)
  else await register(context, current, api)
}

/** Does what is due; returns when to come back, in seconds since 1970. */
export async function upkeep(context: AccountContext): Promise<number | undefined> {
  const { sql } = context
  const due = dueFiles(sql, nowOf())
  const mustReconcile = readSetting(sql, 'reconcile') !== undefined
  if (due.length > 0 || mustReconcile) {
    const api = await context.api()
    if (mustReconcile && typeof api !== 'string') await reconcile(context, api)
    for (const row of [...due, ...dueFiles(sql, nowOf())]) await step(context, row, api)
  }
  const uploads = listUploads(sql)
  for (const upload of uploads) {
    if (upload.touched + UPLOAD_LIFETIME < nowOf()) await abortUpload(context, upload.file)
  }
  const times = [nextDue(sql), ...(uploads.length > 0 ? [nowOf() + 86_400] : [])].filter((time) => time !== undefined)
  return times.length === 0 ? undefined : Math.min(...times)
}
