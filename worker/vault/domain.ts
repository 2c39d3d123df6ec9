// Words of the vault that its objects, pages and script share. Instants in seconds since 1970.

/** Scopes under which every file is registered at its owner's authorization server. */
export const FILE_SCOPES = ['view', 'download', 'delete'] as const
export type FileScope = (typeof FILE_SCOPES)[number]

/** 8 MiB: R2 takes parts of 5 MiB and more, all of one size but the last. */
export const PART_SIZE = 8 * 1024 * 1024
/** 20 GiB: below R2's 10 000 parts. */
export const MOST_BYTES = 20 * 1024 * 1024 * 1024
/** Seconds in which a deletion can be undone. */
export const UNDO_SECONDS = 10

/** What was done with a link. The vault sees visits, never people. */
export type VisitKind = 'viewed' | 'downloaded' | 'refused'
export type Visit = { at: number; kind: VisitKind }

/** `waiting`: will be tried (again) by itself; `done`: the owner's server knows it, it can be shared. */
export type Registration = 'waiting' | 'done'

export type FileView = {
  id: string
  /** Path of the link that can be given away. */
  path: string
  name: string
  type: string
  size: number
  created: number
  registration: Registration
  /** Page of the owner's server about this file (UMA FedAuthz 3.2.1). */
  policyUri?: string
  /** Why registration has not worked yet, in the server's word; only after a failed try. */
  problem?: string
  /** What the owner's server is told instead of the name, where names stay in the vault. */
  alias?: string
  lastVisit?: Visit
}

export type UploadView = { id: string; name: string; size: number; fingerprint: string; partSize: number; parts: number[] }

export type Overview = {
  /** The authorization server where this account decides. */
  server: string
  /** False: the connection is over, nothing can be shared or opened until the owner connects again. */
  connected: boolean
  /** The owner's server is not told what files are called and of which kind they are. */
  hidesNames: boolean
  files: FileView[]
  uploads: UploadView[]
}

/** A file as somebody who may have it needs it. */
export type StoredFile = { name: string; type: string; size: number; key: string; etag: string }
