// AuthZEN 6 and 7: POST /access/v1/evaluation and /access/v1/evaluations. Each answer is what the token endpoint would do for the same
// evidence; nothing is counted, spent or asked of anybody. All that one request asks is one question to the owner's object.
import { Hono } from 'hono'
import {
  type Decision,
  type EvaluationRequest,
  type EvaluationsRequest,
  evaluationRequest,
  evaluationsRequest,
} from '../../shared/protocol/authzen.ts'
import { noteClient } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import type { Outcome } from '../policy/assess.ts'
import { type Asking, asked, decisionOf, echoRequestId, respond, tooFast } from './answer.ts'
import { supposedAll } from './supposed.ts'

type Item = { [Member in keyof EvaluationRequest]?: EvaluationRequest[Member] | undefined }

export const evaluation = new Hono<AppEnv>()
  // Of all that is below /access/v1.
  .use(echoRequestId)
  .post('/evaluation', async (c) => {
    const asking = await asked(c, evaluationRequest)
    return respond(c, (await decide(c, asking, [asking.request]))[0])
  })
  .post('/evaluations', async (c) => {
    const asking = await asked(c, evaluationsRequest)
    const { evaluations } = asking.request
    if (evaluations !== undefined && evaluations.length > 0) {
      const items = evaluations.map((item) => withDefaults(item, asking.request))
      return respond(c, { evaluations: cut(await decide(c, asking, items), asking.request) })
    }
    // AuthZEN 7.1: without a list it is one evaluation.
    if (!isWhole(asking.request)) throw new OAuthError('invalid_request', 'subject, action and resource are needed')
    return respond(c, (await decide(c, asking, [asking.request]))[0])
  })

/** Members of an item take the place of those outside of the list (AuthZEN 7.1.1). */
const withDefaults = (item: Item, defaults: EvaluationsRequest): Item => ({
  subject: item.subject ?? defaults.subject,
  action: item.action ?? defaults.action,
  resource: item.resource ?? defaults.resource,
  context: item.context ?? defaults.context,
})

const isWhole = (item: Item): item is EvaluationRequest =>
  item.subject !== undefined && item.action !== undefined && item.resource !== undefined

/** AuthZEN 7.1.2: what comes after the answer that ends it is not told. */
function cut(decisions: Decision[], { options }: EvaluationsRequest): Decision[] {
  const semantic = options?.evaluations_semantic ?? 'execute_all'
  if (semantic === 'execute_all') return decisions
  const end = decisions.findIndex(({ decision }) => decision === (semantic === 'permit_on_first_permit'))
  return end < 0 ? decisions : decisions.slice(0, end + 1)
}

/** AuthZEN 7.2.1: an item that cannot be decided is a no with the reason; only what is wrong with the whole request is an error. */
async function decide(c: AppContext, asking: Asking<unknown>, items: readonly Item[]): Promise<Decision[]> {
  const { owner, caller, isService, refused } = asking
  const whole = items.filter(isWhole)
  const suppositions = await supposedAll(
    c,
    { owner, isService },
    whole.map(({ subject, context }) => ({ subject, context })),
  )
  const questions = suppositions.map((by, at) => ({
    cell: { resource_id: whole[at]?.resource.id ?? '', scope: whole[at]?.action.name ?? '' },
    by,
  }))
  const answered = await ownerObject(c.env, owner).evaluate(caller, { questions, isService, now: seconds(c.var.deps) })
  if (answered.kind === 'unauthorized') throw refused(answered)
  noteClient(c, answered)
  if (answered.kind === 'too_fast') throw tooFast(answered.wait)
  const outcomes = answered.items.values()
  return items.map((item) => {
    const outcome = isWhole(item) ? outcomes.next().value : undefined
    if (outcome !== undefined) return decisionOf(outcome as Outcome)
    return { decision: false, context: { error: { status: 400, message: 'subject, action or resource is missing' } } }
  })
}
