// Forms of /admin about who vouches for people: issuers whose word counts for everybody, and issuers that nobody here may believe, whoever
// registered them. A block reaches every owner who relies on the issuer, like that of a client (worker/objects/client.ts).
import { Hono } from 'hono'
import * as v from 'valibot'
import { claimIssuerRequest } from '../../shared/protocol/owner-api.ts'
import { ID_TOKEN_FORMAT, JWT_FORMAT } from '../../shared/protocol/uma-grant.ts'
import { type AppContext, type AppEnv, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { type Params, required } from '../http/form.ts'
import { sameOrigin } from '../http/session.ts'
import { issuerColumns } from '../oauth/claim-issuers.ts'
import { type IssuerColumns, putOperatorIssuer } from '../store/claim-issuers.ts'
import { issuerObject } from './admin-view.ts'
import { back, operatorForm } from './operator-form.ts'

export const adminIssuers = new Hono<AppEnv>()
  .post('/add-issuer', sameOrigin(), async (c) => {
    const { params } = await operatorForm(c)
    const columns = await columnsIn(c, params)
    if (columns === undefined) return back(c, 'issuer_wrong')
    await putOperatorIssuer(c.env.DB, { ...columns, created_at: seconds(c.var.deps) })
    return back(c, 'issuer_added')
  })
  .post('/block-issuer', sameOrigin(), async (c) => changeIssuer(c, true))
  .post('/unblock-issuer', sameOrigin(), async (c) => changeIssuer(c, false))

async function changeIssuer(c: AppContext, blocked: boolean): Promise<Response> {
  const { params } = await operatorForm(c)
  const issuer = required(params, 'issuer').trim()
  if (!/^https?:\/\/[\x21-\x7e]{1,248}$/.test(issuer)) return back(c, 'issuer_wrong')
  const status = await issuerObject(c.env, issuer).change({
    client_id: issuer,
    kind: 'issuer',
    blocked,
    now: seconds(c.var.deps),
  })
  if (!status.done) return back(c, 'client_on_its_way')
  return back(c, blocked ? 'client_blocked' : 'client_unblocked')
}

const words = (text: string | undefined): string[] => (text ?? '').split(/[\s,]+/).filter((word) => word !== '')

/** What is typed is judged as what a wallet sends. Undefined if it cannot be an issuer. */
async function columnsIn(c: AppContext, params: Params): Promise<IssuerColumns | undefined> {
  // One app a line: its identifier here, then those that the issuer has for it.
  const apps = (params.get('apps') ?? '').split(/\r?\n/).map(words)
  const audiences = Object.fromEntries(apps.flatMap(([here, ...there]) => (here === undefined ? [] : [[here, there]])))
  const domains = words(params.get('domains'))
  const asked = v.safeParse(claimIssuerRequest, {
    issuer: (params.get('issuer') ?? '').trim(),
    ...(params.get('keys') === undefined ? {} : { jwks_uri: params.get('keys')?.trim() }),
    formats: Object.keys(audiences).length === 0 ? [JWT_FORMAT] : [JWT_FORMAT, ID_TOKEN_FORMAT],
    claims: words(params.get('about')),
    ...(domains.length === 0 ? {} : { email_domains: domains }),
    audiences,
  })
  if (!asked.success) return undefined
  try {
    return await issuerColumns(c, asked.output)
  } catch (error) {
    if (error instanceof OAuthError) return undefined
    throw error
  }
}
