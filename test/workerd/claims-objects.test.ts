// The objects behind the claims page, called directly: orders of events that one machine's network does not produce (DESIGN 3).
import { beforeAll, describe, expect, it } from 'vitest'
import type { NegotiationObject } from '../../worker/objects/negotiation.ts'
import type { OneTimeObject } from '../../worker/objects/one-time.ts'
import type { Evidence } from '../../worker/policy/evidence.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'

type Stub<T> = { [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never }
type Namespace = { newUniqueId: () => unknown; get: (id: unknown) => unknown }

const NOW = Math.floor(Date.now() / 1000)
const until = NOW + 1800
const evidence: Evidence = {
  claim: 'email',
  value: 'v',
  iss: 'https://as.example',
  method: 'dc+sd-jwt',
  controlled_at: NOW,
  presented_at: NOW,
  exp: NOW + 60,
}
const request = (nonce: string) => ({ nonce, key: 'sealed', transaction: 't', exp: NOW + 300 })

let as: Running
beforeAll(async () => {
  as = await sharedAs()
})
const fresh = async <T>(binding: string): Promise<Stub<T>> => {
  const namespace = (await as.miniflare.getDurableObjectNamespace(binding, as.name)) as unknown as Namespace
  return namespace.get(namespace.newUniqueId()) as Stub<T>
}
const negotiation = () => fresh<NegotiationObject>('NEGOTIATION')

describe('DESIGN 3: the negotiation object', () => {
  it('CLAIMS 11 #3: two answers that were both verified before either was taken: one counts', async () => {
    const object = await negotiation()
    await object.newRequest({ request: request('n1'), until })
    expect([await object.pendingRequest(), await object.pendingRequest()].map((one) => one?.nonce)).toEqual(['n1', 'n1'])
    expect(await object.answered({ nonce: 'n1', evidence })).toEqual({ kind: 'ok' })
    expect(await object.answered({ nonce: 'n1', evidence })).toEqual({ kind: 'replayed' })
  })

  it('CLAIMS 11 #3: an answer to a request that was replaced while it was verified is too late', async () => {
    const object = await negotiation()
    await object.newRequest({ request: request('n1'), until })
    await object.newRequest({ request: request('n2'), until })
    expect(await object.answered({ nonce: 'n1', evidence })).toEqual({ kind: 'replayed' })
    expect(await object.answered({ nonce: 'n2', evidence })).toEqual({ kind: 'ok' })
  })

  it('CLAIMS 11 #9: after the end nothing is taken any more', async () => {
    const object = await negotiation()
    await object.newRequest({ request: request('n1'), until })
    await object.newCode({ mac: 'm', exp: NOW + 600, until })
    expect(await object.finish({ until, needsProof: false })).toEqual({ kind: 'ok' })
    expect(await object.answered({ nonce: 'n1', evidence })).toEqual({ kind: 'replayed' })
    expect(await object.tryCode({ mac: 'm', evidence, now: NOW })).toEqual({ kind: 'expired' })
    expect(await object.newCode({ mac: 'm', exp: NOW + 600, until })).toEqual({ kind: 'over' })
    expect(await object.newRequest({ request: request('n2'), until })).toEqual({ kind: 'over' })
    expect(await object.finish({ until, needsProof: false })).toEqual({ kind: 'over' })
  })

  it('DESIGN 3: an object that never began knows nothing and says so', async () => {
    const object = await negotiation()
    expect(await object.view({ now: NOW })).toEqual({ code: false, over: false })
    expect(await object.tryCode({ mac: 'm', now: NOW })).toEqual({ kind: 'expired' })
    expect(await object.pendingRequest()).toBeUndefined()
    expect(await object.finish({ until, needsProof: true })).toEqual({ kind: 'no_proof' })
    expect(await object.takeOffer({ jti: 'j' })).toBe(false)
    expect(await object.newOffer({ jti: 'j', value: 'v' })).toEqual({ kind: 'none' })
  })

  it.each(['dc+sd-jwt', 'sign-in'])('CLAIMS 8: what was shown by %s makes no credential', async (method) => {
    const object = await negotiation()
    await object.newRequest({ request: request('n1'), until })
    await object.answered({ nonce: 'n1', evidence: { ...evidence, method } })
    expect(await object.newOffer({ jti: 'j', value: 'v' })).toEqual({ kind: 'none' })
  })

  it('CLAIMS 11 #31: an offer of another session is not taken here', async () => {
    const object = await negotiation()
    await object.newRequest({ request: request('n1'), until })
    await object.answered({ nonce: 'n1', evidence: { ...evidence, method: 'email-code' } })
    expect(await object.newOffer({ jti: 'j', value: 'other' })).toEqual({ kind: 'none' })
    expect((await object.newOffer({ jti: 'j', value: 'v' })).kind).toBe('ok')
    expect(await object.takeOffer({ jti: 'other' })).toBe(false)
    expect(await object.takeOffer({ jti: '' })).toBe(false)
    expect([await object.takeOffer({ jti: 'j' }), await object.takeOffer({ jti: 'j' }), await object.takeOffer({ jti: '' })]).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('DESIGN 3: the one-time object', () => {
  it('DESIGN 3: a key is taken exactly once, however many come at once', async () => {
    const object = await fresh<OneTimeObject>('ONE_TIME')
    const taken = await Promise.all(Array.from({ length: 10 }, () => object.take({ key: 'k', exp: NOW + 60, now: NOW })))
    expect(taken.filter(Boolean)).toHaveLength(1)
    expect(await object.take({ key: 'k2', exp: NOW + 60, now: NOW })).toBe(true)
  })

  it('CLAIMS 7: windows slide, and a refused try counts for nothing', async () => {
    const object = await fresh<OneTimeObject>('ONE_TIME')
    const limits = [
      { max: 3, window: 600 },
      { max: 5, window: 86_400 },
    ]
    const at = async (second: number) => (await object.count({ limits, now: NOW + second })).kind
    expect([await at(0), await at(100), await at(200), await at(300), await at(599)]).toEqual(['ok', 'ok', 'ok', 'full', 'full'])
    expect(await object.count({ limits, now: NOW + 300 })).toEqual({ kind: 'full', retry_after: 300 })
    expect([await at(600), await at(650), await at(700)]).toEqual(['ok', 'full', 'ok'])
    expect([await at(5000), await at(86_399), await at(86_400)]).toEqual(['full', 'full', 'ok'])
  })
})
