// Pushed authorization requests (RFC 9126): a client sends its request here, authenticated, and the browser carries only a reference. Judged at
// once as the authorization endpoint would, and there once more.
import { Hono } from 'hono'
import { type AppContext, type AppEnv, callOf, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { type Params, readFields } from '../http/form.ts'
import { countNetwork } from '../http/network-limits.ts'
import { verifyDpop } from '../tokens/dpop.ts'
import { askedIn, parseRequest, registeredRedirect } from './authorization-request.ts'
import { authenticateClient } from './client-auth.ts'
import { PUSHED_LIFETIME, pushRequest } from './pushed-request.ts'

export const par = new Hono<AppEnv>().post('/', async (c) => {
  await countNetwork(callOf(c), 'push')
  const { params, resources } = askedIn(await readFields(c))
  const client = await authenticateClient(callOf(c), params)
  // RFC 9126 2.1
  if (params.get('request_uri') !== undefined) throw new OAuthError('invalid_request', 'leave request_uri out: it is what comes back')
  const redirectUri = registeredRedirect(client, params.get('redirect_uri'))
  if (redirectUri === undefined) throw new OAuthError('invalid_request', 'redirect_uri is missing or not registered')
  const jkt = await dpopKey(c, params)
  const asked = {
    params: new Map([
      ...params,
      ['client_id', client.id],
      ['redirect_uri', redirectUri],
      ...(jkt === undefined ? [] : [['dpop_jkt', jkt] as const]),
    ]),
    resources,
  }
  const request = parseRequest(asked, client, redirectUri, c.var.deps.issuer)
  if ('error' in request) throw new OAuthError(request.error, request.error_description)
  const uri = await pushRequest(c, asked)
  if (uri === undefined) throw new OAuthError('invalid_request', 'the request is too long', { status: 413 })
  return c.json({ request_uri: uri, expires_in: PUSHED_LIFETIME }, 201, { 'Cache-Control': 'no-store' })
})

/** RFC 9449 10.1: the key that the code will be bound to, by a proof or by name; both must mean the same. */
async function dpopKey(c: AppContext, params: Params): Promise<string | undefined> {
  const { deps } = c.var
  const verdict = await verifyDpop({ header: c.req.header('dpop'), method: 'POST', url: `${deps.issuer}/par`, now: seconds(deps) })
  if (verdict.kind === 'invalid') throw new OAuthError('invalid_dpop_proof', 'send a fresh DPoP proof for this endpoint')
  const named = params.get('dpop_jkt')
  if (verdict.kind === 'ok' && named !== undefined && named !== verdict.jkt)
    throw new OAuthError('invalid_dpop_proof', 'dpop_jkt is another key than that of the proof')
  return verdict.kind === 'ok' ? verdict.jkt : named
}
