// What every form of the page of operators begins and ends with.
import type { AppContext, OwnerSession } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { type Params, readForm } from '../http/form.ts'
import { operatorOf } from '../http/operator.ts'
import { checkCsrf } from '../http/session.ts'
import type { AdminNotice } from '../pages/admin.tsx'
import { paths } from '../pages/paths.ts'

/** The form of an operator's page. PageError: 404 for a stranger, 401 when the session is over. */
export async function operatorForm(c: AppContext): Promise<{ session: OwnerSession; params: Params }> {
  const params = await readForm(c)
  const operator = await operatorOf(c)
  if (operator.kind === 'stranger') throw nothingHere()
  if (operator.kind === 'signed_out') throw new PageError('signed_out', 'no_session', 401)
  await checkCsrf(c.var.deps, operator.session, params)
  return { session: operator.session, params }
}

export const nothingHere = () => new PageError('not_found', 'not_found', 404)

export const back = (c: AppContext, notice: AdminNotice): Response => c.redirect(`${paths.admin}?notice=${notice}`, 303)
