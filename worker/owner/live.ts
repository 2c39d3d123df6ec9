// Live notices: a wallet trades its token for a code of 30 seconds and opens a WebSocket with it (browsers cannot send headers there).
// The socket hangs on the owner's object, hibernating; the code is good once.
import { Hono } from 'hono'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { invalidToken, noteClient, presentedToken } from '../http/bearer.ts'
import { type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { paramsOf } from '../http/form.ts'
import { randomSecret } from '../tokens/opaque.ts'

const CODE_LIFETIME = 30
type LiveCode = { owner: string; connection: string; client_id?: string; jti: string; exp: number }

export const live = new Hono<AppEnv>()
  .post('/', async (c) => {
    const { deps } = c.var
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const now = seconds(deps)
    const me = await ownerObject(c.env, owner).me(caller, now)
    if (me.kind === 'unauthorized') throw refused(me)
    noteClient(c, me)
    if (me.connection_id === undefined) throw invalidToken()
    const code = await deps.keyring.seal('live', {
      owner,
      connection: me.connection_id,
      ...(me.client_id === undefined ? {} : { client_id: me.client_id }),
      jti: randomSecret(16),
      exp: now + CODE_LIFETIME,
    } satisfies LiveCode)
    return c.json({ code, expires_in: CODE_LIFETIME }, 200, { 'Cache-Control': 'no-store' })
  })
  .get('/', async (c) => {
    const { deps } = c.var
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
      throw new OAuthError('invalid_request', 'open a WebSocket here', { status: 426, headers: { Upgrade: 'websocket' } })
    }
    const params = paramsOf(new URL(c.req.url).searchParams)
    const code = (await deps.keyring.open('live', params.get('code') ?? '')) as LiveCode | undefined
    const now = seconds(deps)
    if (code === undefined || code.exp <= now) throw invalidToken()
    const { owner, jti, exp, connection } = code
    noteClient(c, code)
    const answer = await ownerObject(c.env, owner).fetch('https://owner/', {
      headers: { Upgrade: 'websocket', 'x-latchkey-live': JSON.stringify({ jti, exp, connection, now }) },
    })
    if (answer.webSocket === null) throw invalidToken() // the code was used, or the wallet is connected no more
    return answer
  })
