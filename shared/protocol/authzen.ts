// OpenID AuthZEN Authorization API 1.0: what a policy enforcement point asks and is answered. Members that are not known are ignored, as
// the specification wants; sizes are bounded.
import * as v from 'valibot'

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(512))
const properties = v.optional(v.record(v.string(), v.unknown()))

/**
 * AuthZEN 5.1. `type` `person`: `id` is that of the owner API, and the address that the owner's rules know this person by counts as shown
 * now; of it only a keyed hash is kept, so that rules about its domain, and those of organisations, take it for not shown. `type` `email`: an
 * address. `properties`: what else would be shown, by the names of claims; a value, or `{ "value", "iss" }` with an issuer that the owner or the
 * operator trusts (this server, if absent). A resource server only repeats what somebody told it: all of it is vouched for by `pep:<client_id>`.
 */
export const subject = v.object({ type: text, id: text, properties })
/** AuthZEN 5.3: `name` is a scope. */
export const action = v.object({ name: text, properties })
/** AuthZEN 5.2: `id` is the `_id` of the registered resource; `type` is looked at in searches only. */
export const authzenResource = v.object({ type: text, id: text, properties })
/** AuthZEN 5.4: what a rule's `context` conditions look at; `client_id`, `purpose` and `link` are what they are in a token request. */
const context = v.optional(v.record(v.string(), v.unknown()))

/** AuthZEN 6.1: POST /access/v1/evaluation */
export const evaluationRequest = v.object({ subject, action, resource: authzenResource, context })
export type EvaluationRequest = v.InferOutput<typeof evaluationRequest>

/** AuthZEN 7.1: POST /access/v1/evaluations; members outside of `evaluations` are the defaults of those inside. */
export const evaluationsRequest = v.object({
  subject: v.optional(subject),
  action: v.optional(action),
  resource: v.optional(authzenResource),
  context,
  evaluations: v.optional(
    v.pipe(
      v.array(v.object({ subject: v.optional(subject), action: v.optional(action), resource: v.optional(authzenResource), context })),
      v.maxLength(100),
    ),
  ),
  options: v.optional(
    v.object({
      evaluations_semantic: v.optional(v.picklist(['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'])),
    }),
  ),
})
export type EvaluationsRequest = v.InferOutput<typeof evaluationsRequest>

/** AuthZEN 6.2. `context.uma`: what would have to be shown first, or that the owner would be asked; `true` never comes with it. */
export const decision = v.object({
  decision: v.boolean(),
  context: v.optional(
    v.object({
      uma: v.optional(
        v.object({ need_info: v.optional(v.array(v.record(v.string(), v.unknown()))), request_submitted: v.optional(v.boolean()) }),
      ),
      error: v.optional(v.object({ status: v.number(), message: v.string() })),
    }),
  ),
})
export type Decision = v.InferOutput<typeof decision>
/** AuthZEN 7.2, in the order of the request; shorter when the semantic ended it. */
export const decisions = v.object({ evaluations: v.array(decision) })

/** `limit`: at most so many results; a page has no more than 100 however many are asked for. */
const searchPage = v.object({
  token: v.optional(v.pipe(v.string(), v.maxLength(256))),
  limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(200))),
})
export type SearchPage = v.InferOutput<typeof searchPage>
const page = v.optional(searchPage)

/** AuthZEN 8.4: who may do this? */
export const subjectSearch = v.object({ subject: v.object({ type: text, properties }), action, resource: authzenResource, context, page })
/** AuthZEN 8.5: with which things of this type may this be done? Those that their service gave no type are of the type `resource`. */
export const resourceSearch = v.object({ subject, action, resource: v.object({ type: text, properties }), context, page })
/** AuthZEN 8.6: what may be done with this? */
export const actionSearch = v.object({ subject, resource: authzenResource, context, page })

/** AuthZEN 8.3. Subjects come with the label that the owner's devices can open. */
export const searchResults = v.object({
  results: v.array(v.record(v.string(), v.unknown())),
  page: v.optional(v.object({ next_token: v.string(), count: v.optional(v.number()) })),
})
export type SearchResults = v.InferOutput<typeof searchResults>
