// What browsers open and send. Programs send people here and do not call it; it is listed so that nothing of the server is unsaid.
import * as v from 'valibot'
import { authorizationRequest } from '../../shared/protocol/oauth.ts'
import { claimsInteractionRequest } from '../../shared/protocol/uma-grant.ts'
import type { ErrorCode } from './errors.ts'
import { FAULTS, type Operation, type Parameter, pathParameter, query, text } from './operation.ts'

const HTML = { description: 'A page.', type: 'text/html' }
const ON = { description: 'On to the next page, or back to the app.' }
const csrf = { csrf: text(256) }

type Errors = Readonly<Record<number, readonly ErrorCode[]>>
const get = (path: string, id: string, summary: string, rest: { parameters?: readonly Parameter[]; errors?: Errors } = {}): Operation => ({
  method: 'get',
  path,
  id,
  tag: 'Pages',
  summary,
  access: 'session',
  ...(rest.parameters === undefined ? {} : { parameters: rest.parameters }),
  replies: { 200: HTML, 303: ON },
  errors: { ...rest.errors, ...FAULTS },
})

type Sent = { fields?: v.ObjectEntries; parameters?: readonly Parameter[]; isJson?: boolean; errors?: Errors }
const post = (
  path: string,
  id: string,
  summary: string,
  { fields = {}, parameters, isJson = false, errors = {} }: Sent = {},
): Operation => ({
  method: 'post',
  path,
  id,
  tag: 'Pages',
  summary,
  description: isJson ? 'By the page’s script, with the header x-csrf.' : 'By the page’s own form.',
  access: 'session',
  ...(parameters === undefined ? {} : { parameters }),
  body: isJson ? { type: 'json', schema: v.object(fields) } : { type: 'form', schema: v.object({ ...csrf, ...fields }) },
  replies: isJson ? { 200: { description: 'For the script.', schema: v.looseObject({}) } } : { 200: HTML, 303: ON, 422: HTML },
  errors: {
    ...errors,
    400: ['invalid_request', ...(errors[400] ?? [])],
    401: errors[401] ?? ['no_session'],
    403: ['cross_site', 'csrf', ...(errors[403] ?? [])],
    413: ['invalid_request'],
    ...FAULTS,
  },
})

/** Each member of a schema as a query parameter. */
const queryOf = (schema: { entries: v.ObjectEntries }): Parameter[] =>
  Object.entries(schema.entries).map(([name, member]) =>
    member.type === 'optional' && 'wrapped' in member
      ? query(name, 'As the specification says.', member.wrapped as v.GenericSchema)
      : query(name, 'As the specification says.', member as v.GenericSchema, true),
  )

const next = query('next', 'Where to go afterwards: a path of this server.')
const sid = [pathParameter('sid', 'The interaction, as the server named it.')]
const NO_INTERACTION: Errors = { 400: ['no_claims_session', 'claims_session_over', 'service_gone', 'unauthorized_client'] }
const interaction = (name: string, summary: string, fields: v.ObjectEntries = {}, isJson = false): Operation =>
  post(`/uma/claims/{sid}/${name}`, `claims${name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}`, summary, {
    fields,
    parameters: sid,
    isJson,
    errors: { ...NO_INTERACTION, 429: ['too_many_codes'] },
  })
const address = { address: text(320) }
const code = { code: text(64) }
const client = { client: text(2048) }
const issuer = { issuer: text(255) }
const loose = v.looseObject({})

export const pageOperations: readonly Operation[] = [
  get('/authorize', 'authorize', 'Ask the owner to connect a service or a wallet (RFC 6749 4.1.1)', {
    parameters: [
      ...queryOf(authorizationRequest),
      query('request_uri', 'Of a pushed request (RFC 9126), instead of the others but client_id.', text(8192)),
    ],
    errors: {
      400: ['unauthorized_client', 'invalid_redirect_uri', 'invalid_request', 'invalid_request_uri'],
    },
  }),
  post('/authorize/consent', 'consent', 'The owner’s yes or no', {
    fields: { request: text(16_384), decision: text(16) },
    errors: { 400: ['consent_expired'] },
  }),
  get('/uma/claims', 'claims', 'Send the requesting party here with a ticket (UMA Grant 3.3.2)', {
    parameters: queryOf(claimsInteractionRequest),
    errors: { 400: ['invalid_request', 'unauthorized_client', 'invalid_claims_redirect_uri', 'session_too_large', 'service_gone'] },
  }),
  get('/uma/claims/{sid}', 'claimsPage', 'The claims page', { parameters: sid, errors: NO_INTERACTION }),
  interaction('address', 'Mails a code', address),
  interaction('code', 'Types the code', code),
  interaction('wallet-request', 'A signed request for a wallet (OpenID4VP)', {}, true),
  interaction('wallet-response', 'A wallet’s encrypted answer', { response: text(60_000) }, true),
  interaction('keep', 'A credential offer for this wallet', {}, true),
  interaction('ask', 'Asks the owner', { note: v.optional(text(1024)) }),
  interaction('withdraw', 'Takes the question back'),
  interaction('self', 'The owner, signed in, shows the address that she signs in with'),
  {
    method: 'get',
    path: '/uma/claims/{sid}/state',
    id: 'claimsState',
    tag: 'Pages',
    summary: 'Whether the owner has answered',
    access: 'session',
    parameters: sid,
    replies: { 200: { description: 'waiting, yes or no.', schema: v.object({ state: v.picklist(['waiting', 'yes', 'no']) }) } },
    errors: { ...NO_INTERACTION, ...FAULTS },
  },
  interaction('continue', 'Back to the app'),
  interaction('cancel', 'Back to the app with nothing shown'),
  get('/account', 'account', 'The account as a whole', { errors: { 401: ['no_session'] } }),
  {
    method: 'get',
    path: '/account/takeout',
    id: 'accountTakeOut',
    tag: 'Pages',
    summary: 'Everything that is kept for the owner',
    access: 'session',
    replies: { 200: { description: 'One file.', schema: v.looseObject({ id: v.string() }) } },
    errors: { 401: ['no_session'], ...FAULTS },
  },
  post('/account/delete', 'accountDelete', 'Deletes the account', { fields: { confirmed: v.optional(text(16)) } }),
  get('/proofs', 'proofs', 'What is remembered about a guest'),
  post('/proofs', 'proofsAddress', 'Mails a code', { fields: address, errors: { 400: ['no_guest_session'], 429: ['too_many_codes'] } }),
  get('/proofs/code', 'proofsCodePage', 'Where the code is typed', { errors: { 400: ['no_guest_session'] } }),
  post('/proofs/code', 'proofsCode', 'Types the code', { fields: code, errors: { 400: ['no_guest_session'] } }),
  {
    method: 'get',
    path: '/proofs/takeout',
    id: 'proofsTakeOut',
    tag: 'Pages',
    summary: 'What is remembered about a guest, as one file',
    access: 'session',
    replies: { 200: { description: 'One file.', schema: v.looseObject({ address: v.string() }) }, 303: ON },
    errors: { 400: ['no_guest_session'], ...FAULTS },
  },
  post('/proofs/forget', 'proofsForget', 'Forgets one consent, or everything', {
    fields: { id: v.optional(text(128)) },
    errors: { 400: ['no_guest_session'] },
  }),
  post('/proofs/withdraw', 'proofsWithdraw', 'Takes back what an owner was asked', {
    fields: { request: text(2048) },
    errors: { 400: ['no_guest_session', 'invalid_request'] },
  }),
  post('/proofs/sign-out', 'proofsSignOut', 'Leaves the page', { errors: { 400: ['no_guest_session'] } }),
  get('/sign-in', 'signInPage', 'Where an owner signs in', { parameters: [next] }),
  post('/sign-in', 'signIn', 'Mails a code', {
    fields: { ...address, next: v.optional(text(2048)) },
    errors: { 400: ['no_sign_in'], 429: ['too_many_codes'] },
  }),
  get('/sign-in/code', 'signInCodePage', 'Where the code is typed', { parameters: [next], errors: { 400: ['no_sign_in'] } }),
  post('/sign-in/code', 'signInCode', 'Types the code', {
    fields: { ...code, next: v.optional(text(2048)) },
    errors: { 400: ['no_sign_in'], 403: ['registration_closed'] },
  }),
  post('/sign-in/passkey/options', 'signInPasskeyOptions', 'What a passkey is asked', { isJson: true, errors: { 400: ['no_sign_in'] } }),
  post('/sign-in/passkey', 'signInPasskey', 'A passkey’s answer', {
    isJson: true,
    fields: { state: text(16_384), response: loose, next: v.optional(text(2048)) },
    errors: { 400: ['no_sign_in'] },
  }),
  get('/welcome', 'welcome', 'Shown once, with the recovery code', { parameters: [next], errors: { 401: ['no_session'] } }),
  post('/sign-out', 'signOut', 'Signs out'),
  get('/admin', 'admin', 'For operators: numbers, clients, invitations, keys', {
    parameters: [query('client', 'A client to look for.')],
    errors: { 404: ['not_found'] },
  }),
  post('/admin/rotate-keys', 'rotateKeys', 'Makes new keys', { errors: { 404: ['not_found'] } }),
  post('/admin/block', 'blockClient', 'Blocks a client for everybody', { fields: client, errors: { 404: ['not_found'] } }),
  post('/admin/unblock', 'unblockClient', 'Lets a blocked client go on', { fields: client, errors: { 404: ['not_found'] } }),
  post('/admin/add-rule', 'addPlatformRule', 'A rule for every owner', {
    fields: { name: text(200), rule: text(16_384) },
    errors: { 404: ['not_found'] },
  }),
  post('/admin/drop-rule', 'dropPlatformRule', 'Drops one', { fields: { rule: text(128) }, errors: { 404: ['not_found'] } }),
  post('/admin/add-issuer', 'addIssuer', 'Takes the word of an issuer for everybody', {
    fields: { ...issuer, keys: v.optional(text(2048)), about: text(1024), domains: v.optional(text(8192)), apps: v.optional(text(65_536)) },
    errors: { 404: ['not_found'] },
  }),
  post('/admin/block-issuer', 'blockIssuer', 'Blocks an issuer for everybody', { fields: issuer, errors: { 404: ['not_found'] } }),
  post('/admin/unblock-issuer', 'unblockIssuer', 'Lets a blocked issuer count again', { fields: issuer, errors: { 404: ['not_found'] } }),
  post('/admin/invite', 'invite', 'Invites an owner by mail', { fields: address, errors: { 404: ['not_found'] } }),
  post('/admin/revoke-invitation', 'revokeInvitation', 'Removes an invitation', {
    fields: { invitation: text(64) },
    errors: { 404: ['not_found'] },
  }),
  post('/unlock', 'unlock', 'Opens the names in this browser', { fields: { recovery_code: text(256) } }),
  post('/passkeys/options', 'passkeyOptions', 'What a new passkey is asked', { isJson: true }),
  post('/passkeys', 'addPasskey', 'A new passkey', { isJson: true, fields: { state: text(16_384), response: loose } }),
  get('/', 'home', 'Home: what this is, or what the owner shares'),
  post('/stop-sharing', 'stopSharingForm', 'Stops one share', { fields: { share: text(128) } }),
  post('/disconnect', 'disconnectForm', 'Disconnects a service or a wallet', { fields: { connection: text(128) } }),
  get('/developers', 'developers', 'This API, to read and to try'),
  {
    method: 'get',
    path: '/openapi.json',
    id: 'openapi',
    tag: 'Discovery',
    summary: 'This document (OpenAPI 3.1)',
    access: 'anyone',
    replies: { 200: { description: 'The document.', schema: v.looseObject({ openapi: v.string() }) } },
    errors: FAULTS,
  },
  {
    method: 'get',
    path: '/assets/{name}',
    id: 'asset',
    tag: 'Pages',
    summary: 'Style sheets, drawings and scripts of the pages',
    access: 'anyone',
    parameters: [pathParameter('name', 'The name of the file.')],
    replies: { 200: { description: 'The file.', type: '*/*' } },
    errors: { 404: ['not_found'], ...FAULTS },
  },
]
