// Token revocation (RFC 7009): a client ends its own RPT, access or refresh token. Unknown and foreign tokens answer 200 and change nothing.
import { Hono } from 'hono'
import { type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readForm, required } from '../http/form.ts'
import { readToken } from '../tokens/opaque.ts'
import { authenticateClient } from './client-auth.ts'

export const revoke = new Hono<AppEnv>().post('/', async (c) => {
  const { deps } = c.var
  const params = await readForm(c)
  const client = await authenticateClient(c, params)
  const hint = params.get('token_type_hint')
  if (hint === 'pct') throw new OAuthError('unsupported_token_type', 'this server issues no persisted claims tokens')
  const token = await readToken(deps.keyring, required(params, 'token'))
  if (token !== undefined) await ownerObject(c.env, token.owner).revoke({ hash: token.hash, client_id: client.id, now: seconds(deps) })
  return c.body(null, 200, { 'Cache-Control': 'no-store' })
})
