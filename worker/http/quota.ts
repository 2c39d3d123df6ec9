// What a program hears when a quota is used up (worker/objects/quotas.ts). Storage that is full is 507 and passes by deleting; a rate is 429.
import { OAuthError } from './errors.ts'

/** Reasons with which the owner's object refuses to keep more. */
export const FULL = {
  full_resources: 'as many resources are registered as this server keeps; delete some first',
  full_policies: 'as many shares exist as this server keeps for one owner; stop some first',
  full_people: 'as many people are known as this server keeps for one owner; share with those who are known',
  full_connections: 'as many services and wallets are connected as this server keeps for one owner; disconnect one first',
  full_rules: 'as many rules exist as this server keeps for one owner, or for one thing; drop some first',
  full_groups: 'as many groups exist as this server keeps for one owner; drop some first',
  full_members: 'as many people are in groups as this server keeps for one owner; take some out first',
  full_memberships: 'as many organisations are joined as this server keeps for one owner; leave one first',
  full_types: 'as many types of things are described as this server keeps for one owner; drop some first',
  full_issuers: 'as many issuers are registered as this server keeps for one owner; take one out first',
} as const

export type Full = keyof typeof FULL

export const isFull = (reason: string): reason is Full => Object.hasOwn(FULL, reason)

/** 507 `quota_exceeded` (RFC 4918 11.5). */
export const quotaExceeded = (reason: Full): OAuthError => new OAuthError('quota_exceeded', FULL[reason], { status: 507 })

/**
 * Seconds after which to ask an owner again who has too many questions, whosever they are (CLAIMS 7). Always the same: when one of the
 * questions of others is answered is not told (DESIGN decision 8).
 */
export const QUESTIONS_AGAIN = 86_400

/** 429 with Retry-After (RFC 6585 4), for an app that asks or changes too much at once. */
export const tooManyCalls = (wait: number): OAuthError =>
  new OAuthError('temporarily_unavailable', `too much at once; wait ${wait} seconds`, {
    status: 429,
    headers: { 'Retry-After': String(wait) },
  })

/** 429 with Retry-After (RFC 6585 4). */
export const tooManyTickets = (wait: number): OAuthError =>
  new OAuthError('temporarily_unavailable', `too many tickets for this service and owner; wait ${wait} seconds`, {
    status: 429,
    headers: { 'Retry-After': String(wait) },
  })

/** For a program whose ticket leads to a question to the owner (UMA Grant 3.3.6); a ticket lives shorter than the wait. */
export const tooManyQuestions = (): OAuthError =>
  new OAuthError('temporarily_unavailable', 'too many questions wait for the owner; come again in a day, with a new ticket', {
    status: 429,
    headers: { 'Retry-After': String(QUESTIONS_AGAIN) },
  })
