// Random sequences of what owners, services and apps do, against a small model of what has to come of it (TESTS LF-21): shares, tickets, tokens,
// withdrawals, changed and deleted things, late tickets, a killed server. MODEL=<n> tries more sequences, MODEL_SEED=<n> the same again.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, registerApp, share, stopSharing } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Key, newKey } from '../support/door.ts'
import { call, expectStatus, type Json } from '../support/http.ts'
import { pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { active, type Guest, granted, type Model, redeem, type Scope } from '../support/sharing-model.ts'
import { until } from '../support/until.ts'
import { verifyState } from '../support/verify-state.ts'

const RUNS = Number(process.env.MODEL ?? 8)
const SEED = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31))
const STEPS = 40
/** Seconds after which a ticket is no good. */
const LATE = 601

let as: Running
let s: Stage
let app: App
let keys: readonly [Key, Key]

const check = (isSo: boolean, what: string): void => {
  if (!isSo) throw new Error(what)
}
const same = (a: readonly string[], b: readonly string[]): boolean => [...a].sort().join() === [...b].sort().join()

type Command = fc.AsyncCommand<Model, Running>

/** A command on the nth of what is there; the same number always means the same one while shrinking. */
const on = <T>(
  name: string,
  pick: number,
  from: (model: Model) => readonly T[],
  run: (one: T, model: Model) => Promise<void>,
): Command => ({
  check: (model) => from(model).length > 0,
  run: async (model) => {
    const all = from(model)
    const one = all[pick % all.length]
    if (one !== undefined) await run(one, model)
  },
  toString: () => `${name}(${pick})`,
})

const things = ({ resources }: Model) =>
  resources.map((resource, index) => ({ resource, index })).filter(({ resource }) => resource.isThere)

const registering = (scopes: Scope[]): Command => ({
  check: ({ resources }) => resources.length < 6,
  run: async ({ resources }) => {
    resources.push({ id: await s.service.register({ resource_scopes: scopes }), scopes, isThere: true })
  },
  toString: () => `register(${scopes})`,
})

const changing = (pick: number, scopes: Scope[]): Command =>
  on(`change to ${scopes}`, pick, things, async ({ resource }) => {
    expectStatus(await s.service.call(`/uma/resource/${resource.id}`, { method: 'PUT', json: { resource_scopes: scopes } }), 200, 'change')
    resource.scopes = scopes
  })

const deleting = (pick: number): Command =>
  on('delete', pick, things, async ({ resource }) => {
    expectStatus(await s.service.call(`/uma/resource/${resource.id}`, { method: 'DELETE' }), 204, 'delete')
    resource.isThere = false
  })

const sharing = (pick: number, guest: Guest, scopes: Scope[]): Command =>
  on(`share ${scopes} with ${guest}:`, pick, things, async ({ resource, index }, model) => {
    const offered = scopes.filter((scope) => resource.scopes.includes(scope))
    if (offered.length === 0) return
    const id = await share(s.wallet, resource.id, keys[guest].address, { resource_scopes: offered })
    model.shares.push({ id, resource: index, guest, scopes: offered, isLive: true })
  })

const stopping = (pick: number): Command =>
  on(
    'stop',
    pick,
    ({ shares }) => shares,
    async (one) => {
      await stopSharing(s.wallet, one.id)
      one.isLive = false
    },
  )

const asking = (pick: number, scopes: Scope[]): Command =>
  on(
    `ask for ${scopes}:`,
    pick,
    ({ resources }) => resources.map((resource, index) => ({ resource, index })),
    async ({ resource, index }, { tickets }) => {
      const answer = await s.service.call('/uma/permission', { json: { resource_id: resource.id, resource_scopes: scopes } })
      const isGood = scopes.every((scope) => resource.scopes.includes(scope))
      const expected = !resource.isThere ? 'invalid_resource_id' : isGood ? undefined : 'invalid_scope'
      check(answer.json.error === expected, `permission: ${answer.text} instead of ${expected}`)
      if (expected === undefined) tickets.push({ text: String(answer.json.ticket), resource: index, scopes, isSpent: false })
    },
  )

const ERRORS = { spent: '400 invalid_grant', denied: '403 request_denied', asks: '403 need_info', granted: '200 undefined' } as const

const redeeming = (pick: number, guest: Guest | undefined): Command =>
  on(
    `redeem by ${guest ?? 'nobody'}:`,
    pick,
    ({ tickets }) => tickets,
    async (ticket, model) => {
      const answer = await app.token(ticket.text, guest === undefined ? {} : await pushed(keys[guest].credential, ticket.text))
      const expected = redeem(model, ticket, guest)
      check(
        `${answer.status} ${answer.json.error}` === ERRORS[expected.kind],
        `token: ${answer.text} instead of ${JSON.stringify(expected)}`,
      )
      if (expected.kind === 'asks') model.tickets.push({ ...ticket, text: String(answer.json.ticket), isSpent: false })
      if (expected.kind === 'granted' && guest !== undefined)
        model.rpts.push(granted(model, ticket, guest, String(answer.json.access_token), expected.scopes))
    },
  )

/** All of it in a row, so that every sequence comes to tokens. */
const lettingIn = (pick: number, guest: Guest): Command =>
  on(`let ${guest} in to`, pick, things, async ({ resource, index }, model) => {
    await sharing(
      things(model).findIndex((one) => one.index === index),
      guest,
      [...resource.scopes],
    ).run(model, as)
    await asking(index, [...resource.scopes]).run(model, as)
    await redeeming(model.tickets.length - 1, guest).run(model, as)
  })

const comingLate = (pick: number, guest: Guest): Command =>
  on(
    `redeem late by ${guest}:`,
    pick,
    ({ tickets }) => tickets,
    async (ticket) => {
      await as.setClock(LATE)
      const iat = Math.floor(Date.now() / 1000) + LATE
      const answer = await app.token(ticket.text, await pushed(keys[guest].credential, ticket.text, { iat }))
      await as.setClock(0)
      check(answer.json.error === 'invalid_grant', `a late ticket: ${answer.text}`)
    },
  )

const looking = async (model: Model, rpt: Model['rpts'][number]): Promise<void> => {
  const said = await s.service.introspect(rpt.token)
  const permissions = (said.permissions ?? []) as Json[]
  const scopes = permissions.flatMap(({ resource_scopes }) => resource_scopes as Scope[])
  const { most, least } = active(model, rpt)
  const ids = permissions.map(({ resource_id }) => resource_id)
  check(
    ids.every((id) => id === model.resources[rpt.resource]?.id),
    `introspection tells of ${ids}`,
  )
  check(said.active === scopes.length > 0, `introspection: ${JSON.stringify(said)}`)
  check(
    scopes.every((scope) => most.includes(scope)) && least.every((scope) => scopes.includes(scope)),
    `introspection: ${scopes} instead of ${least} to ${most}`,
  )
  if (same(least, most)) check(same(scopes, most), `introspection: ${scopes} instead of ${most}`)
}

const introspecting = (pick: number): Command =>
  on(
    'introspect',
    pick,
    ({ rpts }) => rpts,
    (rpt, model) => looking(model, rpt),
  )

const revoking = (pick: number): Command =>
  on(
    'revoke',
    pick,
    ({ rpts }) => rpts,
    async (rpt) => {
      const { id, secret = '' } = app.client
      expectStatus(await call(`${as.origin}/revoke`, { form: { token: rpt.token }, basic: { id, secret } }), 200, 'revoke')
      rpt.isRevoked = true
    },
  )

const killing: Command = { check: () => true, run: () => as.kill(), toString: () => 'kill -9' }

const pick = fc.nat(50)
const guest = fc.constantFrom<Guest>(0, 1)
const scopes = fc.subarray<Scope>(['view', 'download', 'edit'], { minLength: 1 })

const sequences = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: scopes.map(registering) },
    { weight: 5, arbitrary: fc.tuple(pick, guest).map(([nth, who]) => lettingIn(nth, who)) },
    { weight: 5, arbitrary: fc.tuple(pick, guest, scopes).map(([nth, who, what]) => sharing(nth, who, what)) },
    { weight: 6, arbitrary: fc.tuple(pick, scopes).map(([nth, what]) => asking(nth, what)) },
    { weight: 8, arbitrary: fc.tuple(pick, guest).map(([nth, who]) => redeeming(nth, who)) },
    { weight: 3, arbitrary: pick.map((nth) => redeeming(nth, undefined)) },
    { weight: 8, arbitrary: pick.map(introspecting) },
    { weight: 3, arbitrary: pick.map(stopping) },
    { weight: 2, arbitrary: fc.tuple(pick, scopes).map(([nth, what]) => changing(nth, what)) },
    { weight: 1, arbitrary: pick.map(deleting) },
    { weight: 1, arbitrary: pick.map(revoking) },
    { weight: 1, arbitrary: fc.tuple(pick, guest).map(([nth, who]) => comingLate(nth, who)) },
    { weight: 1, arbitrary: fc.constant(killing) },
  ),
  { minLength: STEPS, maxLength: STEPS },
)

describe('DESIGN 7: whatever is done in whatever order', () => {
  beforeAll(async () => {
    as = await ownAs()
    s = await stage(as)
    app = await registerApp(as, 'confidential')
    keys = [await newKey(s), await newKey(s)]
  })
  afterAll(() => as.stop())

  it(`DESIGN 7 I1-I4: ${RUNS} sequences come out as in the model, and object and record agree (seed ${SEED}) [LF-21]`, {
    timeout: 60_000 + RUNS * 10_000,
  }, async () => {
    let tokens = 0
    await fc.assert(
      fc.asyncProperty(sequences, async (steps) => {
        const model: Model = { resources: [], shares: [], tickets: [], rpts: [] }
        const begin = [registering(['view', 'download']), registering(['view'])]
        await fc.asyncModelRun(() => ({ model, real: as }), [...begin, ...steps])
        for (const rpt of model.rpts) await looking(model, rpt)
        tokens += model.rpts.length
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    )
    await until(() => verifyState(as.state).every(({ differences }) => differences.length === 0))
    // Sequences that never come to a token would prove little.
    expect(tokens).toBeGreaterThan(RUNS)
  })
})
