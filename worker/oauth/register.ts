// Dynamic client registration (RFC 7591) with `claims_redirect_uris` (UMA Grant 2). Everything in it is what the client says of itself
// (client-metadata.ts). What comes back lets the client look after its registration (client-management.ts).
import { Hono } from 'hono'
import { clientMetadata } from '../../shared/protocol/oauth.ts'
import { type AppEnv, callOf, seconds } from '../http/context.ts'
import { readJson } from '../http/json.ts'
import { countNetwork } from '../http/network-limits.ts'
import { insertClient } from '../store/clients.ts'
import { randomSecret, sha256 } from '../tokens/opaque.ts'
import { hasSecret, registrationAnswer } from './client-management.ts'
import { validMetadata } from './client-metadata.ts'
import { withStatement } from './software-statement.ts'

export const register = new Hono<AppEnv>().post('/', async (c) => {
  await countNetwork(callOf(c), 'registration')
  const metadata = validMetadata(c.var.deps, await withStatement(c.var.deps, await readJson(c, clientMetadata, 'invalid_client_metadata')))
  const [id, token] = [randomSecret(16), randomSecret()]
  const secret = hasSecret(metadata) ? randomSecret() : undefined
  const createdAt = seconds(c.var.deps)
  const client = { id, ...(secret === undefined ? {} : { secretHash: await sha256(secret) }), metadata, createdAt }
  await insertClient(c.env.DB, client, await sha256(token))
  c.set('client', id)
  return registrationAnswer(c, client, { token, secret }, 201)
})
