// What wrangler.toml binds. Durable Object classes are typed where they are used (worker/objects/bindings.ts).
interface Env {
  DB: D1Database
  KEYS: DurableObjectNamespace<import('./objects/keys.ts').KeysObject>
  OWNER: DurableObjectNamespace<import('./objects/owner.ts').OwnerObject>
  NEGOTIATION: DurableObjectNamespace<import('./objects/negotiation.ts').NegotiationObject>
  GUEST: DurableObjectNamespace<import('./objects/guest.ts').GuestObject>
  CLIENT: DurableObjectNamespace<import('./objects/client.ts').ClientObject>
  METER: DurableObjectNamespace<import('./objects/meter.ts').MeterObject>
  ONE_TIME: DurableObjectNamespace<import('./objects/one-time.ts').OneTimeObject>
  MAIL?: SendEmail
  ISSUER: string
  REGISTRATION: string
  INVITED: string
  SOFTWARE_ISSUERS: string
  OPERATOR: string
  /** Addresses of those who may see /admin. */
  OPERATORS?: string
  MAIL_FROM: string
  DEV_ORIGINS: string
  /** Log lines a second of requests that went well; absent: 100. */
  LOG_LINES?: string
  /** Quotas that differ from the defaults (worker/objects/quotas.ts); a table, or its JSON. */
  QUOTAS?: Record<string, number> | string
  /** Optional secret, mixed into every keyed hash. */
  PEPPER?: string
}
