// Entry of the vault: requests, and the classes of its Durable Objects.
import { app } from './app.tsx'
import type { Env } from './env.ts'

export { AccountObject } from './objects/account.ts'
export { AuthorizationServerObject } from './objects/authorization-server.ts'
export { GuestObject } from './objects/guest.ts'
export { KeysObject } from './objects/keys.ts'
export { RecoveryObject } from './objects/recovery.ts'

export default { fetch: app.fetch } satisfies ExportedHandler<Env>
