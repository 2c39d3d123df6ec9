// The one error type of floors 4 to 6 and its conversion: JSON for programs, a page for people. `detail` goes to the log only.
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ErrorKind } from '../pages/error.tsx'

/**
 * A refusal that the protocol knows. `description` is lower case, says what to do, and never why a verification failed; it quotes with '
 * since " and \ may not stand in an `error_description` (RFC 6749 5.2, 4.1.2.1).
 */
export class OAuthError extends Error {
  readonly code: string
  readonly description: string
  readonly status: ContentfulStatusCode
  readonly headers: Record<string, string>
  /** Further members of the JSON body, e.g. `ticket`, `required_claims` (UMA Grant 3.3.6). */
  readonly members: Record<string, unknown>
  constructor(
    code: string,
    description: string,
    options: { status?: ContentfulStatusCode; headers?: Record<string, string>; members?: Record<string, unknown> } = {},
  ) {
    super(code)
    this.code = code
    this.description = describable(description)
    this.status = options.status ?? 400
    this.headers = options.headers ?? {}
    this.members = options.members ?? {}
  }
}

/** Text as RFC 6749 5.2 allows it in `error_description`: printable ASCII without " and \. */
export const describable = (text: string): string => text.replaceAll('"', "'").replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?')

/**
 * A refusal that a person sees as a page; texts come from the message file by `key`. `wait`: seconds after which it may go better, for
 * Retry-After (RFC 9110 10.2.3).
 */
export class PageError extends Error {
  readonly key: ErrorKind
  readonly status: ContentfulStatusCode
  /** Shown behind "Technical details". */
  readonly code: string
  readonly headers: Record<string, string>
  constructor(key: ErrorKind, code: string, status: ContentfulStatusCode = 400, wait?: number) {
    super(code)
    this.key = key
    this.code = code
    this.status = status
    this.headers = wait === undefined ? {} : { 'Retry-After': String(wait) }
  }
}

/** RFC 6585 4: no more codes are mailed for so many seconds. */
export const tooManyCodes = (wait: number): PageError => new PageError('too_many', 'too_many_codes', 429, wait)
