// Calls of the vault's own JSON interface. Every answer is the vault's own, so it is typed and not checked again.
import type { FileView, Overview, UploadView, Visit } from '../domain.ts'

export type FilePage = { server: string; connected: boolean; file: FileView; visits: Visit[] }

/** `error` is the vault's word, `message` a sentence in the reader's language. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(`/api${path}`, { ...init, credentials: 'same-origin' })
  if (response.ok) return response
  const body = (await response.json().catch(() => ({}))) as { error?: string; error_description?: string }
  // Signed out elsewhere: the front page says how to go on.
  if (response.status === 401) location.assign('/')
  throw new Refused(response.status, body.error ?? 'unknown', body.error_description ?? response.statusText)
}

const json = async <T>(path: string, init?: RequestInit): Promise<T> => (await (await call(path, init)).json()) as T
const send = (method: string, body?: unknown): RequestInit =>
  body === undefined ? { method } : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }

export const overview = (): Promise<Overview> => json('/overview')
export const hideNames = (hides_names: boolean): Promise<Response> => call('/settings', send('POST', { hides_names }))
export const filePage = (id: string): Promise<FilePage> => json(`/files/${id}`)
export const deleteFile = (id: string): Promise<Response> => call(`/files/${id}`, send('DELETE'))
export const restoreFile = (id: string): Promise<Response> => call(`/files/${id}/restore`, send('POST'))

export const beginUpload = (file: { name: string; type: string; size: number; fingerprint: string }): Promise<UploadView> =>
  json('/uploads', send('POST', file))
export const completeUpload = (id: string): Promise<Response> => call(`/uploads/${id}/complete`, send('POST'))
export const abortUpload = (id: string): Promise<Response> => call(`/uploads/${id}`, send('DELETE'))

/** Where one part is sent. */
export const partUrl = (id: string, number: number): string => `/api/uploads/${id}/parts/${number}`
export const contentUrl = (id: string): string => `/api/files/${id}/content`
export const downloadUrl = (id: string): string => `/api/files/${id}/content?download=1`
