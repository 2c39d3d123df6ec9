// Eight at once who share, stop, register, delete, redeem and claim at one server, and a book of what was acknowledged. The server may be
// killed at any moment: what it had answered before must hold afterwards, and of what it had not answered either all or nothing.
import { activityIn, countOf } from './activity-rows.ts'
import { bob, gatherByMail, share } from './actors.ts'
import type { Stage } from './claims.ts'
import { type Key, newKey } from './door.ts'
import { type Answer, expectStatus, type Json } from './http.ts'
import { pushed } from './proofs.ts'

/** `going`: its end was asked for, and no answer came yet. */
type State = 'live' | 'going' | 'gone'
type Share = { resource: string; state: State; isWithKey: boolean }

export type Book = {
  resources: Map<string, State>
  shares: Map<string, Share>
  tokens: { token: string; share: string }[]
  /** Tickets that were answered with anything but an error of the server. */
  spent: string[]
  stopped: string[]
  deleted: string[]
  acknowledged: Record<string, number>
  /** What should never have happened. */
  wrong: string[]
}

export type Crowd = {
  book: Book
  /** Runs until `acts` acts have begun, then calls `end`, lets everybody finish or fail, and answers when `end` has. */
  run: (acts: number, end: () => Promise<void>) => Promise<void>
}

const WORKERS = 8

/** A generator of numbers in [0, 1): the same ones for the same seed (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const openCrowd = async (stage: Stage, random: () => number): Promise<Crowd> => {
  const { service, wallet, server } = stage
  const key: Key = await newKey(stage)
  const book: Book = {
    resources: new Map(),
    shares: new Map(),
    tokens: [],
    spent: [],
    stopped: [],
    deleted: [],
    acknowledged: {},
    wrong: [],
  }
  const noted = (act: string): void => {
    book.acknowledged[act] = (book.acknowledged[act] ?? 0) + 1
  }
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)]
  const liveResources = (): string[] => [...book.resources].flatMap(([id, state]) => (state === 'live' ? [id] : []))
  const liveShares = (isWithKey?: boolean): string[] =>
    [...book.shares].flatMap(([id, one]) => (one.state === 'live' && (isWithKey === undefined || one.isWithKey) ? [id] : []))
  /** A share that was acknowledged while its thing was on its way out has gone with it, or will. */
  const addShare = (id: string, resource: string, isWithKey: boolean): void => {
    book.shares.set(id, { resource, state: book.resources.get(resource) ?? 'gone', isWithKey })
  }
  const setState = (id: string, state: State): void => {
    const one = book.shares.get(id)
    if (one) book.shares.set(id, { ...one, state })
  }
  const expected = (answer: Answer, statuses: readonly number[], act: string): Answer => {
    if (!statuses.includes(answer.status)) book.wrong.push(`${act} answered ${answer.status} ${answer.text.slice(0, 200)}`)
    return answer
  }

  const register = async (): Promise<string> => {
    const id = await service.register({ resource_scopes: ['view'], name: 'A thing' })
    book.resources.set(id, 'live')
    noted('register')
    return id
  }
  const describe = async (): Promise<void> => {
    const id = pick(liveResources())
    if (id === undefined) return
    const json = { resource_scopes: ['view', 'download'], name: 'Another name' }
    expected(await service.call(`/uma/resource/${id}`, { method: 'PUT', json }), [200, 404], 'PUT')
    noted('describe')
  }
  /** With the holder of the key each thing is shared once at most, so that a token rests on one share and no other. */
  const withKey = new Set<string>()
  const shareOne = async (address = key.address): Promise<{ id: string; resource: string } | undefined> => {
    const isKey = address === key.address
    const resource = pick(liveResources().filter((id) => !isKey || !withKey.has(id))) ?? (await register())
    if (isKey) withKey.add(resource)
    const json = { resource_id: resource, person: { email: address }, resource_scopes: ['view'] }
    const answer = expected(await wallet.call('/owner/policies', { json }), [201, 404], 'share')
    if (answer.status !== 201) return undefined
    const id = String(answer.json.id)
    addShare(id, resource, isKey)
    noted('share')
    return { id, resource }
  }
  const stop = async (): Promise<void> => {
    const id = pick(liveShares())
    if (id === undefined) return
    setState(id, 'going')
    expectStatus(await wallet.call(`/owner/policies/${id}`, { method: 'DELETE' }), 204, 'stop')
    setState(id, 'gone')
    // Whose thing was being deleted meanwhile may have gone with it: then the deletion is what the activity tells.
    if (book.resources.get(book.shares.get(id)?.resource ?? '') === 'live') book.stopped.push(id)
    noted('stop')
  }
  const remove = async (): Promise<void> => {
    const id = pick(liveResources())
    if (id === undefined) return
    const setAll = (state: State): void => {
      book.resources.set(id, state)
      for (const [one, share] of book.shares) if (share.resource === id && share.state !== 'gone') setState(one, state)
    }
    setAll('going')
    expectStatus(await service.call(`/uma/resource/${id}`, { method: 'DELETE' }), 204, 'deletion')
    setAll('gone')
    book.deleted.push(id)
    noted('delete')
  }
  const ticketFor = (resource: string): Promise<string> => service.ticket({ resource_id: resource, resource_scopes: ['view'] })
  const redeem = async (): Promise<void> => {
    const id = pick(liveShares(true))
    const resource = book.shares.get(id ?? '')?.resource
    if (id === undefined || resource === undefined) return
    const asked = await service.call('/uma/permission', { json: { resource_id: resource, resource_scopes: ['view'] } })
    if (expected(asked, [201, 400], 'permission').status !== 201) return
    const ticket = String(asked.json.ticket)
    const answer = expected(await stage.app.token(ticket, await pushed(key.credential, ticket)), [200, 403], 'redemption')
    book.spent.push(ticket)
    noted('redeem')
    if (answer.status === 200) book.tokens.push({ token: String(answer.json.access_token), share: id })
  }
  /** Somebody new shows an address by mail, from the claims page to the token. */
  const claim = async (): Promise<void> => {
    const guest = bob()
    const shared = await shareOne(guest.address)
    if (shared === undefined) return
    // Somebody else may take it away at any moment: then nothing has to come of this.
    const isLive = (): boolean => book.shares.get(shared.id)?.state === 'live'
    try {
      const ticket = await ticketFor(shared.resource)
      const next = await gatherByMail(server, guest, stage.app, ticket)
      book.spent.push(ticket)
      expected(await stage.app.token(next), isLive() ? [200] : [200, 403], 'redemption after the claims page')
      book.spent.push(next)
      noted('claim')
    } catch (error) {
      if (isLive()) throw error
    }
  }
  const ask = async (): Promise<void> => {
    const one = pick(book.tokens)
    const before = book.shares.get(one?.share ?? '')?.state
    if (one === undefined || before === undefined) return
    const { active } = await service.introspect(one.token)
    // Another share of the same thing with the same person does not revive a token.
    if (before === 'gone' && active !== false) book.wrong.push('a token was active after its share had been stopped')
    if (active === false && book.shares.get(one.share)?.state === 'live') book.wrong.push('a token of a live share was inactive')
    noted('introspect')
  }

  const acts = [register, shareOne, shareOne, stop, redeem, redeem, redeem, ask, ask, describe, remove, claim, claim]
  return {
    book,
    run: async (count, end) => {
      let begun = 0
      let ending: Promise<void> | undefined
      const failures: string[] = []
      const worker = async (): Promise<void> => {
        while (ending === undefined) {
          begun += 1
          if (begun === count) ending = end()
          const act = acts[Math.floor(random() * acts.length)] ?? register
          try {
            await act()
          } catch (error) {
            // Whoever is in the middle of something when the server dies hears nothing; before that nobody may fail.
            if (ending === undefined) failures.push(`${act.name}: ${error instanceof Error ? error.message : error}`)
          }
        }
      }
      await Promise.all(Array.from({ length: WORKERS }, worker))
      await ending
      book.wrong.push(...failures)
    },
  }
}

/** After a restart: what the server says now, against the book. Answers what is wrong; the book then knows what came of what was under way. */
export const compareWithBook = async (stage: Stage, { book }: Crowd): Promise<string[]> => {
  const { service, wallet } = stage
  const wrong = [...book.wrong]
  const ids = async (path: string): Promise<Json[]> => {
    const all: Json[] = []
    for (let next: unknown = ''; next !== undefined; ) {
      const { json } = expectStatus(await wallet.call(`${path}?cursor=${next}`), 200, path)
      all.push(...(json.items as Json[]))
      next = json.next
    }
    return all
  }
  const resources = new Set(JSON.parse((await service.call('/uma/resource')).text) as string[])
  const policies = new Map((await ids('/owner/policies')).map((one) => [String(one.id), String(one.resource_id)]))
  for (const [id, state] of book.resources) {
    if (state === 'live' && !resources.has(id)) wrong.push(`thing ${id} was acknowledged and is lost`)
    if (state === 'gone' && resources.has(id)) wrong.push(`thing ${id} was deleted and came back`)
    book.resources.set(id, resources.has(id) ? 'live' : 'gone')
  }
  for (const [id, one] of book.shares) {
    if (one.state === 'live' && !policies.has(id)) wrong.push(`share ${id} was acknowledged and is lost`)
    if (one.state === 'gone' && policies.has(id)) wrong.push(`share ${id} was stopped and came back`)
    book.shares.set(id, { ...one, state: policies.has(id) ? 'live' : 'gone' })
  }
  for (const [id, resource] of policies) if (!resources.has(resource)) wrong.push(`share ${id} is left of a thing that is gone`)
  for (const { token, share: id } of book.tokens) {
    const { active } = await service.introspect(token)
    if (active !== (book.shares.get(id)?.state === 'live'))
      wrong.push(`a token is ${active ? '' : 'in'}active, its share is ${book.shares.get(id)?.state}`)
  }
  for (const ticket of book.spent.splice(0)) {
    const { json } = await stage.app.token(ticket)
    if (json.error !== 'invalid_grant') wrong.push(`a spent ticket was answered ${JSON.stringify(json)}`)
  }
  // Tokens live an hour; the newest are enough for the rounds to come.
  book.tokens.splice(0, Math.max(0, book.tokens.length - 20))
  book.wrong.length = 0
  return wrong
}

/** The whole way once more: a thing, a share, a token, its end. */
export const storyGoesOn = async (stage: Stage): Promise<void> => {
  const guest = bob()
  const resource = await stage.service.register({ resource_scopes: ['view'], name: 'After' })
  const id = await share(stage.wallet, resource, guest.address)
  const ticket = await stage.service.ticket({ resource_id: resource, resource_scopes: ['view'] })
  const granted = expectStatus(await stage.app.token(await gatherByMail(stage.server, guest, stage.app, ticket)), 200, 'token')
  const rpt = String(granted.json.access_token)
  if ((await stage.service.introspect(rpt)).active !== true) throw new Error('the token is not active')
  expectStatus(await stage.wallet.call(`/owner/policies/${id}`, { method: 'DELETE' }), 204, 'stop')
  if ((await stage.service.introspect(rpt)).active !== false) throw new Error('the token is active after its share was stopped')
}

/** What the activity must tell of all that the book knows: each beginning once, each stop that was answered once. */
export const compareWithActivity = (state: string, { book }: Crowd): string[] => {
  const entries = activityIn(state)
  const wrong: string[] = []
  const once = (event: string, member: string, ids: Iterable<string>): void => {
    const counts = countOf(entries, event, member)
    for (const id of ids) if (counts.get(id) !== 1) wrong.push(`${event} of ${id} is told ${counts.get(id) ?? 0} times`)
    for (const [id, count] of counts) if (count > 1) wrong.push(`${event} of ${id} is told ${count} times`)
  }
  once('share_created', 'policy_id', book.shares.keys())
  once('resource_registered', 'resource_id', book.resources.keys())
  once('share_stopped', 'policy_id', book.stopped)
  once('resource_deleted', 'resource_id', book.deleted)
  return wrong
}
