// What an account does by itself, by alarm: registers files at the owner's server, deletes what was deleted, gives up old uploads.
// Each step is one that can be repeated: a crash in between costs a repetition, nothing else.
import type { OwnerConnection } from '../../../shared/owner-connection.ts'
import { nowOf } from '../env.ts'
import { type AccountContext, descriptionOf } from './account-context.ts'
import {
  dueFiles,
  type FileRow,
  listFiles,
  listUploads,
  nextDue,
  readFile,
  readSetting,
  removeFile,
  setDone,
  setPostponed,
  writeSetting,
} from './account-tables.ts'
import { abortUpload } from './account-uploads.ts'

const UPLOAD_LIFETIME = 7 * 86_400
/** A server that has been gone so long keeps a resource of which nothing is left here; it opens nothing. */
const MOST_TRIES_TO_DELETE = 30
const NOBODY = { kind: 'disconnected' } as const

/** 5 s, 10 s, 20 s ... one hour. */
const pause = (tries: number): number => Math.min(5 * 2 ** tries, 3600)

/** Registers a file or tells the server what has changed, both by the kit, which writes what came of it into the row. */
async function register(context: AccountContext, row: FileRow, owner: OwnerConnection | undefined): Promise<void> {
  const answer = owner === undefined ? NOBODY : await owner.register(row.id, await descriptionOf(context, row))
  if (answer.kind === 'ok') setDone(context.sql, row.id)
  else setPostponed(context.sql, row.id, nowOf() + pause(row.tries), answer.kind === 'refused' ? answer.error : answer.kind)
}

async function remove(context: AccountContext, row: FileRow, owner: OwnerConnection | undefined): Promise<void> {
  const { env, sql } = context
  await env.FILES.delete(row.object_key)
  const answer = owner === undefined ? NOBODY : await owner.unregister(row.id)
  if (answer.kind !== 'ok' && row.resource_id !== null && row.tries < MOST_TRIES_TO_DELETE) {
    setPostponed(sql, row.id, nowOf() + pause(row.tries), answer.kind)
    return
  }
  removeFile(sql, row.id)
}

/** After a new connection: what the server does not know (any more) is due again (UMA FedAuthz 3.2.5). */
async function reconcile(context: AccountContext, owner: OwnerConnection): Promise<void> {
  const answer = await owner.reconcile(listFiles(context.sql, 'stored').map(({ id }) => id))
  if (answer.kind === 'ok') writeSetting(context.sql, 'reconcile', undefined)
}

async function step(context: AccountContext, row: FileRow, owner: OwnerConnection | undefined): Promise<void> {
  // A row may have changed while another one was worked on.
  const current = readFile(context.sql, row.id)
  if (current === undefined || current.due === null || current.due > nowOf()) return
  if (current.state === 'deleting') await remove(context, current, owner)
  else if (current.state === 'stored') await register(context, current, owner)
}

/** Does what is due; returns when to come back, in seconds since 1970. */
export async function upkeep(context: AccountContext): Promise<number | undefined> {
  const { sql } = context
  const due = dueFiles(sql, nowOf())
  const mustReconcile = readSetting(sql, 'reconcile') !== undefined
  if (due.length > 0 || mustReconcile) {
    const owner = await context.owner()
    if (mustReconcile && owner !== undefined) await reconcile(context, owner)
    for (const row of [...due, ...dueFiles(sql, nowOf())]) await step(context, row, owner)
  }
  const uploads = listUploads(sql)
  for (const upload of uploads) {
    if (upload.touched + UPLOAD_LIFETIME < nowOf()) await abortUpload(context, upload.file)
  }
  const times = [nextDue(sql), ...(uploads.length > 0 ? [nowOf() + 86_400] : [])].filter((time) => time !== undefined)
  return times.length === 0 ? undefined : Math.min(...times)
}
