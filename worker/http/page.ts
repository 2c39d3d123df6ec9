// What every page of this request needs: language, host, operator.
import type { PageContext } from '../pages/layout.tsx'
import type { AppContext } from './context.ts'

/** From the request's language and the issuer. */
export function pageContext(c: AppContext): PageContext {
  const operator = c.env.OPERATOR
  return { lang: c.var.lang, host: new URL(c.var.deps.issuer).host, ...(operator === '' || operator === undefined ? {} : { operator }) }
}
