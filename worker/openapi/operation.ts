// What one operation of the API is: the table that the document is generated from and that the tests send requests by.
import * as v from 'valibot'
import type { ErrorCode } from './errors.ts'

export type Tag = 'Discovery' | 'Clients' | 'Tokens' | 'Protection' | 'Owner' | 'Decisions' | 'Credentials' | 'Pages'

/** Who may call. `client`: client authentication as registered; `protection`: PAT; `owner`: a wallet's token; `session`: a cookie of a page. */
export type Access = 'anyone' | 'client' | 'registration' | 'protection' | 'owner' | 'credential' | 'session'

export type Parameter = {
  name: string
  in: 'query' | 'path' | 'header'
  schema: v.GenericSchema
  description: string
  required?: boolean
}

export type Reply = {
  description: string
  /** JSON unless `type` says otherwise; none: no body. */
  schema?: v.GenericSchema
  type?: string
  headers?: Readonly<Record<string, string>>
}

export type Operation = {
  method: 'get' | 'post' | 'put' | 'delete'
  /** With {names} as OpenAPI writes them. */
  path: string
  id: string
  tag: Tag
  summary: string
  description?: string
  access: Access
  parameters?: readonly Parameter[]
  body?: { type: 'form' | 'json'; schema: v.GenericSchema; example?: unknown }
  replies: Readonly<Record<number, Reply>>
  errors: Readonly<Record<number, readonly ErrorCode[]>>
}

/** What every operation may answer that reads or writes something. */
export const FAULTS = { 500: ['server_error'], 503: ['temporarily_unavailable'] } as const satisfies Operation['errors']
/** A network that asks too often (RFC 6585 4). */
export const TOO_MANY = { 429: ['temporarily_unavailable'] } as const satisfies Operation['errors']
/** As much is kept as this server keeps for one owner (RFC 4918 11.5). */
export const FULL = { 507: ['quota_exceeded'] } as const satisfies Operation['errors']
/** A PAT that is missing, dead, of another kind, or without its proof. */
export const TOKEN_REFUSALS = {
  401: ['invalid_token', 'invalid_dpop_proof'],
  403: ['insufficient_scope'],
} as const satisfies Operation['errors']

/** The same for a wallet's token, and an app that asks or changes too much at once. */
export const OWNER_REFUSALS = { ...TOKEN_REFUSALS, ...TOO_MANY } as const satisfies Operation['errors']

/** A string of so many characters, for parameters and forms. */
export const text = (max: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(max))

export const pathParameter = (name: string, description: string): Parameter => ({
  name,
  in: 'path',
  schema: text(256),
  description,
  required: true,
})
export const query = (name: string, description: string, schema: v.GenericSchema = text(2048), required = false): Parameter => ({
  name,
  in: 'query',
  schema,
  description,
  required,
})
/** RFC 9449 4.1 */
export const dpopHeader: Parameter = {
  name: 'DPoP',
  in: 'header',
  schema: v.pipe(v.string(), v.maxLength(8192)),
  description: 'A DPoP proof (RFC 9449): demanded with a token that is bound to a key, and of public clients.',
}
