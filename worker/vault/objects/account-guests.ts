// Requests of guests: put to the owner's authorization server each time, nothing is remembered of the answer.
import { type Admission, admit, type Presented, type Protection, requestTicketFor } from '../../../shared/resource-server.ts'
import type { FileScope, StoredFile } from '../domain.ts'
import { nowOf } from '../env.ts'
import { hashText } from '../keyring.ts'
import { type AccountContext, descriptionOf, storedOf } from './account-context.ts'
import { type FileRow, readFile, takeProof } from './account-tables.ts'

/** A request for a file. `resourceMetadata`: where the metadata of its address lie (RFC 9728 5.1), if they are served. */
export type FileRequest = Presented & { resourceMetadata?: string }

export type FileAdmission =
  | { kind: 'gone' }
  | { kind: 'allowed'; file: StoredFile; scopes: string[] }
  | Extract<Admission, { kind: 'challenge' | 'unreachable' }>

export type GuestTicket = { kind: 'gone' } | { kind: 'unreachable'; reason: string } | { kind: 'ticket'; asUri: string; ticket: string }

type Shared = { kind: 'gone' } | { kind: 'unreachable'; reason: string } | { kind: 'found'; row: FileRow; protection: Protection }

/** The file and what its owner's server must say; the kit registers the file (again) if that server does not know it. */
async function sharedFile(context: AccountContext, file: string, scopes: FileScope[]): Promise<Shared> {
  const row = readFile(context.sql, file)
  if (row?.state !== 'stored') return { kind: 'gone' }
  const owner = await context.owner()
  if (owner === undefined) return { kind: 'unreachable', reason: 'disconnected' }
  return { kind: 'found', row, protection: await owner.protect(file, await descriptionOf(context, row), scopes) }
}

export async function admitGuest(
  context: AccountContext,
  file: string,
  scopes: FileScope[],
  presented: FileRequest,
): Promise<FileAdmission> {
  const found = await sharedFile(context, file, scopes)
  if (found.kind !== 'found') return found
  const { row } = found
  const isFresh = async (jti: string, seconds: number): Promise<boolean> => {
    const hash = await hashText(context.keyring, 'dpop proof', jti)
    return takeProof(context.sql, hash, nowOf() + seconds, nowOf())
  }
  const protection = { ...found.protection, resourceMetadata: presented.resourceMetadata }
  const admission = await admit(presented, protection, { now: nowOf(), isFresh })
  if (admission.kind !== 'allowed') return admission
  const granted = admission.rpt.permissions.filter((one) => protection.needed.some((need) => need.resource_id === one.resource_id))
  const stored = await storedOf(context.keyring, row)
  // Deleted while the server was asked: it is gone now.
  if (readFile(context.sql, file)?.state !== 'stored') return { kind: 'gone' }
  return { kind: 'allowed', file: stored, scopes: [...new Set(granted.flatMap((permission) => permission.resource_scopes))] }
}

/** UMA FedAuthz 4.1, for the vault's own guest client. */
export async function ticketForGuest(context: AccountContext, file: string, scopes: FileScope[]): Promise<GuestTicket> {
  const found = await sharedFile(context, file, scopes)
  if (found.kind !== 'found') return found
  const answer = await requestTicketFor(found.protection)
  const { asUri } = found.protection
  return answer.kind === 'ok' ? { kind: 'ticket', asUri, ticket: answer.value } : { kind: 'unreachable', reason: answer.kind }
}
