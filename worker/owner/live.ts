// Live notices: a wallet trades its token for a code of 30 seconds and opens a WebSocket with it (browsers cannot send headers there).
// The socket hangs on the owner's object, hibernating; the code is good once.
import { Hono } from 'hono'
import { invalidToken, presentedToken } from '../http/bearer.ts'
import { type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { randomSecret } from '../tokens/opaque.ts'

const CODE_LIFETIME = 30
type LiveCode = { owner: string; connection: string; jti: string; exp: number }

export const live = new Hono<AppEnv>()
  .post('/', async (c) => {
    const { deps } = c.var
    const { owner, caller } = await presentedToken(c, 'w')
    const now = seconds(deps)
    const me = await ownerObject(c.env, owner).me(caller, now)
    if (me.kind === 'unauthorized' || me.connection_id === undefined) throw invalidToken(caller.proof === undefined ? 'Bearer' : 'DPoP')
    const code = await deps.keyring.seal('live', { owner, connection: me.connection_id, jti: randomSecret(16), exp: now + CODE_LIFETIME } satisfies LiveCode)
    return c.json({ code, expires_in: CODE_LIFETIME }, 200, { 'Cache-Control': 'no-store' })
  })
  .get('/', async (c) => {
    const { deps } = c.var
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
      throw new OAuthError('invalid_request', 'open a WebSocket here', { status: 426, headers: { Upgrade: 'websocket' } })
    }
    const code = (await deps.keyring.open('live', c.req.query('code') ?? '')) as LiveCode | undefined
    const now = seconds(deps)
    if (code === undefined || code.exp <= now) throw invalidToken()
    const { owner, jti, exp, connection } = code
    return ownerObject(c.env, owner).fetch('https://owner/', {
      headers: { Upgrade: 'websocket', 'x-latchkey-live': JSON.stringify({ jti, exp, connection, now }) },
    })
  })
