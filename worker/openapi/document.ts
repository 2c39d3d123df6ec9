// The API document (OpenAPI 3.1), made of the operations and of the very schemas that the code validates with. It is made when the server is
// built and carried as text: nothing of this runs in the Worker.
import { type ConversionConfig, toJsonSchema, toJsonSchemaDefs } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import * as credential from '../../shared/protocol/credential.ts'
import * as oauth from '../../shared/protocol/oauth.ts'
import * as ownerApi from '../../shared/protocol/owner-api.ts'
import * as ownerPolicy from '../../shared/protocol/owner-policy.ts'
import * as federation from '../../shared/protocol/uma-federation.ts'
import * as grant from '../../shared/protocol/uma-grant.ts'
import { accessOperations } from './access.ts'
import { ERRORS, type ErrorCode } from './errors.ts'
import { ISSUER_MARK } from './issuer-mark.ts'
import { oauthOperations } from './oauth.ts'
import type { Access, Operation, Parameter, Reply } from './operation.ts'
import { ownerOperations } from './owner.ts'
import { pageOperations } from './pages.ts'
import { protectionOperations } from './protection.ts'
import { ruleOperations } from './rules.ts'

type Json = Readonly<Record<string, unknown>>

/** Everything that the server answers to. */
export const operations: readonly Operation[] = [
  ...oauthOperations,
  ...protectionOperations,
  ...ownerOperations,
  ...ruleOperations,
  ...accessOperations,
  ...pageOperations,
]

/** Schemas that have a name in the document: those of shared/protocol, under the names they have there. */
const schemas: Readonly<Record<string, v.GenericSchema>> = Object.fromEntries(
  [oauth, federation, grant, ownerApi, ownerPolicy, credential].flatMap((module) =>
    Object.entries(module).flatMap(([name, value]) => (isSchema(value) ? [[name, value] as const] : [])),
  ),
)
const names = new Map(Object.entries(schemas).map(([name, schema]) => [schema, name]))

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema'
}

/** What a JSON Schema cannot say (checks across members) is left out of it; the server checks it all the same. */
const CONVERSION: Omit<ConversionConfig, 'definitions'> = {
  target: 'draft-2020-12',
  typeMode: 'input',
  ignoreActions: ['check', 'transform'],
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
}

function refer(schema: v.GenericSchema): Json {
  const name = names.get(schema)
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
  const { $schema, $defs, ...rest } = toJsonSchema(schema, { ...CONVERSION, definitions: schemas }) as Record<string, unknown>
  return rest
}

/** The document for the issuer `ISSUER_MARK`, which is replaced when it is served. */
export function openApiDocument(): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const operation of operations) {
    const methods = paths[operation.path] ?? {}
    paths[operation.path] = methods
    methods[operation.method] = described(operation)
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Latchkey',
      version: '1',
      summary: 'A UMA 2.0 authorization server',
      description:
        'Owners decide here who may do what with the things they keep elsewhere. A service (resource server) registers things and asks for ' +
        'tickets; an app (client) turns a ticket into a token; the person who wants to see something shows what the owner asked for.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: ISSUER_MARK }],
    tags: TAGS,
    paths,
    components: { schemas: toJsonSchemaDefs(schemas, CONVERSION), responses: refusals(), securitySchemes: SECURITY_SCHEMES },
    'x-errors': ERRORS,
  }
}

const TAGS = [
  { name: 'Discovery', description: 'Begin here.' },
  { name: 'Clients', description: 'Services and apps register themselves.' },
  { name: 'Tokens', description: 'Codes and tickets become tokens; tokens are looked at and ended.' },
  { name: 'Protection', description: 'For services, with a PAT: things and tickets.' },
  { name: 'Owner', description: 'For wallets: what an owner sees and decides.' },
  { name: 'Decisions', description: 'For whoever enforces decisions elsewhere (AuthZEN).' },
  { name: 'Credentials', description: 'For wallets: proofs of an address that can be kept.' },
  { name: 'Pages', description: 'For browsers. Programs send people here.' },
]

const flow = (scopes: Json) => ({
  authorizationCode: {
    authorizationUrl: `${ISSUER_MARK}/authorize`,
    tokenUrl: `${ISSUER_MARK}/token`,
    refreshUrl: `${ISSUER_MARK}/token`,
    scopes,
  },
})
const SECURITY_SCHEMES = {
  protection: {
    type: 'oauth2',
    description: 'A PAT (UMA FedAuthz 1.3).',
    flows: flow({ uma_protection: 'Keep an owner’s things registered.' }),
  },
  owner: { type: 'oauth2', description: 'A wallet’s token.', flows: flow({ uma_owner: 'See and decide all that the owner can.' }) },
  dpop: {
    type: 'apiKey',
    in: 'header',
    name: 'DPoP',
    description: 'A proof for this request (RFC 9449), where the token is bound to a key.',
  },
  clientBasic: { type: 'http', scheme: 'basic', description: 'client_id and client_secret, each form-urlencoded first (RFC 6749 2.3.1).' },
  registration: { type: 'http', scheme: 'bearer', description: 'The registration_access_token (RFC 7592).' },
  credential: { type: 'http', scheme: 'DPoP', description: 'The token of the pre-authorized code grant.' },
  session: { type: 'apiKey', in: 'cookie', name: '__Host-session', description: 'Cookies that the pages set for each other.' },
}

const SECURITY: Readonly<Record<Access, readonly Json[]>> = {
  anyone: [],
  // In the body, by assertion, or a public client's proof: no header of its own.
  client: [{ clientBasic: [] }, {}],
  registration: [{ registration: [] }],
  protection: [{ protection: ['uma_protection'] }, { protection: ['uma_protection'], dpop: [] }],
  owner: [{ owner: ['uma_owner'], dpop: [] }],
  credential: [{ credential: [], dpop: [] }],
  session: [{ session: [] }, {}],
}

function described(operation: Operation): Json {
  const { body } = operation
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    security: SECURITY[operation.access],
    ...(operation.parameters === undefined ? {} : { parameters: operation.parameters.map((one) => parameter(one)) }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              [body.type === 'form' ? 'application/x-www-form-urlencoded' : 'application/json']: {
                schema: refer(body.schema),
                ...(body.example === undefined ? {} : { example: body.example }),
              },
            },
          },
        }),
    responses: responses(operation),
  }
}

const parameter = (one: Parameter): Json => ({
  name: one.name,
  in: one.in,
  description: one.description,
  required: one.required === true,
  schema: refer(one.schema),
})

function responses({ replies, errors }: Operation): Json {
  const statuses = [...new Set([...Object.keys(replies), ...Object.keys(errors)])].sort()
  return Object.fromEntries(statuses.map((status) => [status, response(replies[Number(status)], errors[Number(status)] ?? [])]))
}

function response(reply: Reply | undefined, codes: readonly ErrorCode[]): Json {
  if (reply === undefined) return { $ref: `#/components/responses/${refusalName(codes)}` }
  const { schema, type, headers } = reply
  return {
    description: [reply.description, ...sentences(codes)].join('\n'),
    ...(headers === undefined ? {} : { headers: headersOf(headers) }),
    ...(schema === undefined && type === undefined
      ? {}
      : { content: { [type ?? 'application/json']: schema === undefined ? {} : { schema: refer(schema) } } }),
  }
}

/** Refusals that pass by themselves: 429 and 503. */
const PASSING: readonly ErrorCode[] = ['temporarily_unavailable', 'too_many_codes']

/** Refusals with the same codes are one response of the document. */
const refusalName = (codes: readonly ErrorCode[]): string => codes.join('.')
const sentences = (codes: readonly ErrorCode[]): string[] => codes.map((code) => `- \`${code}\`: ${ERRORS[code]}`)

function refusals(): Json {
  const bare = operations.flatMap(({ replies, errors }) =>
    Object.entries(errors).flatMap(([status, codes]) => (Number(status) in replies ? [] : [codes])),
  )
  return Object.fromEntries(
    bare.map((codes) => [
      refusalName(codes),
      {
        description: sentences(codes).join('\n'),
        // RFC 6585 4, RFC 9110 15.6.4
        ...(codes.some((code) => PASSING.includes(code))
          ? { headers: headersOf({ 'Retry-After': 'Seconds after which to come again.' }) }
          : {}),
        content: {
          'application/json': {
            schema: {
              allOf: [{ $ref: '#/components/schemas/oauthError' }],
              properties: { error: { enum: codes } },
              required: ['error', 'error_description'],
            },
          },
        },
      },
    ]),
  )
}

const headersOf = (headers: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' } }]))
