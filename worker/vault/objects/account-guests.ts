// Requests of guests: put to the owner's authorization server each time, nothing is remembered of the answer.
import type { ProtectionApi } from '../../../shared/protection-api.ts'
import type { Permission } from '../../../shared/protocol/uma-federation.ts'
import { type Admission, admit, type Presented } from '../../../shared/resource-server.ts'
import type { FileScope, StoredFile } from '../domain.ts'
import { nowOf } from '../env.ts'
import { hashText } from '../keyring.ts'
import { readConnection } from './account-connection.ts'
import { type AccountContext, storedOf } from './account-context.ts'
import { type FileRow, readFile, takeProof } from './account-tables.ts'

/** A request for a file. `resourceMetadata`: where the metadata of its address lie (RFC 9728 5.1), if they are served. */
export type FileRequest = Presented & { resourceMetadata?: string }

export type FileAdmission =
  | { kind: 'gone' }
  | { kind: 'allowed'; file: StoredFile; scopes: string[] }
  | Extract<Admission, { kind: 'challenge' | 'unreachable' }>

export type GuestTicket = { kind: 'gone' } | { kind: 'unreachable'; reason: string } | { kind: 'ticket'; asUri: string; ticket: string }

type Shared =
  | { kind: 'gone' }
  | { kind: 'unreachable'; reason: string }
  | { kind: 'found'; row: FileRow; api: ProtectionApi; asUri: string; needed: Permission[] }

/** The file and the server that decides about it. */
async function sharedFile(context: AccountContext, file: string, scopes: FileScope[]): Promise<Shared> {
  const row = readFile(context.sql, file)
  if (row?.state !== 'stored') return { kind: 'gone' }
  if (row.resource_id === null) return { kind: 'unreachable', reason: 'not registered yet' }
  const [connection, api] = [await readConnection(context.sql, context.keyring), await context.api()]
  if (connection === undefined || typeof api === 'string') return { kind: 'unreachable', reason: String(api) }
  return { kind: 'found', row, api, asUri: connection.issuer, needed: [{ resource_id: row.resource_id, resource_scopes: scopes }] }
}

export async function admitGuest(
  context: AccountContext,
  file: string,
  scopes: FileScope[],
  presented: FileRequest,
): Promise<FileAdmission> {
  const found = await sharedFile(context, file, scopes)
  if (found.kind !== 'found') return found
  const { api, asUri, needed, row } = found
  const isFresh = async (jti: string, seconds: number): Promise<boolean> => {
    const hash = await hashText(context.keyring, 'dpop proof', jti)
    return takeProof(context.sql, hash, nowOf() + seconds, nowOf())
  }
  const protection = { api, asUri, realm: 'vault', needed, resourceMetadata: presented.resourceMetadata }
  const admission = await admit(presented, protection, { now: nowOf(), isFresh })
  if (admission.kind !== 'allowed') return admission
  const granted = admission.rpt.permissions.filter((permission) => permission.resource_id === row.resource_id)
  const stored = await storedOf(context.keyring, row)
  // Deleted while the server was asked: it is gone now.
  if (readFile(context.sql, file)?.state !== 'stored') return { kind: 'gone' }
  return { kind: 'allowed', file: stored, scopes: [...new Set(granted.flatMap((permission) => permission.resource_scopes))] }
}

/** UMA FedAuthz 4.1, for the vault's own guest client. */
export async function ticketForGuest(context: AccountContext, file: string, scopes: FileScope[]): Promise<GuestTicket> {
  const found = await sharedFile(context, file, scopes)
  if (found.kind !== 'found') return found
  const answer = await found.api.requestTicket(found.needed)
  return answer.kind === 'ok' ? { kind: 'ticket', asUri: found.asUri, ticket: answer.value } : { kind: 'unreachable', reason: answer.kind }
}
