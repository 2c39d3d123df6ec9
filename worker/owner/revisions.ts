// Optimistic locking (RFC 9110 13.1.1): a change says which revision it is a change of. Rules, shares, groups and types of things alike.
import type { AppContext } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { invalid, NO_STORE, refusal } from './rule-context.ts'

type Refused = { kind: 'refused'; reason: string } | { kind: 'unavailable' }

/** The revision in If-Match, one strong tag; undefined if there is none. OAuthError `invalid_request` for anything else. */
export function seenRevision(c: AppContext): number | undefined {
  const header = c.req.header('if-match')
  if (header === undefined) return undefined
  const revision = /^"(\d{1,15})"$/.exec(header.trim())?.[1]
  if (revision === undefined) throw invalid('If-Match is one revision in quotation marks')
  return Number(revision)
}

/** As `seenRevision`. Without it nobody knows what the caller decided about: 428 (RFC 6585 3). */
export function demandedRevision(c: AppContext): number {
  const revision = seenRevision(c)
  if (revision === undefined) throw unseen()
  return revision
}

const unseen = () => new OAuthError('invalid_request', 'send If-Match with the revision that you have read', { status: 428 })

/** For changes that need no revision. */
export function ifSeen(c: AppContext): { expected_rev?: number } {
  const revision = seenRevision(c)
  return revision === undefined ? {} : { expected_rev: revision }
}

/** For what can be made by the same call: without a revision there must be none. */
export const seenOrNew = (c: AppContext): { expected_rev: number } => ({ expected_rev: seenRevision(c) ?? 0 })

/** The refusal of a call with `seenOrNew`: who named no revision is asked for one. */
export const refusedUnseen = (c: AppContext, done: Refused): OAuthError =>
  done.kind === 'refused' && done.reason === 'conflict' && seenRevision(c) === undefined ? unseen() : refusal(done)

/** Headers of an answer about something with a revision. */
export const revised = (rev: number): Record<string, string> => ({ ...NO_STORE, ETag: `"${rev}"` })
