// THE URL table: each endpoint file at its path; OAuth is handed what UMA adds to it. Nothing else is decided here.
import { Hono } from 'hono'
import { UMA_TICKET_GRANT } from '../shared/protocol/uma-grant.ts'
import { evaluation } from './access/evaluation.ts'
import { accessMetadata } from './access/metadata.ts'
import { search } from './access/search.ts'
import { admin } from './admin/admin.ts'
import { buildDeps } from './http/build-deps.ts'
import type { AppEnv } from './http/context.ts'
import { apiDocument, developers } from './http/developers.ts'
import { assetHeaders, openCors, pageHeaders } from './http/headers.ts'
import { health } from './http/health.ts'
import { logRequests } from './http/log.ts'
import { answerError, answerNotFound } from './http/respond.ts'
import { type Straight, straight } from './http/straight.ts'
import { authorizationCodeGrant } from './oauth/authorization-code-grant.ts'
import { authorize } from './oauth/authorize.ts'
import { clientCredentialsGrant } from './oauth/client-credentials-grant.ts'
import { clientManagement } from './oauth/client-management.ts'
import { introspect } from './oauth/introspect.ts'
import { jwks, metadata, PRE_AUTHORIZED_CODE_GRANT } from './oauth/metadata.ts'
import { par } from './oauth/par.ts'
import { preAuthorizedCodeGrant } from './oauth/pre-authorized-code-grant.ts'
import { refreshTokenGrant } from './oauth/refresh-token-grant.ts'
import { register } from './oauth/register.ts'
import { revoke } from './oauth/revoke.ts'
import { token } from './oauth/token.ts'
import { account, takeOut } from './owner/account.ts'
import { ownerApi } from './owner/api.ts'
import { groups } from './owner/groups.ts'
import { home } from './owner/home.tsx'
import { issuers } from './owner/issuers.ts'
import { live } from './owner/live.ts'
import { organisation } from './owner/organisation.ts'
import { policies } from './owner/policies.ts'
import { questions } from './owner/questions.ts'
import { ownerRequests } from './owner/requests.ts'
import { ruleBundle } from './owner/rule-bundle.ts'
import { rules } from './owner/rules.ts'
import { signIn } from './owner/sign-in.ts'
import { thingTypes } from './owner/thing-types.ts'
import { assets } from './pages/assets.ts'
import { claimsInteraction } from './uma/claims-interaction.ts'
import { credential } from './uma/credential.ts'
import { permission } from './uma/permission.ts'
import { proofs } from './uma/proofs-page.ts'
import { resourceRegistration } from './uma/resource-registration.ts'
import { describeRpt } from './uma/rpt-permissions.ts'
import { refreshRpt } from './uma/rpt-refresh.ts'
import { ticketGrant } from './uma/ticket-grant.ts'

/** Called by programs of any origin: JSON errors, open CORS (DESIGN 4). */
const API = [
  '/.well-known',
  '/jwks',
  '/register',
  '/par',
  '/token',
  '/introspect',
  '/revoke',
  '/uma/resource',
  '/uma/permission',
  '/owner',
  '/access',
  '/credential',
  '/nonce',
  '/health',
  '/openapi.json',
]
const isApi = (path: string): boolean => API.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))

export const app = new Hono<AppEnv>({ strict: false })

app.onError(answerError(isApi))
app.notFound(answerNotFound(isApi, () => app.routes))

/** Called at every use of a thing, or before (http/straight.ts): before all middleware, which they do not need. */
const STRAIGHT: ReadonlyMap<string, Straight> = new Map([
  ['/introspect', straight('/introspect', introspect(describeRpt))],
  ['/uma/permission', straight('/uma/permission', permission)],
  [
    '/token',
    straight(
      '/token',
      token(
        {
          authorization_code: authorizationCodeGrant,
          refresh_token: refreshTokenGrant({ u: refreshRpt }),
          client_credentials: clientCredentialsGrant,
          [UMA_TICKET_GRANT]: ticketGrant,
        },
        { [PRE_AUTHORIZED_CODE_GRANT]: preAuthorizedCodeGrant },
      ),
    ),
  ],
])
for (const [path, answer] of STRAIGHT) app.post(path, (c) => answer(c.req.raw, c.env, c.executionCtx))

app.use(logRequests())
app.use('/health/*', openCors())
// Before the keyring is read: it says so when that fails.
app.route('/health', health)
app.use(buildDeps())
// In Hono `/token/*` matches `/token` too.
for (const prefix of API.filter((one) => one !== '/health')) app.use(`${prefix}/*`, openCors())

// Discovery: both forms give the same (UMA Grant 2, RFC 8414 3).
app.route('/.well-known/uma2-configuration', metadata)
app.route('/.well-known/oauth-authorization-server', metadata)
app.route('/.well-known/openid-configuration', metadata)
app.route('/jwks', jwks)
app.route('/openapi.json', apiDocument)

// OAuth, for programs
app.route('/register', register)
app.route('/register', clientManagement)
app.route('/par', par)
app.route('/revoke', revoke)

// UMA, for programs
app.route('/uma/resource', resourceRegistration)

// Credentials for wallets (OpenID4VCI) and the keys to check them with
app.route('/', credential)

// Owner API
app.route('/owner', ownerApi)
app.route('/owner', ownerRequests)
app.route('/owner', takeOut)
app.route('/owner', groups)
app.route('/owner', thingTypes)
app.route('/owner', questions)
app.route('/owner', organisation)
app.route('/owner/rules', ruleBundle)
app.route('/owner/rules', rules)
app.route('/owner/policies', policies)
app.route('/owner/issuers', issuers)
app.route('/owner/live', live)

// AuthZEN, for those who enforce decisions
app.route('/.well-known/authzen-configuration', accessMetadata)
app.route('/access/v1', evaluation)
app.route('/access/v1/search', search)

// Pages: all that comes after these two lines has their headers.
app.use('/assets/*', assetHeaders())
app.use(async (c, next) => (isApi(c.req.path) || c.req.path.startsWith('/assets/') ? next() : pageHeaders()(c, next)))
app.get('/assets/:name', (c) => {
  const asset = assets.get(c.req.param('name'))
  return asset === undefined ? c.notFound() : c.body(asset.body, 200, { 'Content-Type': asset.contentType })
})
app.route('/admin', admin)
app.route('/authorize', authorize)
app.route('/uma/claims', claimsInteraction)
app.route('/', account)
app.route('/', proofs)
app.route('/', developers)
app.route('/', signIn)
app.route('/', home)

/** Where a request comes in. A path that is spelled as it should be needs no router. */
export const entry = (request: Request, env: Env, context: ExecutionContext): Response | Promise<Response> => {
  // The path begins at the first slash behind `https://`.
  const answer = request.method === 'POST' ? STRAIGHT.get(request.url.slice(request.url.indexOf('/', 8))) : undefined
  return answer === undefined ? app.fetch(request, env, context) : answer(request, env, context)
}
