// An owner's rules of any kind, as her wallet's object sees them: saved, dropped, asked about through the methods of her object, which is what
// the owner API calls. Values in conditions are policy MACs; those of people come from the shares that make them known.
import { share, type WalletApi } from './actors.ts'
import { expectStatus, type Json, random, sha256 } from './http.ts'
import type { Running } from './runtime.ts'

export type Answered = Json & { kind: string }
export type RuleApi = {
  /** A method of the owner's object with the wallet's token, and the clock's time. */
  ask: (method: string, input?: Json) => Promise<Answered>
  /** Saves a rule; answers its id. Throws if it is not saved. */
  save: (rule: Json, more?: Json) => Promise<string>
  /** MAC by which this owner's rules know an address. Makes the person known by a share that is stopped again. */
  macOf: (address: string) => Promise<string>
}

/** `now`: the server's clock, in seconds. */
export const rulesOf = async (as: Running, wallet: WalletApi, resource: string, now: () => number): Promise<RuleApi> => {
  const owner = String(expectStatus(await wallet.call('/owner/me'), 200, 'me').json.id)
  const caller = () => ({
    hash: sha256(String(wallet.tokens.access_token)),
    proof: { jkt: wallet.key.jkt, jti: random(), iat: now() },
  })
  const ask: RuleApi['ask'] = async (method, input = {}) =>
    (await as.callObject('OWNER', owner, method, caller(), { now: now(), ...input })) as Answered
  const save: RuleApi['save'] = async (rule, more = {}) => {
    const id = String(rule.id ?? random(9))
    const policy = { v: 1, rev: 0, tier: 'owner', effect: 'permit', scopes: '*', ...rule, id }
    const done = await ask('putPolicy', { policy, label: null, ...more })
    if (done.kind !== 'done') throw new Error(`not saved: ${JSON.stringify(done)}`)
    return id
  }
  const macOf: RuleApi['macOf'] = async (address) => {
    const id = await share(wallet, resource, address)
    const { items } = (await wallet.call(`/owner/policies?resource_id=${resource}`)).json as { items: { id: string; person_id: string }[] }
    const person = items.find((one) => one.id === id)?.person_id ?? ''
    expectStatus(await wallet.call(`/owner/policies/${id}`, { method: 'DELETE' }), 204, 'stop')
    const macs = (await as.callObject('OWNER', owner, 'macsOf', [person])) as Record<string, string>
    return macs[person] ?? ''
  }
  return { ask, save, macOf }
}
