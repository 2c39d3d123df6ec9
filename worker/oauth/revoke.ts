// Token revocation (RFC 7009): a client ends its own RPT, PCT, access or refresh token. Unknown and foreign tokens answer 200 and change nothing.
import { Hono } from 'hono'
import { type AppEnv, callOf, guestObject, ownerObject, seconds } from '../http/context.ts'
import { readForm, required } from '../http/form.ts'
import { readToken } from '../tokens/opaque.ts'
import { authenticateClient } from './client-auth.ts'

export const revoke = new Hono<AppEnv>().post('/', async (c) => {
  const { deps } = c.var
  const params = await readForm(c)
  const client = await authenticateClient(callOf(c), params)
  const token = await readToken(deps.keyring, required(params, 'token'))
  // The hint is not needed (RFC 7009 2.1): a token of ours says what it is.
  if (token?.kind === 'c') await (await guestObject(deps, token.owner)).revoke({ hash: token.hash, client_id: client.id })
  else if (token !== undefined) await ownerObject(c.env, token.owner).revoke({ hash: token.hash, client_id: client.id, now: seconds(deps) })
  return c.body(null, 200, { 'Cache-Control': 'no-store' })
})
