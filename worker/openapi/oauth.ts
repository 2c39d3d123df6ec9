// The operations that OAuth and OpenID name: discovery, registration, tokens.
import * as v from 'valibot'
import { preAuthorizedCodeRequest } from '../../shared/protocol/credential.ts'
import {
  authorizationCodeRequest,
  authorizationRequest,
  clientCredentialsRequest,
  clientMetadata,
  clientRegistration,
  introspectionRequest,
  pushedAuthorizationResponse,
  refreshTokenRequest,
  revocationRequest,
} from '../../shared/protocol/oauth.ts'
import { rptIntrospection, umaMetadata } from '../../shared/protocol/uma-federation.ts'
import { needInfo, requestDenied, requestSubmitted, rptResponse, ticketGrantRequest } from '../../shared/protocol/uma-grant.ts'
import { dpopHeader, FAULTS, FULL, type Operation, pathParameter, TOKEN_REFUSALS, TOO_MANY } from './operation.ts'

const METADATA = { description: 'The metadata of this server.', schema: umaMetadata }
const discovery = (path: string, id: string, source: string): Operation => ({
  method: 'get',
  path,
  id,
  tag: 'Discovery',
  summary: `Discovery document (${source})`,
  description: 'The same document under each of its well-known names. Everything else is found from here.',
  access: 'anyone',
  replies: { 200: METADATA },
  errors: FAULTS,
})

const jwk = v.looseObject({ kty: v.string(), kid: v.optional(v.string()) })
export const jwkSet = v.looseObject({ keys: v.array(jwk) })
const health = v.looseObject({ status: v.string() })

const registered = {
  description: 'The registration, with what the client needs to manage it. The secret is told once.',
  schema: clientRegistration,
}
const manages = { tag: 'Clients', access: 'registration', parameters: [pathParameter('id', 'The client_id.')] } as const
const REGISTRATION_REFUSALS = [
  'invalid_client_metadata',
  'invalid_request',
  'invalid_redirect_uri',
  'invalid_software_statement',
  'unapproved_software_statement',
] as const

export const oauthOperations: readonly Operation[] = [
  discovery('/.well-known/uma2-configuration', 'umaConfiguration', 'UMA Grant 2'),
  discovery('/.well-known/oauth-authorization-server', 'authorizationServerMetadata', 'RFC 8414'),
  discovery('/.well-known/openid-configuration', 'openidConfiguration', 'OpenID Connect Discovery'),
  {
    method: 'get',
    path: '/jwks',
    id: 'jwks',
    tag: 'Discovery',
    summary: 'Public keys of this server (RFC 7517)',
    access: 'anyone',
    replies: { 200: { description: 'The keys that verify what this server signs.', schema: jwkSet } },
    errors: FAULTS,
  },
  {
    method: 'get',
    path: '/health',
    id: 'health',
    tag: 'Discovery',
    summary: 'Whether the server works',
    access: 'anyone',
    replies: { 200: { description: 'It works.', schema: health }, 503: { description: 'A part does not answer.', schema: health } },
    errors: FAULTS,
  },
  {
    method: 'post',
    path: '/register',
    id: 'registerClient',
    tag: 'Clients',
    summary: 'Register a client (RFC 7591)',
    description:
      'Open to anyone. A resource server registers redirect_uris; an app that opens shared things registers claims_redirect_uris. ' +
      'An app may say what becomes of an RPT that it sends along to be upgraded (rpt_upgrade: new_string, or same_string), and that ' +
      'less than a ticket asks for is of no use to it (uma_partial: false). A resource server may ask for RPTs that it reads itself ' +
      '(rpt_format: at+jwt). The discovery document lists what there is of each, what is usual first.',
    access: 'anyone',
    body: {
      type: 'json',
      schema: clientMetadata,
      example: {
        client_name: 'My shelf',
        client_uri: 'https://shelf.example',
        redirect_uris: ['https://shelf.example/connected'],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    },
    replies: { 201: registered },
    errors: { 400: REGISTRATION_REFUSALS, 413: ['invalid_request'], ...TOO_MANY, ...FAULTS },
  },
  {
    ...manages,
    method: 'get',
    path: '/register/{id}',
    id: 'readClient',
    summary: 'Read a registration (RFC 7592 2.1)',
    replies: { 200: registered },
    errors: { 401: ['invalid_token'], ...FAULTS },
  },
  {
    ...manages,
    method: 'put',
    path: '/register/{id}',
    id: 'replaceClient',
    summary: 'Replace a registration (RFC 7592 2.2)',
    description: 'What is left out is gone. client_id must be there and be the same.',
    body: { type: 'json', schema: clientMetadata },
    replies: { 200: registered },
    errors: { 400: REGISTRATION_REFUSALS, 401: ['invalid_token'], 413: ['invalid_request'], ...TOO_MANY, ...FAULTS },
  },
  {
    ...manages,
    method: 'delete',
    path: '/register/{id}',
    id: 'deleteClient',
    summary: 'Delete a registration and everything it holds (RFC 7592 2.3)',
    replies: {
      202: { description: 'Gone; an owner who did not answer hears of it as soon as possible.' },
      204: { description: 'Gone, with all its tokens.' },
    },
    errors: { 401: ['invalid_token'], ...FAULTS },
  },
  {
    method: 'post',
    path: '/par',
    id: 'pushAuthorization',
    tag: 'Tokens',
    summary: 'Push an authorization request (RFC 9126)',
    description: 'The browser then carries only client_id and request_uri to /authorize.',
    access: 'client',
    parameters: [dpopHeader],
    body: { type: 'form', schema: authorizationRequest },
    replies: { 201: { description: 'What stands for the request.', schema: pushedAuthorizationResponse } },
    errors: {
      400: [
        'invalid_request',
        'invalid_scope',
        'invalid_target',
        'unauthorized_client',
        'unsupported_response_type',
        'request_not_supported',
        'invalid_dpop_proof',
      ],
      401: ['invalid_client'],
      413: ['invalid_request'],
      ...TOO_MANY,
      ...FAULTS,
    },
  },
  {
    method: 'post',
    path: '/token',
    id: 'token',
    tag: 'Tokens',
    summary: 'Get a token (RFC 6749 3.2, UMA Grant 3.3.1)',
    description:
      'A permission ticket becomes an RPT, an authorization code a PAT or an owner token; a client that its owner lets act by ' +
      'itself gets a PAT with its credentials. Authenticate with Basic, in the body, or with a signed ' +
      'assertion; public clients send client_id and a DPoP proof.',
    access: 'client',
    parameters: [dpopHeader],
    body: {
      type: 'form',
      schema: v.union([
        ticketGrantRequest,
        authorizationCodeRequest,
        refreshTokenRequest,
        clientCredentialsRequest,
        preAuthorizedCodeRequest,
      ]),
    },
    replies: {
      200: {
        description: 'The token. resource_server names the only server that an RPT may be sent to.',
        schema: rptResponse,
        headers: { 'Cache-Control': 'no-store' },
      },
      403: {
        description: 'need_info or request_submitted with a new ticket, or request_denied.',
        schema: v.union([needInfo, requestSubmitted, requestDenied]),
      },
    },
    errors: {
      400: [
        'invalid_request',
        'invalid_grant',
        'invalid_scope',
        'invalid_target',
        'unauthorized_client',
        'unsupported_grant_type',
        'invalid_dpop_proof',
      ],
      401: ['invalid_client'],
      403: ['need_info', 'request_submitted', 'request_denied'],
      413: ['invalid_request'],
      ...TOO_MANY,
      ...FULL,
      ...FAULTS,
    },
  },
  {
    method: 'post',
    path: '/introspect',
    id: 'introspect',
    tag: 'Tokens',
    summary: 'Ask what an RPT is good for, now (RFC 7662, UMA FedAuthz 5)',
    description:
      'With a PAT. A token that is unknown, another owner’s or without a live permission is {"active": false}. With Accept: application/token-introspection+jwt the same comes signed (RFC 9701).',
    access: 'protection',
    parameters: [dpopHeader],
    body: { type: 'form', schema: introspectionRequest },
    replies: { 200: { description: 'The permissions of this moment.', schema: rptIntrospection } },
    errors: { 400: ['invalid_request'], ...TOKEN_REFUSALS, 413: ['invalid_request'], ...FAULTS },
  },
  {
    method: 'post',
    path: '/revoke',
    id: 'revoke',
    tag: 'Tokens',
    summary: 'End a token of one’s own (RFC 7009)',
    access: 'client',
    body: { type: 'form', schema: revocationRequest },
    replies: { 200: { description: 'Ended, or never was.' } },
    errors: { 400: ['invalid_request'], 401: ['invalid_client'], 413: ['invalid_request'], ...TOO_MANY, ...FAULTS },
  },
]
