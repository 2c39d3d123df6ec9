// The API document and the page on which one reads it and tries the API. The document was made when the server was built (worker/openapi);
// here it learns its issuer, nothing else.
import { Hono } from 'hono'
import openApi from '../../.build/pages/openapi.txt'
import { ISSUER_MARK } from '../openapi/issuer-mark.ts'
import { type ApiDocument, DevelopersPage } from '../pages/developers.tsx'
import { render } from '../pages/layout.tsx'
import { paths } from '../pages/paths.ts'
import type { AppEnv } from './context.ts'
import { pageContext } from './page.ts'

/** GET /openapi.json */
export const apiDocument = new Hono<AppEnv>().get('/', (c) =>
  c.body(openApi.replaceAll(ISSUER_MARK, c.var.deps.issuer), 200, {
    'Content-Type': 'application/json',
    'Cache-Control': 'public, max-age=300',
  }),
)

/** GET /developers */
export const developers = new Hono<AppEnv>().get(paths.developers, (c) =>
  c.html(render(DevelopersPage, { page: pageContext(c), issuer: c.var.deps.issuer, api: parsed() })),
)

let document: ApiDocument | undefined
/** Read once an isolate, and only where somebody looks. */
function parsed(): ApiDocument {
  document ??= JSON.parse(openApi) as ApiDocument
  return document
}
