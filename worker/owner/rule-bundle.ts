// Owner API: all rules as signed files (GET /owner/rules/export), and back (POST /owner/rules/import, first without `apply`: what would
// happen). People and values are named by hashes that mean something only at this server for this owner, so only such files are taken. For
// reading elsewhere there are Cedar and ODRL.
import { Hono } from 'hono'
import { base64url, CompactSign } from 'jose'
import * as v from 'valibot'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { type ImportAnswer, importRequest } from '../../shared/protocol/owner-policy.ts'
import { noteClient, presentedToken, recognizedToken } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import type { BundleFrom, BundlePart } from '../objects/owner-bundle.ts'
import type { ImportLook } from '../objects/owner-keeping.ts'
import { cedarText } from '../policy/cedar.ts'
import { PROBLEMS } from '../policy/check.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import { odrlPolicy } from '../policy/odrl.ts'
import type { Policy } from '../policy/policy.ts'
import { sha256 } from '../tokens/opaque.ts'
import { BUNDLE_TYP, mapped, opened } from './rule-bundle-parts.ts'
import { enforced, invalid, NO_STORE, reasonText, refusal, tooFast } from './rule-context.ts'
import { ruleSentence } from './rule-sentence.ts'

const MAX_BUNDLE = 8_500_000
const encoder = new TextEncoder()

/** Where a part begins, and which it is; it goes out and comes back as base64url. */
const cursorOf = v.pipe(
  v.string(),
  v.maxLength(1024),
  v.regex(/^[\w-]+$/),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return JSON.parse(new TextDecoder().decode(base64url.decode(dataset.value))) as unknown
    } catch {
      addIssue({ message: 'no cursor of this server' })
      return NEVER
    }
  }),
  v.strictObject({
    at: v.picklist(['types', 'groups', 'rules']),
    after: v.pipe(v.string(), v.maxLength(256)),
    member: v.optional(v.pipe(v.string(), v.maxLength(256))),
    part: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)),
  }),
)
const FORMATS = ['bundle', 'cedar', 'odrl'] as const
type Exported = BundlePart & { revision: number; part: number; cursor?: string }

export const ruleBundle = new Hono<AppEnv>()
  .get('/export', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const asked = c.req.query('format') ?? c.req.query('form') ?? 'bundle'
    const format = FORMATS.find((one) => one === asked)
    if (format === undefined) throw invalid('format is bundle, cedar or odrl')
    const { part, ...from } = beginning(c)
    const { deps } = c.var
    const isView = format !== 'bundle'
    const from_: BundleFrom = { at: from.at, after: from.after, ...(from.member === undefined ? {} : { member: from.member }) }
    const taken = await ownerObject(c.env, owner).exportRules(caller, { now: seconds(deps), from: from_, isView })
    if (taken.kind === 'unauthorized') throw refused(taken)
    noteClient(c, taken)
    if (taken.kind === 'too_fast') throw tooFast(taken.wait)
    const { next } = taken
    const cursor = next === undefined ? undefined : base64url.encode(JSON.stringify({ ...next, part: part + 1 }))
    const exported: Exported = { ...taken, part, ...(cursor === undefined ? {} : { cursor }) }
    const link: Record<string, string> =
      cursor === undefined ? {} : { Link: `<${deps.issuer}/owner/rules/export?format=${format}&cursor=${cursor}>; rel="next"` }
    const headers = { ...NO_STORE, ...link }
    if (format === 'cedar') return c.body(asCedar(exported), 200, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' })
    if (format === 'odrl') return c.body(asOdrl(c, owner, exported), 200, { ...headers, 'Content-Type': 'application/ld+json' })
    return c.body(await asBundle(c, owner, exported), 200, {
      ...headers,
      'Content-Type': 'application/jose',
      'Content-Disposition': `attachment; filename="latchkey-rules${part === 1 && cursor === undefined ? '' : `-${part}`}.jws"`,
    })
  })
  .post('/import', async (c) => {
    const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'question')
    const asked = await readJson(c, importRequest, 'invalid_request', MAX_BUNDLE)
    if (asked.apply === true && asked.token === undefined)
      throw new OAuthError('invalid_request', 'send the token of the answer that said what would happen', { status: 428 })
    const texts = [asked.bundle].flat()
    const { isComplete, ...whole } = await opened(c, owner, texts)
    const bundle = mapped(whole, asked.resources ?? {})
    const resources = Object.entries(asked.resources ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
    const print = await sha256(JSON.stringify([texts, resources]))
    const now = seconds(c.var.deps)
    const object = ownerObject(c.env, owner)
    if (asked.token === undefined || asked.apply !== true) {
      const look = await object.lookAtRules(caller, { bundle, print, now })
      if (look.kind === 'unauthorized') throw refused(look)
      noteClient(c, look)
      if (look.kind === 'too_fast') throw tooFast(look.wait)
      return c.json(shown(c, look, { applied: false, isComplete }), 200, NO_STORE)
    }
    const done = await object.importRules(caller, { bundle, print, now, token: asked.token, isPartial: asked.partial === true })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind === 'too_fast') throw tooFast(done.wait)
    if (done.kind !== 'done') throw refusal(done)
    return c.json(shown(c, done.value, { applied: true, isComplete }), 200, NO_STORE)
  })

function beginning(c: AppContext): { at: BundleFrom['at']; after: string; member?: string | undefined; part: number } {
  const text = c.req.query('cursor')
  if (text === undefined) return { at: 'types', after: '', part: 1 }
  const read = v.safeParse(cursorOf, text)
  if (!read.success) throw invalid('cursor is none that this server gave')
  return read.output
}

async function asBundle(c: AppContext, owner: string, exported: Exported): Promise<string> {
  const { deps } = c.var
  const { rules, groups, types, people, revision, part, cursor: next } = exported
  const head = { v: 2, issuer: deps.issuer, owner, exported_at: seconds(deps), revision, part, ...(next === undefined ? {} : { next }) }
  const { kid, privateKey } = deps.keyring.signing
  return new CompactSign(encoder.encode(JSON.stringify({ ...head, rules, groups, types, people })))
    .setProtectedHeader({ alg: 'ES256', kid, typ: BUNDLE_TYP })
    .sign(privateKey)
}

/** What was allowed once is no rule for other engines. */
const lasting = ({ rules }: Exported): Policy[] => rules.flatMap((one) => (one.kind === 'once' ? [] : [enforced(one)]))

const asCedar = (exported: Exported): string => {
  const more =
    exported.cursor === undefined && exported.part === 1
      ? ''
      : `// Part ${exported.part}${exported.cursor === undefined ? ', the last one' : ', more follow'}.\n`
  return more + cedarText(lasting(exported), exported.types)
}

function asOdrl(c: AppContext, owner: string, exported: Exported): string {
  const base = `${c.var.deps.issuer}/owner`
  const ids = new Map(exported.people.map(({ mac, id }) => [mac, id]))
  const view = odrlPolicy(lasting(exported), {
    base,
    owner,
    uid: `${base}/rules/export?format=odrl&part=${exported.part}`,
    types: exported.types,
    personWith: (mac) => ids.get(mac),
    isMulti: isMultiClaim,
    isPart: exported.cursor !== undefined || exported.part > 1,
  })
  return JSON.stringify(view)
}

const isProblem = (code: string): code is keyof typeof PROBLEMS => Object.hasOwn(PROBLEMS, code)
const WARNINGS: Readonly<Record<string, string>> = {
  not_all_looked_at: 'There are many rules; only the first ones were looked at for warnings.',
  not_complete: 'Parts of this export are missing, or they were read while something was changed. What is there can be taken.',
  groups_differ: 'A group has other members here than in the file. It stays as it is here.',
  types_differ: 'A type of things is described otherwise here than in the file. It stays as it is here.',
  not_all_fits: 'Not all of the file can come. Say that you want the rest, or nothing is taken.',
}

/** What happened, or would, in the language of the request. */
function shown(c: AppContext, look: ImportLook, { applied, isComplete }: { applied: boolean; isComplete: boolean }): ImportAnswer {
  const words = { lang: c.var.lang, now: seconds(c.var.deps) }
  const sentence = (policy: Policy) => ruleSentence(policy, words, look.names)
  const own = (code: string, isSo: boolean) => (isSo ? [{ code, text: WARNINGS[code] ?? '' }] : [])
  const { groups, types } = look
  return {
    applied,
    complete: isComplete,
    token: look.token,
    added: look.added.map(({ id, kind, policy }) => ({ id, kind, sentence: sentence(policy) })),
    changed: look.changed.map(({ id, kind, policy, was }) => ({
      id,
      kind,
      sentence: sentence(policy),
      was: { kind: was?.kind ?? kind, rev: was?.rev ?? 0, sentence: was === undefined ? '' : sentence(was.policy) },
    })),
    same: look.same,
    refused: look.refused.map(({ id, kind, reason }) => ({
      id,
      kind,
      reason,
      text: isProblem(reason) ? PROBLEMS[reason] : reasonText(reason),
    })),
    groups,
    types: { ...types, added: types.added.map((type) => ({ ...type })) },
    people: look.people,
    quotas: look.quotas,
    warnings: [
      ...own('not_complete', !isComplete),
      ...own('not_all_fits', look.refused.filter(({ kind }) => kind !== 'once').length + groups.refused.length + types.refused.length > 0),
      ...own('groups_differ', groups.kept.length > 0),
      ...own('types_differ', types.kept.length > 0),
      ...look.warnings.map(({ code, text, rule }) => ({
        code,
        text: text ?? WARNINGS[code] ?? '',
        ...(rule === undefined ? {} : { rule }),
      })),
    ],
  }
}
