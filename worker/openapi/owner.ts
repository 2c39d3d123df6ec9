// The owner API: what a wallet reads and decides.
import * as v from 'valibot'
import {
  accessRequest,
  activityEntry,
  claimIssuer,
  claimIssuerRequest,
  connection,
  liveTicket,
  owner,
  ownerSettings,
  ownerSettingsChange,
  person,
  policy,
  policyRequest,
  requestDecision,
  resource,
} from '../../shared/protocol/owner-api.ts'
import { dpopHeader, FAULTS, FULL, type Operation, pathParameter, query, TOKEN_REFUSALS, text } from './operation.ts'

const page = (items: v.GenericSchema) => v.object({ items: v.array(items), next: v.optional(v.string()) })
const number = v.pipe(v.string(), v.regex(/^[1-9]\d{0,14}$/))
const cursor = query('cursor', 'The next of the page before.', v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/)))
const notModified = { description: 'Nothing changed since the answer whose ETag was sent in If-None-Match.' }
const match = {
  name: 'If-None-Match',
  in: 'header',
  schema: text(256),
  description: 'The ETag of an earlier answer.',
} as const
const common = { tag: 'Owner', access: 'owner' } as const

const list = (path: string, id: string, summary: string, items: v.GenericSchema, parameters: Operation['parameters'] = []): Operation => ({
  ...common,
  method: 'get',
  path,
  id,
  summary,
  parameters: [...parameters, match, dpopHeader],
  replies: {
    200: { description: 'A page; next, if it is there, leads to the next one.', schema: page(items), headers: { ETag: 'Of this answer.' } },
    304: notModified,
  },
  errors: { 400: ['invalid_request'], ...TOKEN_REFUSALS, ...FAULTS },
})
const end = (path: string, id: string, summary: string, what: string, isKnown: boolean): Operation => ({
  ...common,
  method: 'delete',
  path,
  id,
  summary,
  parameters: [pathParameter('id', what), dpopHeader],
  replies: { 204: { description: 'Ended, for tokens that were given out, too.' } },
  errors: { ...TOKEN_REFUSALS, ...(isKnown ? { 404: ['not_found'] as const } : {}), ...FAULTS },
})

const filters = [query('resource_id', 'Only of this thing.', text(128)), query('person_id', 'Only with this person.', text(128)), cursor]

export const ownerOperations: readonly Operation[] = [
  {
    ...common,
    method: 'get',
    path: '/owner/me',
    id: 'me',
    summary: 'Who is signed in here',
    parameters: [match, dpopHeader],
    replies: {
      200: { description: 'The owner. Names are sealed to label_key.', schema: owner, headers: { ETag: 'Of this answer.' } },
      304: notModified,
    },
    errors: { ...TOKEN_REFUSALS, ...FAULTS },
  },
  list('/owner/connections', 'listConnections', 'Services and wallets that are connected', connection),
  end('/owner/connections/{id}', 'disconnect', 'Disconnect a service or a wallet; its tokens end at once', 'The connection.', true),
  list('/owner/resources', 'listThings', 'Things that services registered', resource, [cursor]),
  end('/owner/resources/{id}/policies', 'stopSharingThing', 'Stop every share of a thing', 'The thing.', false),
  list('/owner/people', 'listPeople', 'People with whom something is or was shared', person, [cursor]),
  list('/owner/policies', 'listShares', 'Shares', policy, filters),
  {
    ...common,
    method: 'post',
    path: '/owner/policies',
    id: 'share',
    summary: 'Share a thing with a person',
    description: 'The address becomes a keyed hash at once and is stored nowhere.',
    parameters: [dpopHeader],
    body: {
      type: 'json',
      schema: policyRequest,
      example: { resource_id: '<id>', person: { email: 'bob@example.net' }, resource_scopes: ['view'] },
    },
    replies: { 201: { description: 'The share.', schema: policy } },
    errors: { 400: ['invalid_request'], ...TOKEN_REFUSALS, 404: ['not_found'], 413: ['invalid_request'], ...FULL, ...FAULTS },
  },
  end('/owner/policies/{id}', 'stopSharing', 'Stop one share; the next request with a live token is refused', 'The share.', false),
  list('/owner/requests', 'listRequests', 'People who ask for something that is not shared with them, answered ones too', accessRequest),
  {
    ...common,
    method: 'post',
    path: '/owner/requests/{id}',
    id: 'answerRequest',
    summary: 'Allow once, keep as a share, or say no',
    parameters: [pathParameter('id', 'The request.'), dpopHeader],
    body: { type: 'json', schema: requestDecision, example: { decision: 'allow' } },
    replies: { 200: { description: 'The request as it stands now.', schema: accessRequest } },
    errors: {
      400: ['invalid_request'],
      ...TOKEN_REFUSALS,
      404: ['not_found'],
      409: ['invalid_request'],
      413: ['invalid_request'],
      ...FULL,
      ...FAULTS,
    },
  },
  {
    ...common,
    method: 'get',
    path: '/owner/settings',
    id: 'settings',
    summary: 'The owner’s settings',
    parameters: [match, dpopHeader],
    replies: {
      200: { description: 'The settings.', schema: ownerSettings, headers: { ETag: 'Of this answer.' } },
      304: notModified,
    },
    errors: { ...TOKEN_REFUSALS, ...FAULTS },
  },
  {
    ...common,
    method: 'put',
    path: '/owner/settings',
    id: 'changeSettings',
    summary: 'Change them, all at once',
    parameters: [dpopHeader],
    body: { type: 'json', schema: ownerSettingsChange, example: { lets_people_ask: true } },
    replies: { 200: { description: 'The settings.', schema: ownerSettings } },
    errors: { 400: ['invalid_request'], ...TOKEN_REFUSALS, 413: ['invalid_request'], ...FAULTS },
  },
  {
    ...common,
    method: 'get',
    path: '/owner/takeout',
    id: 'takeOut',
    summary: 'Everything that is kept for the owner, as one file',
    description: 'Lists of rows as they are stored; labels are sealed to the owner’s label key.',
    parameters: [dpopHeader],
    replies: { 200: { description: 'The file.', schema: v.looseObject({ id: v.string() }) } },
    errors: { ...TOKEN_REFUSALS, ...FAULTS },
  },
  list('/owner/issuers', 'listIssuers', 'Whose word about people counts: the owner’s own, and the operator’s', claimIssuer),
  {
    ...common,
    method: 'post',
    path: '/owner/issuers',
    id: 'trustIssuer',
    summary: 'Take the word of an issuer',
    description: 'ID tokens count only from clients that audiences names, tokens of the other format only with the hash of the ticket.',
    parameters: [dpopHeader],
    body: {
      type: 'json',
      schema: claimIssuerRequest,
      example: {
        issuer: 'https://login.clinic.example',
        jwks_uri: 'https://login.clinic.example/jwks',
        formats: ['urn:ietf:params:oauth:token-type:jwt'],
        claims: ['email', 'acr'],
        email_domains: ['clinic.example'],
      },
    },
    replies: { 201: { description: 'The registration.', schema: claimIssuer } },
    errors: { 400: ['invalid_request'], ...TOKEN_REFUSALS, 409: ['invalid_request'], 413: ['invalid_request'], ...FULL, ...FAULTS },
  },
  end('/owner/issuers/{id}', 'distrustIssuer', 'Take its word no longer; what rests on it ends at once', 'The registration.', true),
  list('/owner/activity', 'listActivity', 'What happened, newest first', activityEntry, [
    query('before', 'Only entries older than this seq.', number),
    query('limit', 'At most so many; never more than 200.', number),
    query('cursor', 'The next of the page before.', number),
  ]),
  {
    ...common,
    method: 'post',
    path: '/owner/live',
    id: 'liveCode',
    summary: 'A code that opens the live connection',
    parameters: [dpopHeader],
    replies: { 200: { description: 'Good for one connection, within 30 seconds.', schema: liveTicket } },
    errors: { ...TOKEN_REFUSALS, ...FAULTS },
  },
  {
    method: 'get',
    path: '/owner/live',
    id: 'live',
    tag: 'Owner',
    summary: 'A WebSocket that tells of every change',
    description: 'Text frames are JSON: {kind, revision, activity?}.',
    access: 'anyone',
    parameters: [query('code', 'From POST /owner/live.', text(2048), true)],
    replies: { 101: { description: 'Connected.' } },
    errors: { 400: ['invalid_request'], 401: ['invalid_token'], 426: ['invalid_request'], ...FAULTS },
  },
]
