// Policies of the owner API beyond "this person, these scopes, until then": rules of any kind, groups of people, types of things, and the
// questions about them (why, who, what can, what if). Readable values (addresses, domains, countries) go in; keyed hashes are stored; what
// comes out names people and groups by id and everything else as `mac:...`, with the words for it in `label`, sealed to the owner's key.
import * as v from 'valibot'

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(128))
const instant = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(253_402_300_799))
const label = v.pipe(v.string(), v.regex(/^[\w-]+(\.[\w-]*){4}$/), v.maxLength(65_536))
const word = v.pipe(v.string(), v.minLength(1), v.maxLength(256))
/** A value of a claim: as people write it, or `mac:` and the keyed hash that this server gave out for it. */
const value = v.pipe(v.string(), v.minLength(1), v.maxLength(512))
const words = v.pipe(v.array(word), v.minLength(1), v.maxLength(64))
const seconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(31_622_400))

/** Who may vouch (issuers), and how old the proof may be (seconds). */
const vouched = { claim: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,63}$/)), iss: v.optional(words), max_age: v.optional(seconds) }

/** One condition (`when`). Only these forms; an unknown member is refused. An empty list holds for nobody. */
export type PolicyCondition =
  | { all: PolicyCondition[] }
  | { any: PolicyCondition[] }
  | { not: PolicyCondition }
  /** In stages: what a later one asks for is not told before the earlier ones hold. */
  | { seq: PolicyCondition[] }
  | { if: PolicyCondition; then: PolicyCondition; else: PolicyCondition }
  | v.InferOutput<typeof atom>

const conditions = v.pipe(v.array(v.lazy((): v.GenericSchema<PolicyCondition> => policyCondition)), v.minLength(1), v.maxLength(64))
const inner: v.GenericSchema<PolicyCondition> = v.lazy((): v.GenericSchema<PolicyCondition> => policyCondition)

const atom = v.union([
  v.strictObject({ ...vouched, eq: value }),
  v.strictObject({ ...vouched, in: v.pipe(v.array(value), v.minLength(1), v.maxLength(64)) }),
  /** `claim` is `email`: exactly this domain, never one below it. */
  v.strictObject({ ...vouched, domain: value }),
  /** `claim` is `email`: a person that the owner shared with before. */
  v.strictObject({ ...vouched, person: id }),
  v.strictObject({ ...vouched, group: id }),
  /** An ordered claim, such as `acr`. */
  v.strictObject({ ...vouched, gte: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000)) }),
  /** A claim that is a set, such as `clearance`. */
  v.strictObject({ ...vouched, covers: words }),
  v.strictObject({ anyone: v.literal(true) }),
  /** Whoever has the link: its secret, 22 to 128 characters of base64url, or `mac:...`. */
  v.strictObject({ link: v.pipe(v.string(), v.regex(/^(mac:)?[\w-]{22,128}$/)) }),
  v.strictObject({ purpose: words }),
  v.strictObject({ after: instant }),
  v.strictObject({ before: instant }),
  v.strictObject({ client: words }),
  v.strictObject({
    client_trust: v.pipe(v.array(v.picklist(['pushed', 'pulled', 'attested', 'instance_key'])), v.minLength(1), v.maxLength(4)),
  }),
  /** At most `max` times, each requesting party for itself (`rqp`) or all together (`rule`). */
  v.strictObject({
    uses: v.strictObject({ max: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)), per: v.picklist(['rqp', 'rule']) }),
  }),
  /** The owner is asked each time. */
  v.strictObject({ ask: v.literal(true) }),
  /** What the resource server said with its permission request. */
  v.strictObject({ context: word, eq: v.union([word, v.pipe(v.number(), v.finite()), v.boolean()]) }),
  v.strictObject({
    context: word,
    in: v.pipe(v.array(v.union([word, v.pipe(v.number(), v.finite())])), v.minLength(1), v.maxLength(64)),
  }),
])

export const policyCondition: v.GenericSchema<PolicyCondition> = v.union([
  v.strictObject({ all: conditions }),
  v.strictObject({ any: conditions }),
  v.strictObject({ not: inner }),
  v.strictObject({ seq: conditions }),
  v.strictObject({ if: inner, then: inner, else: inner }),
  atom,
])

/** What a policy speaks of. `descend`: also what lies in these things. */
export const policyTarget = v.union([
  v.strictObject({ resources: v.pipe(v.array(id), v.minLength(1), v.maxLength(200)), descend: v.optional(v.boolean()) }),
  v.strictObject({ types: words }),
  v.strictObject({ labels: words }),
  v.strictObject({ all: v.literal(true) }),
])
export type PolicyTarget = v.InferOutput<typeof policyTarget>

/** What a grant may be: RPT lifetime (seconds), refresh token, remembered proofs, how the owner hears of it. */
export const grantTerms = v.strictObject({
  rpt_ttl: v.optional(v.pipe(v.number(), v.integer(), v.minValue(10), v.maxValue(3600))),
  refresh: v.optional(v.boolean()),
  pct: v.optional(v.boolean()),
  notify: v.optional(v.picklist(['each', 'first', 'never'])),
})

/**
 * POST /owner/rules, PUT /owner/rules/{id} and the body of every question about a rule that is not saved yet. `tier` `org`: for those who
 * joined this owner's organisation. `name`: for the owner only; it is sealed before it is stored.
 */
export const policyDocument = v.strictObject({
  v: v.literal(1),
  name: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(200))),
  tier: v.optional(v.picklist(['owner', 'org'])),
  effect: v.picklist(['permit', 'forbid', 'require']),
  target: policyTarget,
  scopes: v.union([v.literal('*'), words]),
  when: policyCondition,
  grant: v.optional(grantTerms),
})
export type PolicyDocument = v.InferOutput<typeof policyDocument>

/** Something that the owner should know about a rule before it is saved. */
export const ruleWarning = v.object({ code: v.string(), text: v.string() })
export type RuleWarning = v.InferOutput<typeof ruleWarning>

/** A saved rule. `rev` grows with each change; send it back as `If-Match: "<rev>"`. */
export const rule = v.object({
  id,
  rev: v.number(),
  tier: v.picklist(['owner', 'org', 'platform']),
  effect: v.picklist(['permit', 'forbid', 'require']),
  target: policyTarget,
  scopes: v.union([v.literal('*'), v.array(v.string())]),
  when: policyCondition,
  grant: v.optional(grantTerms),
  /** RuleLabel, sealed to the owner's label key. */
  label: v.optional(label),
  /** The sentence that is enforced; `{thing}`, `{person:id}`, `{group:id}` and `{mac:...}` are filled by the wallet. */
  sentence: v.string(),
  created_at: instant,
  updated_at: instant,
})
export type Rule = v.InferOutput<typeof rule>

/** Plaintext of a rule's label: its name, and the words behind each `mac:`. */
export const ruleLabel = v.object({ name: v.optional(v.string()), words: v.optional(v.record(v.string(), v.string())) })
export type RuleLabel = v.InferOutput<typeof ruleLabel>
