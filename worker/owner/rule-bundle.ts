// Owner API: all rules as one signed file (GET /owner/rules/export), and back (POST /owner/rules/import, first without `apply`: what would
// happen). People and values are named by hashes that mean something only at this server for this owner, so only such a file is taken.
import { Hono } from 'hono'
import { CompactSign, compactVerify, decodeProtectedHeader, importJWK } from 'jose'
import * as v from 'valibot'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { importRequest } from '../../shared/protocol/owner-policy.ts'
import { noteClient, presentedToken } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { readJson } from '../http/json.ts'
import type { Bundle } from '../objects/owner-bundle.ts'
import { cedarText } from '../policy/cedar.ts'
import type { Target } from '../policy/policy.ts'
import { invalid, NO_STORE, tooFast } from './rule-context.ts'
import { isDeeper } from './rule-parts.ts'

const TYP = 'latchkey-rules+jws'
const DEPTH = 48
const MAX_BUNDLE = 1_100_000
const encoder = new TextEncoder()

const envelope = v.object({
  v: v.literal(1),
  issuer: v.string(),
  owner: v.string(),
  rules: v.pipe(v.array(v.looseObject({ id: v.string(), policy: v.looseObject({ v: v.literal(1), id: v.string() }) })), v.maxLength(5000)),
  groups: v.array(v.looseObject({ id: v.string(), label: v.string() })),
  types: v.array(v.looseObject({ type: v.string() })),
  people: v.array(v.looseObject({ id: v.string(), mac: v.string(), label: v.string() })),
})

export const ruleBundle = new Hono<AppEnv>()
  .get('/export', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const form = c.req.query('form') ?? 'bundle'
    if (form !== 'bundle' && form !== 'cedar') throw invalid('form is bundle or cedar')
    const { deps } = c.var
    const taken = await ownerObject(c.env, owner).exportRules(caller, { now: seconds(deps) })
    if (taken.kind === 'unauthorized') throw refused(taken)
    noteClient(c, taken)
    if (taken.kind === 'too_fast') throw tooFast(taken.wait)
    const { rules, groups, types, people } = taken
    if (form === 'cedar') {
      const text = cedarText(
        rules.map(({ policy }) => policy),
        types,
      )
      return c.body(text, 200, { ...NO_STORE, 'Content-Type': 'text/plain; charset=utf-8' })
    }
    const body = JSON.stringify({ v: 1, issuer: deps.issuer, owner, exported_at: seconds(deps), rules, groups, types, people })
    const { kid, privateKey } = deps.keyring.signing
    const jws = await new CompactSign(encoder.encode(body)).setProtectedHeader({ alg: 'ES256', kid, typ: TYP }).sign(privateKey)
    return c.body(jws, 200, {
      ...NO_STORE,
      'Content-Type': 'application/jose',
      'Content-Disposition': 'attachment; filename="latchkey-rules.jws"',
    })
  })
  .post('/import', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const asked = await readJson(c, importRequest, 'invalid_request', MAX_BUNDLE)
    const bundle = mapped(await opened(c, owner, asked.bundle), asked.resources ?? {})
    const done = await ownerObject(c.env, owner).importRules(caller, { bundle, apply: asked.apply === true, now: seconds(c.var.deps) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind === 'too_fast') throw tooFast(done.wait)
    const { added, changed, refused: not } = done
    return c.json({ applied: asked.apply === true, added, changed, refused: not }, 200, NO_STORE)
  })

/** The content of a bundle that this server signed for this owner. OAuthError `invalid_request` otherwise. */
async function opened(c: AppContext, owner: string, text: string): Promise<Bundle> {
  const { deps } = c.var
  let parsed: unknown
  try {
    const { kid, typ } = decodeProtectedHeader(text)
    const jwk = typ === TYP && kid !== undefined ? await deps.keyring.publicJwk(kid) : undefined
    if (jwk === undefined) throw invalid('this is no file of rules that this server has signed')
    const { payload } = await compactVerify(text, await importJWK(jwk, 'ES256'), { algorithms: ['ES256'] })
    parsed = JSON.parse(new TextDecoder().decode(payload))
  } catch {
    throw invalid('this is no file of rules that this server has signed')
  }
  const read = isDeeper(parsed, DEPTH) ? undefined : v.safeParse(envelope, parsed)
  if (read?.success !== true) throw invalid('this file of rules is of a form that is not known here')
  // Signed by this server, so its content is what was exported; whose it is, is another question.
  if (read.output.issuer !== deps.issuer || read.output.owner !== owner)
    throw invalid('these are the rules of another owner; add them one by one')
  return read.output as unknown as Bundle
}

/** Things by other ids: of a service that was connected anew, say. Whether they are this owner's, the object checks. */
const mapped = (bundle: Bundle, ids: Readonly<Record<string, string>>): Bundle => ({
  ...bundle,
  rules: bundle.rules.map((rule) => ({ ...rule, policy: { ...rule.policy, target: mappedTarget(rule.policy.target, ids) } })),
})
const mappedTarget = (target: Target, ids: Readonly<Record<string, string>>): Target =>
  'resources' in target ? { ...target, resources: target.resources.map((id) => (Object.hasOwn(ids, id) ? (ids[id] ?? id) : id)) } : target
