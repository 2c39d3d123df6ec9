// Entry of the Worker: the URL table and the Durable Object classes.
import { entry } from './app.ts'

export { ClientObject } from './objects/client.ts'
export { GuestObject } from './objects/guest.ts'
export { KeysObject } from './objects/keys.ts'
export { MeterObject } from './objects/meter.ts'
export { NegotiationObject } from './objects/negotiation.ts'
export { OneTimeObject } from './objects/one-time.ts'
export { OwnerObject } from './objects/owner.ts'

export default { fetch: entry } satisfies ExportedHandler<Env>
