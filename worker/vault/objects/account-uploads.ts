// Uploads of one account: begun, continued after a reload, completed, given up. Bytes never come here; they go from the request
// straight into R2, part by part, and this keeps the list of parts.
import { toBase64url } from '../../../shared/base64url.ts'
import { PART_SIZE, type UploadView } from '../domain.ts'
import { nowOf, randomBytes } from '../env.ts'
import { hashText, openJson, sealJson } from '../keyring.ts'
import { newFileId } from '../names.ts'
import { type AccountContext, readLabel } from './account-context.ts'
import {
  addPart,
  type FileRow,
  findUpload,
  insertFile,
  insertUpload,
  listParts,
  listUploads,
  readFile,
  readUpload,
  removeFile,
  storeFile,
  type UploadRow,
} from './account-tables.ts'

export type NewUpload = { name: string; type: string; size: number; fingerprint: string }

const viewOf = async (context: AccountContext, id: string, fingerprint: string): Promise<UploadView | undefined> => {
  const row = readFile(context.sql, id)
  if (row === undefined) return undefined
  const { name } = await readLabel(context.keyring, row)
  const parts = listParts(context.sql, id).map((part) => part.number)
  return { id, name, size: row.size, fingerprint, partSize: PART_SIZE, parts }
}

/** The fingerprint is told by the browser and kept as a hash; the browser that asks again gets it back from what it told. */
export async function beginUpload(context: AccountContext, upload: NewUpload): Promise<UploadView> {
  const { env, keyring, sql } = context
  const fingerprint = await hashText(keyring, 'fingerprint', `${upload.fingerprint}\n${upload.size}`)
  const running = findUpload(sql, fingerprint)
  const known = running === undefined ? undefined : await viewOf(context, running.file, upload.fingerprint)
  if (known !== undefined) return known
  const id = newFileId()
  const key = toBase64url(randomBytes(18))
  // R2 has no upload of nothing in parts; an empty file is put at once when it is completed.
  const uploadId = upload.size === 0 ? undefined : (await env.FILES.createMultipartUpload(key)).uploadId
  const sealedId = uploadId === undefined ? null : await sealJson(keyring, 'upload', uploadId)
  const label = await sealJson(keyring, 'file', { name: upload.name, type: upload.type })
  const now = nowOf()
  insertFile(sql, { id, label, size: upload.size, created: now, object_key: key })
  insertUpload(sql, { file: id, upload_id: sealedId, fingerprint, touched: now })
  return { id, name: upload.name, size: upload.size, fingerprint: upload.fingerprint, partSize: PART_SIZE, parts: [] }
}

/** Uploads that are on their way. Their fingerprints stay here: only the browser that has the file knows them. */
export async function listRunning(context: AccountContext): Promise<UploadView[]> {
  const views = await Promise.all(listUploads(context.sql).map((row) => viewOf(context, row.file, '')))
  return views.filter((view) => view !== undefined)
}

export type PartTarget = { key: string; uploadId: string; length: number }

/** Where part `number` (from 1) goes and how long it must be; nothing when there is no such part. */
export async function partTarget(context: AccountContext, id: string, number: number): Promise<PartTarget | undefined> {
  const [row, upload] = [readFile(context.sql, id), readUpload(context.sql, id)]
  const count = row === undefined ? 0 : Math.ceil(row.size / PART_SIZE)
  if (row === undefined || !upload?.upload_id || number < 1 || number > count) return undefined
  const uploadId = await openJson(context.keyring, 'upload', upload.upload_id)
  if (typeof uploadId !== 'string') return undefined
  return { key: row.object_key, uploadId, length: number < count ? PART_SIZE : row.size - (count - 1) * PART_SIZE }
}

export function partStored(context: AccountContext, id: string, part: { number: number; etag: string; size: number }): void {
  if (readUpload(context.sql, id) !== undefined) addPart(context.sql, id, part, nowOf())
}

/** The whole object out of its parts; nothing when R2 does not (any more) know the upload and has no whole object either. */
async function joinParts(context: AccountContext, row: FileRow, upload: UploadRow): Promise<R2Object | null> {
  const { env, keyring, sql } = context
  const uploadId = upload.upload_id === null ? undefined : await openJson(keyring, 'upload', upload.upload_id)
  if (typeof uploadId !== 'string') return env.FILES.put(row.object_key, new Uint8Array())
  const parts = listParts(sql, row.id).map((part) => ({ partNumber: part.number, etag: part.etag }))
  try {
    return await env.FILES.resumeMultipartUpload(row.object_key, uploadId).complete(parts)
  } catch {
    // Joined by another call, or before a crash: then the object is there. Or R2 gave the upload up.
    const whole = await env.FILES.head(row.object_key)
    return whole?.size === row.size ? whole : null
  }
}

/** Joins the parts. `missing`: some are not here yet; `gone`: no such upload. Done twice it answers the same. */
export async function completeUpload(context: AccountContext, id: string): Promise<'done' | 'missing' | 'gone'> {
  const { env, sql } = context
  const [row, upload] = [readFile(sql, id), readUpload(sql, id)]
  if (row === undefined || upload === undefined) return row?.state === 'stored' ? 'done' : 'gone'
  const stored = listParts(sql, id).reduce((sum, part) => sum + part.size, 0)
  if (stored !== row.size) return 'missing'
  const object = await joinParts(context, row, upload)
  const current = readFile(sql, id)
  if (current?.state === 'stored') return 'done'
  if (object === null || current === undefined) {
    // Given up meanwhile, here or by R2: nothing may be left of it.
    removeFile(sql, id)
    await env.FILES.delete(row.object_key)
    return 'gone'
  }
  storeFile(sql, id, object.httpEtag, nowOf())
  return 'done'
}

export async function abortUpload(context: AccountContext, id: string): Promise<void> {
  const { env, keyring, sql } = context
  const [row, upload] = [readFile(sql, id), readUpload(sql, id)]
  if (row === undefined || upload === undefined) return
  removeFile(sql, id)
  const uploadId = upload.upload_id === null ? undefined : await openJson(keyring, 'upload', upload.upload_id)
  if (typeof uploadId === 'string') await env.FILES.resumeMultipartUpload(row.object_key, uploadId).abort()
}
