// A requesting party at the claims interaction endpoint: sent there by an app, with a ticket of a thing that is shared with that person.
import type { Ended, Person } from '../contract.ts'
import { type Browser, openBrowser } from './browser.ts'
import { fail, ok } from './check.ts'
import { random } from './http.ts'
import { type App, CLAIMS_REDIRECT, claimsUrl, type Thing, type World } from './world.ts'

export type Visit = { thing: Thing; app: App; person: Person; ticket: string; state: string; url: string; ended: Ended }

export type VisitOptions = {
  app?: App
  /** A new one unless told. */
  person?: Person
  thing?: Thing
  ticket?: string
  browser?: Browser
  /** Members of the query that replace (or, undefined, leave out) the usual ones. */
  query?: Record<string, string | undefined>
  end?: 'share' | 'cancel'
  persist?: boolean
  isShared?: boolean
}

/** Whether an address is outside of the server, that is, at some client. */
export const isOutside =
  (w: World) =>
  (url: string): boolean =>
    new URL(url).origin !== new URL(w.endpoint('claims_interaction_endpoint')).origin

/** Everything up to the moment before the browser opens the address. */
export const prepare = async (w: World, options: VisitOptions = {}): Promise<Omit<Visit, 'ended'>> => {
  const [app, person, thing] = await Promise.all([options.app ?? w.app(), options.person ?? w.adapter.person(), options.thing ?? w.thing()])
  if (options.isShared !== false) await w.share(thing, person)
  const ticket = options.ticket ?? (await thing.ticket())
  const state = random(8)
  const url = claimsUrl(w, { client_id: app.client.id, ticket, claims_redirect_uri: CLAIMS_REDIRECT, state, ...options.query })
  return { thing, app, person, ticket, state, url }
}

/** The person goes there and through the pages; ends at the client or on a page of the server. */
export const visit = async (w: World, options: VisitOptions = {}): Promise<Visit> => {
  const prepared = await prepare(w, options)
  const { end, persist, browser = openBrowser() } = options
  const { interact = () => fail('the profile drives no interaction') } = w.adapter
  const ended = await interact({
    url: prepared.url,
    person: prepared.person,
    browser,
    isBack: isOutside(w),
    ...(end && { end }),
    ...(persist && { persist }),
  })
  return { ...prepared, ended }
}

/** Where the person was sent back to; fails if the person was not. */
export const back = ({ ended }: Pick<Visit, 'ended'>): URLSearchParams => {
  ok(ended.back, `nobody was sent back to the client: ${ended.status} ${ended.text.replace(/<[^>]+>|\s+/g, ' ').slice(0, 200)}`)
  return ended.back.searchParams
}

/** The ticket that came back. */
export const backTicket = (one: Pick<Visit, 'ended'>): string =>
  back(one).get('ticket') ?? fail(`no ticket came back: ${one.ended.back?.search}`)

/** The person was told so, and sent nowhere. */
export const stayed = ({ ended }: Pick<Visit, 'ended'>, what: string): void => {
  ok(ended.back === undefined, `${what}: the requesting party was sent to ${ended.back}`)
  ok(ended.status >= 400 && ended.status < 500, `${what}: status ${ended.status} is no refusal`)
}
