// Wire schemas of UMA 2.0 Federated Authorization: resource description, permission request, introspection answer, errors, metadata.
import * as v from 'valibot'
import { authorizationServerMetadata, introspectedToken } from './oauth.ts'
import { permissionTicket, umaGrantMetadata } from './uma-grant.ts'

/** UMA FedAuthz 6 and 4.3 */
export const PROTECTION_ERRORS = [
  'invalid_request',
  'not_found',
  'unsupported_method_type',
  'invalid_resource_id',
  'invalid_scope',
] as const
export type ProtectionError = (typeof PROTECTION_ERRORS)[number]

/** UMA Grant 3.2.2: value of the `Warning` header of a resource server that cannot get a ticket. */
export const AS_UNREACHABLE_WARNING = '199 - "UMA Authorization Server Unreachable"'

const text = (max: number) => v.pipe(v.string(), v.maxLength(max))
const resourceId = v.pipe(v.string(), v.minLength(1), v.maxLength(256))
const resourceScope = v.pipe(v.string(), v.minLength(1), v.maxLength(256))
const resourceScopes = v.pipe(v.array(resourceScope), v.maxLength(64))
const translated = /^(?:name|description)#[A-Za-z0-9-]{1,35}$/

/** UMA FedAuthz 3.1. `name` and `description` may have translations as `name#fr` (RFC 7591 2.2). */
export type ResourceDescription = {
  resource_scopes: string[]
  name?: string
  description?: string
  icon_uri?: string
  type?: string
  /** Extension: the resource that this one lies in, of the same owner and resource server; rules for it may reach down to here. */
  parent?: string
  /** Extension: words by which rules can speak of it, such as security labels. */
  labels?: string[]
  [translation: `name#${string}` | `description#${string}`]: string
}

const describedMembers = v.looseObject({
  resource_scopes: resourceScopes,
  description: v.optional(text(2048)),
  icon_uri: v.optional(text(2048)),
  name: v.optional(text(512)),
  type: v.optional(text(512)),
  parent: v.optional(resourceId),
  labels: v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(128))), v.maxLength(32))),
})

/** Keeps the members of UMA FedAuthz 3.1 with their translations, `parent` and `labels`, and drops the rest (UMA Grant 1.1: unknown members are ignored). */
function describedOnly(members: v.InferOutput<typeof describedMembers>): ResourceDescription {
  const kept = Object.entries(members).filter(
    ([name, value]) => value !== undefined && (name in describedMembers.entries || translated.test(name)),
  )
  return Object.fromEntries(kept) as ResourceDescription
}

/** UMA FedAuthz 3.1, 3.2.1, 3.2.3: body of create and update. All of it is text that nobody verified. */
export const resourceDescription = v.pipe(
  describedMembers,
  v.check((members) => Object.keys(members).filter((name) => translated.test(name)).length <= 64, 'too many translations'),
  v.check(
    (members) =>
      Object.entries(members).every(([name, value]) => !translated.test(name) || (typeof value === 'string' && value.length <= 2048)),
    'a translation must be a string',
  ),
  v.transform(describedOnly),
)

/** UMA FedAuthz 3.2.1, 3.2.3: answer of create and update. */
export const registeredResource = v.looseObject({ _id: resourceId, user_access_policy_uri: v.optional(v.pipe(v.string(), v.url())) })
export type RegisteredResource = v.InferOutput<typeof registeredResource>

/** UMA FedAuthz 3.2.2: answer of read, the description with its `_id`. */
export const readResource = v.looseObject({ ...describedMembers.entries, ...registeredResource.entries })
export type ReadResource = v.InferOutput<typeof readResource>

/** UMA FedAuthz 3.2.5 */
export const resourceList = v.array(resourceId)

/** UMA FedAuthz 4.1: one permission; the scopes may be none. */
export const permission = v.object({ resource_id: resourceId, resource_scopes: resourceScopes })
export type Permission = v.InferOutput<typeof permission>

/** Extension: what the resource server says of the access that is asked for, for rules of the owner that speak of it. At most 16 members. */
const accessContext = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(/^[A-Za-z][\w.-]{0,63}$/)),
    v.union([text(256), v.pipe(v.number(), v.minValue(-1e15), v.maxValue(1e15)), v.boolean()]),
  ),
  v.maxEntries(16),
)

/** UMA FedAuthz 4.1, with the extension member `context`. */
export const askedPermission = v.object({ ...permission.entries, context: v.optional(accessContext) })
export type AskedPermission = v.InferOutput<typeof askedPermission>

/** UMA FedAuthz 4.1: a single object or an array of one or more; always an array in the output. */
export const permissionRequest = v.pipe(
  v.union([askedPermission, v.pipe(v.array(askedPermission), v.minLength(1), v.maxLength(64))]),
  v.transform((request): AskedPermission[] => (Array.isArray(request) ? request : [request])),
)

/** UMA FedAuthz 4.2 */
export const permissionResponse = v.object({ ticket: permissionTicket })

const seconds = v.pipe(v.number(), v.integer(), v.minValue(0))

/** UMA FedAuthz 5.1.1: a permission of an RPT with its own times. */
export const grantedPermission = v.object({
  ...permission.entries,
  exp: v.optional(seconds),
  iat: v.optional(seconds),
  nbf: v.optional(seconds),
})
export type GrantedPermission = v.InferOutput<typeof grantedPermission>

/** UMA FedAuthz 5.1.1: `permissions` is there, `scope` is not, when the token is active. */
export const rptIntrospection = v.variant('active', [
  v.object({ active: v.literal(false) }),
  v.object({ active: v.literal(true), permissions: v.array(grantedPermission), ...introspectedToken }),
])
export type RptIntrospection = v.InferOutput<typeof rptIntrospection>

/** UMA FedAuthz 2: the discovery document as a resource server reads it; introspection is needed because we never read an RPT ourselves. */
export const umaMetadata = v.looseObject({
  ...authorizationServerMetadata.entries,
  ...umaGrantMetadata,
  token_endpoint: v.pipe(v.string(), v.url()),
  permission_endpoint: v.pipe(v.string(), v.url()),
  resource_registration_endpoint: v.pipe(v.string(), v.url()),
})
export type UmaMetadata = v.InferOutput<typeof umaMetadata>

/** UMA FedAuthz 3.1.1: the document at the address that a scope is. Words for people, and nobody has checked them. */
export const scopeDescription = v.object({
  name: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  description: v.optional(v.pipe(v.string(), v.maxLength(3000))),
  icon_uri: v.optional(v.pipe(v.string(), v.maxLength(2048), v.url())),
})
export type ScopeDescription = v.InferOutput<typeof scopeDescription>
