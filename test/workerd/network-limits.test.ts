// What one network may ask for in a while: registrations, pushed requests, refusals of the token endpoint, documents of strangers.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, call, random } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let server: Running
beforeAll(async () => {
  server = await ownAs()
})
afterAll(() => server.stop())

const from = (address: string) => ({ headers: { 'cf-connecting-ip': address } })
const register = (address: string): Promise<Answer> =>
  call(`${server.origin}/register`, { json: { redirect_uris: ['https://client.example/cb'] }, ...from(address) })
const guess = (address: string): Promise<Answer> =>
  call(`${server.origin}/token`, {
    form: { grant_type: 'refresh_token', refresh_token: random() },
    basic: { id: random(16), secret: random() },
    ...from(address),
  })
const push = (address: string): Promise<Answer> => call(`${server.origin}/par`, { form: { client_id: random(16) }, ...from(address) })
const many = async (times: number, send: () => Promise<Answer>): Promise<number[]> => {
  const statuses: number[] = []
  for (let at = 0; at < times; at += 50)
    statuses.push(...(await Promise.all(Array.from({ length: Math.min(50, times - at) }, async () => (await send()).status))))
  return statuses
}
const isTooMany = (answer: Answer, within: number): void => {
  expectRefusal(answer, 429, 'temporarily_unavailable')
  const wait = Number(answer.headers.get('retry-after'))
  expect(wait).toBeGreaterThan(0)
  expect(wait).toBeLessThanOrEqual(within)
}

describe('TESTS CR-17: a network that asks too much', () => {
  it('TESTS CR-17: sixty registrations a minute, and other networks go on', async () => {
    const statuses = await many(70, () => register('198.51.100.7'))
    expect([statuses.filter((one) => one === 201).length, statuses.filter((one) => one === 429).length]).toEqual([60, 10])
    isTooMany(await register('198.51.100.200'), 60)
    expect((await register('198.51.101.7')).status).toBe(201)
    expect((await register('127.0.0.1')).status).toBe(201)
    await server.setClock(61)
    expect((await register('198.51.100.7')).status).toBe(201)
    await server.setClock(0)
  })

  it('RFC 9126 2.3: two hundred and forty pushed requests a minute', async () => {
    const statuses = await many(250, () => push('192.0.2.1'))
    expect([statuses.filter((one) => one === 401).length, statuses.filter((one) => one === 429).length]).toEqual([240, 10])
    isTooMany(await push('192.0.2.9'), 60)
  })

  it('RFC 6749 10.10: a hundred and twenty refusals at the token endpoint a minute; then nothing from there is looked at', async () => {
    const statuses = await many(130, () => guess('203.0.113.1'))
    expect(statuses.filter((one) => one === 401)).toHaveLength(120)
    isTooMany(await guess('203.0.113.2'), 60)
    expectRefusal(await guess('203.0.112.1'), 401, 'invalid_client')
    const options = { form: { grant_type: 'nonsense' } }
    isTooMany(await call(`${server.origin}/token`, { ...options, ...from('203.0.113.3') }), 60)
    expectRefusal(await call(`${server.origin}/token`, options), 400, 'unsupported_grant_type')
    await server.setClock(61)
    expectRefusal(await guess('203.0.113.1'), 401, 'invalid_client')
    await server.setClock(0)
  })
})
