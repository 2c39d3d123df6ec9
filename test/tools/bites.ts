// Mistakes that the tests must notice, each a small change of the source that breaks one promise. `find` has to occur exactly once; when
// the source moves on, so does this table.
import type { Ring } from './rings.ts'

export type Bite = { breaks: string; file: string; find: string; put: string; ring: Ring; tests?: string }

export const BITES: readonly Bite[] = [
  {
    breaks: 'default deny: an empty condition would permit',
    file: 'worker/policy/condition.ts',
    find: 'condition.all.length === 0 ? FALSE',
    put: 'condition.all.length === 0 ? always()',
    ring: 'unit',
  },
  {
    breaks: 'end of a share: the last instant would be one too late',
    file: 'worker/policy/condition.ts',
    find: 'now < condition.before ?',
    put: 'now <= condition.before ?',
    ring: 'unit',
  },
  {
    breaks: 'expired evidence would count',
    file: 'worker/policy/condition.ts',
    find: ' && fact.exp > now)',
    put: ')',
    ring: 'unit',
  },
  {
    breaks: 'scopes that the service never registered could be added (UMA Grant 3.3.4)',
    file: 'worker/policy/scopes.ts',
    find: 'extra.filter((scope) => offered.includes(scope) && !fromTicket.includes(scope))',
    put: 'extra.filter((scope) => !fromTicket.includes(scope))',
    ring: 'unit',
  },
  {
    breaks: 'a DPoP proof for another address would do (RFC 9449 4.3)',
    file: 'worker/tokens/dpop.ts',
    find: 'target(htu) !== target(input.url)',
    put: 'false',
    ring: 'unit',
  },
  {
    breaks: 'a proof made for another ticket would do (nonce of the key binding)',
    file: 'worker/claims/sd-jwt.ts',
    find: "if (nonce !== expected.nonce) return 'nonce'",
    put: '',
    ring: 'unit',
  },
  {
    breaks: 'a proof made for another server would do (audience of the key binding)',
    file: 'worker/claims/sd-jwt.ts',
    find: "if (aud !== expected.aud) return 'aud'",
    put: '',
    ring: 'unit',
  },
  {
    breaks: 'one ticket, several tokens (UMA Grant 5.5)',
    file: 'worker/objects/owner.ts',
    find: 'if (!this.#tokens.spend(input.jti, input.exp)) {',
    put: 'this.#tokens.spend(input.jti, input.exp)\n    if (false as boolean) {',
    ring: 'workerd',
    tests: 'test/workerd/race',
  },
  {
    breaks: "another service could introspect this service's tokens (DESIGN I3)",
    file: 'worker/objects/owner-protection.ts',
    find: 'rpt === undefined || rpt.connection_id !== pat.connection_id',
    put: 'rpt === undefined',
    ring: 'workerd',
    tests: 'test/workerd/isolation',
  },
  {
    breaks: 'sharing that stopped would go on until the token expires (DESIGN I4)',
    file: 'worker/objects/owner-grants.ts',
    find: 'const decided = assess([{ resource_id: cell.resource_id, resource_scopes: scopes, fromTicket: scopes }], () => rules, facts, now)',
    put: "const decided = { kind: 'granted' as const, cells: [cell].map((one) => ({ ...one, until: rpt.exp })), rules, assess, facts, now }",
    ring: 'workerd',
    tests: 'test/workerd/story',
  },
]
