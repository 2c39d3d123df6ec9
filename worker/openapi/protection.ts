// The protection API (UMA FedAuthz 3, 4) and the credential endpoints (OpenID4VCI 1.0).
import * as v from 'valibot'
import { credentialRequest, credentialResponse, issuerMetadata, nonceResponse } from '../../shared/protocol/credential.ts'
import {
  permissionRequest,
  permissionResponse,
  readResource,
  registeredResource,
  resourceDescription,
  resourceList,
} from '../../shared/protocol/uma-federation.ts'
import { jwkSet } from './oauth.ts'
import { dpopHeader, FAULTS, FULL, type Operation, type Parameter, pathParameter, TOKEN_REFUSALS, TOO_MANY } from './operation.ts'

const one = [pathParameter('id', 'The _id of the resource.'), dpopHeader]
const repeatHeader: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  schema: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  description: 'A text of your own, another one for each resource. Send the request again with it if no answer came.',
}
const written = { description: 'Registered.', schema: registeredResource }
const body = {
  type: 'json',
  schema: resourceDescription,
  example: { name: 'Lisbon.pdf', resource_scopes: ['view', 'download'] },
} as const
const TOO_LONG = { 413: ['invalid_request'] } as const
const NOT_FOUND = { 404: ['not_found'] } as const
const common = { tag: 'Protection', access: 'protection' } as const

const wellKnown = (path: string, id: string, summary: string, schema: v.GenericSchema): Operation => ({
  method: 'get',
  path,
  id,
  tag: 'Credentials',
  summary,
  access: 'anyone',
  replies: { 200: { description: 'The document.', schema } },
  errors: FAULTS,
})

export const protectionOperations: readonly Operation[] = [
  {
    ...common,
    method: 'post',
    path: '/uma/resource',
    id: 'createResource',
    summary: 'Register a resource (UMA FedAuthz 3.2.1)',
    description:
      'Until it is shared, nobody can do anything with it. The same Idempotency-Key with the same description makes one resource.',
    parameters: [dpopHeader, repeatHeader],
    body,
    replies: { 201: { ...written, headers: { Location: 'Where the registration can be read.' } } },
    errors: { 400: ['invalid_request'], ...TOKEN_REFUSALS, ...TOO_LONG, 422: ['invalid_request'], ...FULL, ...FAULTS },
  },
  {
    ...common,
    method: 'get',
    path: '/uma/resource',
    id: 'listResources',
    summary: 'List the resources registered with this token (UMA FedAuthz 3.2.5)',
    parameters: [dpopHeader],
    replies: { 200: { description: 'Their ids.', schema: resourceList } },
    errors: { ...TOKEN_REFUSALS, ...FAULTS },
  },
  {
    ...common,
    method: 'get',
    path: '/uma/resource/{id}',
    id: 'readResource',
    summary: 'Read a resource (UMA FedAuthz 3.2.2)',
    parameters: one,
    replies: { 200: { description: 'The description.', schema: readResource } },
    errors: { ...TOKEN_REFUSALS, ...NOT_FOUND, ...FAULTS },
  },
  {
    ...common,
    method: 'put',
    path: '/uma/resource/{id}',
    id: 'updateResource',
    summary: 'Replace the description of a resource (UMA FedAuthz 3.2.3)',
    description: 'Scopes that are left out end at once, in tokens that were given out, too.',
    parameters: one,
    body,
    replies: { 200: written },
    errors: { 400: ['invalid_request'], ...TOKEN_REFUSALS, ...NOT_FOUND, ...TOO_LONG, ...FAULTS },
  },
  {
    ...common,
    method: 'delete',
    path: '/uma/resource/{id}',
    id: 'deleteResource',
    summary: 'Deregister a resource (UMA FedAuthz 3.2.4)',
    parameters: one,
    replies: { 204: { description: 'Gone; permissions for it have ended.' } },
    errors: { ...TOKEN_REFUSALS, ...NOT_FOUND, ...FAULTS },
  },
  {
    ...common,
    method: 'post',
    path: '/uma/permission',
    id: 'requestPermission',
    summary: 'Get a permission ticket (UMA FedAuthz 4)',
    description: 'For a request that came without a good RPT: send 401 with this ticket in WWW-Authenticate (UMA Grant 3.2.1).',
    parameters: [dpopHeader],
    body: { type: 'json', schema: permissionRequest, example: { resource_id: '<_id>', resource_scopes: ['view'] } },
    replies: { 201: { description: 'The ticket.', schema: permissionResponse } },
    errors: { 400: ['invalid_request', 'invalid_resource_id', 'invalid_scope'], ...TOKEN_REFUSALS, ...TOO_LONG, ...TOO_MANY, ...FAULTS },
  },
  wellKnown('/.well-known/openid-credential-issuer', 'credentialIssuer', 'Credential issuer metadata (OpenID4VCI 12.2)', issuerMetadata),
  wellKnown(
    '/.well-known/jwt-vc-issuer',
    'jwtVcIssuer',
    'Keys of the credentials that this server issues',
    v.looseObject({ issuer: v.pipe(v.string(), v.url()), jwks: jwkSet }),
  ),
  wellKnown('/.well-known/did.json', 'didDocument', 'The did:web document of this server', v.looseObject({ id: v.string() })),
  {
    method: 'post',
    path: '/nonce',
    id: 'nonce',
    tag: 'Credentials',
    summary: 'A fresh nonce for proofs (OpenID4VCI 7)',
    access: 'anyone',
    replies: { 200: { description: 'The nonce.', schema: nonceResponse } },
    errors: FAULTS,
  },
  {
    method: 'post',
    path: '/credential',
    id: 'credential',
    tag: 'Credentials',
    summary: 'E-mail credentials, one for each proof (OpenID4VCI 8)',
    access: 'credential',
    parameters: [dpopHeader],
    body: { type: 'json', schema: credentialRequest },
    replies: { 200: { description: 'The credentials, SD-JWT each.', schema: credentialResponse } },
    errors: {
      400: ['invalid_request', 'invalid_credential_request', 'unknown_credential_configuration', 'invalid_proof', 'invalid_nonce'],
      401: ['invalid_token', 'invalid_dpop_proof'],
      413: ['invalid_request'],
      ...FAULTS,
    },
  },
]
