// Signed parts of an export of rules: opened, put together to one bundle, and told whether they are all of it.
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose'
import * as v from 'valibot'
import type { AppContext } from '../http/context.ts'
import type { Bundle, BundleGroup } from '../objects/owner-bundle.ts'
import type { Target } from '../policy/policy.ts'
import { invalid } from './rule-context.ts'
import { isDeeper } from './rule-parts.ts'

export const BUNDLE_TYP = 'latchkey-rules+jws'
const DEPTH = 48
/** Rules that one import brings, since it is one change of the record. */
const MOST = 5000

/** Signed by this server, so its content is what was exported; only what is relied on here is looked at. */
const envelope = v.object({
  v: v.literal(2),
  issuer: v.string(),
  owner: v.string(),
  revision: v.number(),
  part: v.number(),
  next: v.optional(v.string()),
  rules: v.array(
    v.looseObject({
      id: v.string(),
      kind: v.string(),
      policy: v.looseObject({ v: v.literal(1), id: v.string(), target: v.looseObject({}) }),
    }),
  ),
  groups: v.array(
    v.looseObject({ id: v.string(), label: v.string(), members: v.array(v.looseObject({ mac: v.string(), label: v.string() })) }),
  ),
  types: v.array(v.looseObject({ type: v.string() })),
  people: v.array(v.looseObject({ id: v.string(), mac: v.string(), label: v.string() })),
})
type Part = v.InferOutput<typeof envelope>

/**
 * The content of parts that this server signed for this owner, as one bundle; `isComplete` if they are all parts of one export, read while
 * nothing was changed. OAuthError `invalid_request` otherwise.
 */
export async function opened(c: AppContext, owner: string, texts: readonly string[]): Promise<Bundle & { isComplete: boolean }> {
  const parts = (await Promise.all(texts.map((text) => openedPart(c, owner, text)))).sort((a, b) => a.part - b.part)
  const rules = parts.flatMap((part) => part.rules)
  if (rules.length > MOST) throw invalid(`more than ${MOST} rules at once; take the parts in one after the other`)
  const [first] = parts
  const isComplete =
    parts.every(({ part, revision }, at) => part === at + 1 && revision === first?.revision) && parts.at(-1)?.next === undefined
  const types = parts.flatMap((part) => part.types)
  const people = [...new Map(parts.flatMap((part) => part.people).map((one) => [one.mac, one])).values()]
  return { rules, groups: joined(parts), types, people, isComplete } as unknown as Bundle & { isComplete: boolean }
}

/** Members of one group may be in several parts. */
function joined(parts: readonly Part[]): BundleGroup[] {
  const groups = new Map<string, BundleGroup>()
  for (const { id, label, members } of parts.flatMap((part) => part.groups)) {
    const known = groups.get(id)
    groups.set(id, { id, label, members: [...(known?.members ?? []), ...members] })
  }
  return [...groups.values()]
}

async function openedPart(c: AppContext, owner: string, text: string): Promise<Part> {
  const { deps } = c.var
  let parsed: unknown
  try {
    const { kid, typ } = decodeProtectedHeader(text)
    const jwk = typ === BUNDLE_TYP && kid !== undefined ? await deps.keyring.publicJwk(kid) : undefined
    if (jwk === undefined) throw invalid('this is no file of rules that this server has signed')
    const { payload } = await compactVerify(text, await importJWK(jwk, 'ES256'), { algorithms: ['ES256'] })
    parsed = JSON.parse(new TextDecoder().decode(payload))
  } catch {
    throw invalid('this is no file of rules that this server has signed')
  }
  const read = isDeeper(parsed, DEPTH) ? undefined : v.safeParse(envelope, parsed)
  if (read?.success !== true) throw invalid('this file of rules is of a form that is not known here')
  if (read.output.issuer !== deps.issuer || read.output.owner !== owner)
    throw invalid('these are the rules of another owner; add them one by one')
  return read.output
}

/** Things by other ids: of a service that was connected anew, say. Whether they are this owner's, the object checks. */
export function mapped(bundle: Bundle, ids: Readonly<Record<string, string>>): Bundle {
  const one = (id: string): string => (Object.hasOwn(ids, id) ? (ids[id] ?? id) : id)
  const rules = bundle.rules.map((rule) => ({
    ...rule,
    policy: { ...rule.policy, target: mappedTarget(rule.policy.target, one) },
    ...(rule.share === undefined ? {} : { share: { ...rule.share, resource_id: one(rule.share.resource_id) } }),
  }))
  return { ...bundle, rules }
}
const mappedTarget = (target: Target, one: (id: string) => string): Target =>
  'resources' in target ? { ...target, resources: target.resources.map(one) } : target
