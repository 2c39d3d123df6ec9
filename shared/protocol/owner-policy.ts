// Policies of the owner API beyond "this person, these scopes, until then": rules of any kind, groups of people, types of things, and the
// questions about them (why, who, what can, what if). Readable values (addresses, domains, countries) go in; keyed hashes are stored; what
// comes out names people and groups by id and everything else as `mac:...`, with the words for it in `label`, sealed to the owner's key.
import * as v from 'valibot'

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(128))
const instant = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(253_402_300_799))
const label = v.pipe(v.string(), v.regex(/^[\w-]+(\.[\w-]*){4}$/), v.maxLength(65_536))
const word = v.pipe(v.string(), v.minLength(1), v.maxLength(256))
/** A value of a claim: as people write it (`sub`: issuer, blank, subject), or `mac:` and the keyed hash that this server gave out for it. */
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
  | PolicyAtom

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
  /** In an emergency that the client declares (`purpose` BTG): where the type of the thing says so, for 15 minutes, and the owner is told. */
  v.strictObject({ break_glass: v.literal(true) }),
  /** What the resource server said with its permission request. */
  v.strictObject({ context: word, eq: v.union([word, v.pipe(v.number(), v.minValue(-1e15), v.maxValue(1e15)), v.boolean()]) }),
  v.strictObject({
    context: word,
    in: v.pipe(v.array(v.union([word, v.pipe(v.number(), v.minValue(-1e15), v.maxValue(1e15))])), v.minLength(1), v.maxLength(64)),
  }),
])

/** A condition without conditions in it. */
export type PolicyAtom = v.InferOutput<typeof atom>

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

/**
 * Whatever opens or closes something, however it was made: a share with a person, a rule, an address that is shut out (`block`), a rule of
 * the organisation or the platform (`upper`; its `source`), what was allowed `once` of one thing to somebody who asked (`request_id`), or
 * because rules asked (`answers`: those; all else that they want must hold too), which can be dropped and not changed. `rev` grows with each
 * change; send it back as `If-Match: "<rev>"`.
 */
export const rule = v.object({
  id,
  kind: v.picklist(['share', 'rule', 'block', 'upper', 'once']),
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
  /** Of a share, and of what was allowed once. */
  person_id: v.optional(id),
  source: v.optional(v.string()),
  request_id: v.optional(id),
  answers: v.optional(v.array(id)),
  created_at: v.optional(instant),
  updated_at: v.optional(instant),
  last_used_at: v.optional(instant),
})
export type Rule = v.InferOutput<typeof rule>

/** Plaintext of a rule's label: its name, and the words behind each `mac:`. */
export const ruleLabel = v.object({ name: v.optional(v.string()), words: v.optional(v.record(v.string(), v.string())) })
export type RuleLabel = v.InferOutput<typeof ruleLabel>

/** PUT /owner/groups/{id}; POST /owner/groups makes one. `name` is sealed before it is stored. */
export const groupRequest = v.strictObject({ name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)) })
export type GroupRequest = v.InferOutput<typeof groupRequest>
/** Plaintext of a group's label. */
export const groupLabel = v.object({ name: v.string() })
export type GroupLabel = v.InferOutput<typeof groupLabel>
/** `rev` grows with each change of the group or of who is in it; send it back as `If-Match: "<rev>"`. */
export const group = v.object({ id, rev: v.number(), label, member_count: v.number(), created_at: instant, updated_at: instant })
export type Group = v.InferOutput<typeof group>

/** POST /owner/groups/{id}/members: people by address or by id. */
export const membersRequest = v.strictObject({
  people: v.pipe(
    v.array(v.union([v.strictObject({ email: v.pipe(v.string(), v.minLength(3), v.maxLength(320)) }), v.strictObject({ id })])),
    v.minLength(1),
    v.maxLength(200),
  ),
})
export type MembersRequest = v.InferOutput<typeof membersRequest>
/** `label`: PersonLabel. */
export const member = v.object({ id, label, created_at: instant })
export type Member = v.InferOutput<typeof member>

/**
 * PUT /owner/types: a type of things, what its scopes bring along, and whose permit counts for such things. `break_glass`: scopes that rules
 * with that condition can give in an emergency. `tier` `org`: so it is for all who have joined this organisation too, whatever they say
 * themselves of such things.
 */
export const thingType = v.strictObject({
  type: word,
  implies: v.record(word, v.pipe(v.array(word), v.maxLength(64))),
  authority: v.picklist(['owner', 'org', 'both', 'either']),
  break_glass: v.optional(v.pipe(v.array(word), v.maxLength(64))),
  tier: v.optional(v.picklist(['owner', 'org'])),
})
export type ThingTypeDocument = v.InferOutput<typeof thingType>

/** What PUT /owner/types and the list answer: `rev` is for `If-Match`. */
export const listedType = v.object({ ...thingType.entries, rev: v.number() })
/** GET /owner/groups/{id}/history: its name then, how many were put in and taken out since. */
export const pastGroup = v.object({ ended_at: instant, rev: v.number(), label, came: v.number(), went: v.number() })
/** GET /owner/types/history?type= */
export const pastType = v.object({ ended_at: instant, type: listedType })

/** Somebody of whom it is asked what they may do: a person that the owner knows, or an address that is forgotten again. */
const somebody = v.union([v.strictObject({ person: id }), v.strictObject({ email: v.pipe(v.string(), v.minLength(3), v.maxLength(320)) })])

/** POST /owner/questions/why: would this be given now, and because of what? */
export const whyRequest = v.strictObject({
  resource_id: id,
  scope: word,
  /** Who comes; nobody in particular if absent. The address counts as shown now, by the server itself. */
  who: v.optional(somebody),
  client_id: v.optional(v.pipe(v.string(), v.maxLength(2048))),
  purpose: v.optional(word),
})
const decision = v.picklist(['yes', 'no', 'unknown'])
/** A rule that mattered, and the proofs that settled it: of what, who vouched, until when they do. Values are not told. */
const reason = v.object({
  id,
  sentence: v.string(),
  proofs: v.array(v.object({ claim: v.string(), iss: v.string(), until: v.optional(instant) })),
})
/**
 * `decision` `unknown`: something would be asked first. `rules`: those that give it; `against`: those that forbid it; `passed`: demands that
 * are met and prohibitions that do not apply; `open`: those that wait for something. `complete` false: there are more of the last two.
 */
export const whyAnswer = v.object({
  decision,
  until: v.optional(instant),
  rules: v.array(reason),
  against: v.array(reason),
  passed: v.array(reason),
  open: v.array(reason),
  complete: v.boolean(),
  missing: v.array(v.record(v.string(), v.unknown())),
})

/** POST /owner/questions/who: everybody who could open it, each way with its sentence. */
export const whoRequest = v.strictObject({ resource_id: id, scope: word })
/** One way to be let in. `people`: those whom it names and lets in; who is shut out is none of them. */
const way = v.object({ sentence: v.string(), rules: v.array(id), people: v.array(id) })
export const whoAnswer = v.object({
  /** False if there are too many ways to list them all. */
  complete: v.boolean(),
  ways: v.array(way),
})

/** POST /owner/questions/what: all that somebody can open now. */
export const whatRequest = v.strictObject({ who: somebody, cursor: v.optional(id) })
export const whatAnswer = v.object({
  items: v.array(v.object({ resource_id: id, resource_scopes: v.array(v.string()) })),
  next: v.optional(id),
})

/** `person`, or `member` of a group: who; neither for somebody who has shown nothing. */
const change = v.object({
  person: v.optional(id),
  member: v.optional(id),
  resource_id: id,
  scope: v.string(),
  before: decision,
  after: decision,
})
/** An entry of the activity, and what of it would end otherwise today. */
const pastChange = v.object({ seq: v.number(), resource_scopes: v.array(v.string()), after: decision })

/**
 * POST /owner/questions/what-if: what would change if this rule were saved (in place of `replaces`), or if `replaces` were dropped: a share,
 * a rule, or one that shuts somebody out.
 */
export const whatIfRequest = v.strictObject({ rule: v.optional(policyDocument), replaces: v.optional(id) })
export const whatIfAnswer = v.object({
  gains: v.array(change),
  losses: v.array(change),
  /** Would be asked for more, where the answer was no. */
  asks: v.array(change),
  /** False if there are more people and things than one comparison looks at. */
  complete: v.boolean(),
  /** What was given, and would be refused or asked more for; and what was refused, and would be given. */
  past: v.array(pastChange),
  past_allowed: v.array(pastChange),
  /** False if more happened in the last 400 days than was looked at. */
  past_complete: v.boolean(),
  /** Who could open what besides, and who no longer; in words. */
  who: v.array(v.object({ resource_id: id, scope: v.string(), gained: v.array(way), lost: v.array(way) })),
  /** False if not all things or ways were looked at. */
  who_complete: v.boolean(),
  /** Also what speaks against saving the rule at all. */
  warnings: v.array(ruleWarning),
  sentence: v.optional(v.string()),
})

/**
 * GET /owner/rules/export: one part of everything that rules are made of, as a JWS (compact) signed by this server. The last part has no
 * `next`; each other one says with which `cursor` the next one is read (also in the header Link). Parts of one export have one `revision`.
 */
export const ruleBundle = v.object({
  v: v.literal(2),
  issuer: v.string(),
  owner: v.string(),
  exported_at: instant,
  revision: v.number(),
  part: v.number(),
  next: v.optional(v.string()),
  /** `kind`: share, rule, block, or once, which is told and never brought back. */
  rules: v.array(v.looseObject({ id, kind: v.picklist(['share', 'rule', 'block', 'once']) })),
  groups: v.array(v.looseObject({ id })),
  types: v.array(v.looseObject({ type: word })),
  people: v.array(v.looseObject({ id })),
})
/**
 * POST /owner/rules/import. `apply` false, or absent: what would happen, and nothing happens. With it `token` is the one of that answer: 428
 * without one, 412 if anything was changed since. All of it is one change: 409 if something in it cannot come, unless `partial` says that the
 * rest is wanted.
 */
export const importRequest = v.strictObject({
  /** All parts of one export, in any order. */
  bundle: v.union([
    v.pipe(v.string(), v.maxLength(2_000_000)),
    v.pipe(v.array(v.pipe(v.string(), v.maxLength(2_000_000))), v.minLength(1), v.maxLength(10)),
  ]),
  /** Things of the bundle and the things here that they are to be. */
  resources: v.optional(v.record(id, id)),
  apply: v.optional(v.boolean()),
  partial: v.optional(v.boolean()),
  token: v.optional(v.pipe(v.string(), v.maxLength(128))),
})
const coming = v.object({ id, kind: v.string(), sentence: v.string() })
/** What happened, or would. What stands here already as it is in the bundle is only counted (`same`); what is not in it stays. */
export const importAnswer = v.object({
  applied: v.boolean(),
  /** False if parts of the export are missing, or were read at different times. */
  complete: v.boolean(),
  /** For `apply`. */
  token: v.string(),
  added: v.array(coming),
  /** `was`: what stands there now. */
  changed: v.array(v.object({ ...coming.entries, was: v.object({ kind: v.string(), rev: v.number(), sentence: v.string() }) })),
  same: v.number(),
  refused: v.array(v.object({ id, kind: v.string(), reason: v.string(), text: v.string() })),
  /** Groups and types that are there stay as they are; `kept` are those that differ. */
  groups: v.object({
    added: v.array(v.object({ id, label, members: v.number() })),
    kept: v.array(v.object({ id, here: v.number(), there: v.number() })),
    refused: v.array(id),
  }),
  types: v.object({ added: v.array(v.looseObject({ type: word })), kept: v.array(v.string()), refused: v.array(v.string()) }),
  /** How many people become known. */
  people: v.number(),
  /** How many there are of each, how many more there would be, and how many there may be. */
  quotas: v.array(v.object({ name: v.string(), used: v.number(), more: v.number(), most: v.number() })),
  warnings: v.array(v.object({ code: v.string(), text: v.string(), rule: v.optional(id) })),
})
export type ImportAnswer = v.InferOutput<typeof importAnswer>

/** GET /owner/templates: forms of rules. `when` is that of a rule with each of `needs` as `{name}`, in place of the whole value. */
export const template = v.object({ name: v.string(), needs: v.array(v.string()), when: v.unknown() })

/** PUT /owner/organisation: the name under which this owner asks others to join; they read it before they do. */
export const organisationRequest = v.strictObject({ name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)) })
/** GET /owner/organisation. `acknowledged`: members whose server has taken the newest rules in. */
export const organisation = v.object({ name: v.optional(v.string()), members: v.number(), acknowledged: v.number(), rules: v.number() })
/** POST /owner/organisation/codes -> {code, expires_at}: so many can join with it (one, unless told), for so many seconds. */
export const joinCodeRequest = v.strictObject({
  uses: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000))),
  expires_in: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(31_622_400))),
})
/**
 * POST /owner/memberships. Without `accept` only whose code it is, and of which `types` of things it says whose permit counts; with it, that
 * organisation's rules and types hold for this owner's things.
 */
export const joinRequest = v.strictObject({ code: v.pipe(v.string(), v.maxLength(512)), accept: v.optional(v.boolean()) })
export const membership = v.object({ id, name: v.string(), joined_at: instant })
export type Membership = v.InferOutput<typeof membership>

/** A condition that names nobody: rules of the platform know no people, only apps, times, levels and what services say. */
export type PlatformCondition =
  | { all: PlatformCondition[] }
  | { any: PlatformCondition[] }
  | { not: PlatformCondition }
  | v.InferOutput<typeof platformAtom>
const platformAtom = v.union([
  v.strictObject({ ...vouched, gte: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000)) }),
  v.strictObject({ ...vouched, covers: words }),
  v.strictObject({ anyone: v.literal(true) }),
  v.strictObject({ after: instant }),
  v.strictObject({ before: instant }),
  v.strictObject({ client: words }),
  v.strictObject({
    client_trust: v.pipe(v.array(v.picklist(['pushed', 'pulled', 'attested', 'instance_key'])), v.minLength(1), v.maxLength(4)),
  }),
  v.strictObject({ context: word, eq: v.union([word, v.pipe(v.number(), v.minValue(-1e15), v.maxValue(1e15)), v.boolean()]) }),
])
const platformInner: v.GenericSchema<PlatformCondition> = v.lazy((): v.GenericSchema<PlatformCondition> => platformCondition)
const platformMany = v.pipe(v.array(platformInner), v.minLength(1), v.maxLength(64))
export const platformCondition: v.GenericSchema<PlatformCondition> = v.union([
  v.strictObject({ all: platformMany }),
  v.strictObject({ any: platformMany }),
  v.strictObject({ not: platformInner }),
  platformAtom,
])
/** A rule of the platform, as operators type it: things by type or label, or all of them. */
export const platformRule = v.strictObject({
  v: v.literal(1),
  effect: v.picklist(['forbid', 'require']),
  target: v.union([v.strictObject({ types: words }), v.strictObject({ labels: words }), v.strictObject({ all: v.literal(true) })]),
  scopes: v.union([v.literal('*'), words]),
  when: platformCondition,
})
