// Forms of /admin about rules of the platform (POLICY 2): they forbid and demand, for all owners, and never permit. A change is written down and
// carried to every owner (worker/objects/client.ts).
import { Hono } from 'hono'
import * as v from 'valibot'
import { platformRule } from '../../shared/protocol/owner-policy.ts'
import { type AppContext, type AppEnv, seconds } from '../http/context.ts'
import { required } from '../http/form.ts'
import { sameOrigin } from '../http/session.ts'
import { dropPlatformRule, PLATFORM_RULES, platformRuleRows, putPlatformRule } from '../objects/platform-rules.ts'
import { checkPolicy } from '../policy/check.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Condition, Policy } from '../policy/policy.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { back, operatorForm } from './operator-form.ts'

const MAX_TEXT = 16_384
/** More brackets than a rule can have; what is nested deeper is not read at all. */
const MAX_BRACKETS = 400

export const adminPlatformRules = new Hono<AppEnv>()
  .post('/add-rule', sameOrigin(), async (c) => {
    const { params } = await operatorForm(c)
    const policy = ruleIn(params.get('rule') ?? '')
    if (policy === undefined) return back(c, 'rule_wrong')
    const label = (params.get('name') ?? '').trim().slice(0, 200)
    if ((await platformRuleRows(c.env.DB)).length >= 100) return back(c, 'rule_wrong')
    await carrier(c).rulesWillChange({ now: seconds(c.var.deps) })
    await putPlatformRule(c.env.DB, { policy, label, now: seconds(c.var.deps) }, 0)
    return told(c, 'rule_added')
  })
  .post('/drop-rule', sameOrigin(), async (c) => {
    const { params } = await operatorForm(c)
    await carrier(c).rulesWillChange({ now: seconds(c.var.deps) })
    await dropPlatformRule(c.env.DB, required(params, 'rule'))
    return told(c, 'rule_dropped')
  })

/** Who tells all owners. */
const carrier = (c: AppContext) => c.env.CLIENT.get(c.env.CLIENT.idFromName(PLATFORM_RULES))

async function told(c: AppContext, notice: 'rule_added' | 'rule_dropped'): Promise<Response> {
  const status = await carrier(c).rulesChanged({ now: seconds(c.var.deps) })
  return back(c, status.done ? notice : 'client_on_its_way')
}

/** A typed rule, as the engine reads it; undefined if it cannot be one of the platform. */
function ruleIn(text: string): Policy | undefined {
  if (text.length > MAX_TEXT || (text.match(/[[{]/g)?.length ?? 0) > MAX_BRACKETS) return undefined
  let typed: unknown
  try {
    typed = JSON.parse(text)
  } catch {
    return undefined
  }
  const read = v.safeParse(platformRule, typed)
  if (!read.success) return undefined
  const { effect, target, scopes, when } = read.output
  const policy: Policy = { v: 1, id: randomSecret(12), rev: 1, tier: 'platform', effect, target, scopes, when: when as Condition }
  return checkPolicy(policy, { isMulti: isMultiClaim }).length === 0 ? policy : undefined
}
