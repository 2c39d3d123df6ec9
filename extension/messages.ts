// What the wallet's parts say to each other. `own` requests may come only from the wallet's own pages (popup, dashboard, consent window),
// `page` requests only from the content script in the top frame of an approved server's page; background/router.ts decides which by what
// the browser says about the sender. Every request is parsed here, whoever sent it. Views see only the types of this file.
import * as v from 'valibot'
import type { ClientKnown } from '../shared/protocol/oauth.ts'
import type { AccessRequest, ActivityEntry } from '../shared/protocol/owner-api.ts'
import { policyRequest, requestDecision } from '../shared/protocol/owner-api.ts'
import { pageMessage, type WalletMessage } from '../shared/protocol/wallet.ts'
import type { WalletErrorCode } from './errors.ts'

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(2048))
const id = v.pipe(v.string(), v.minLength(1), v.maxLength(128))
const email = v.pipe(v.string(), v.minLength(3), v.maxLength(320))
const tabId = v.optional(v.number())

export const language = v.picklist(['en', 'de', 'pt'])
export type Language = v.InferOutput<typeof language>

/** From the wallet's own pages. */
export const ownRequest = v.variant('kind', [
  /** What is in this wallet, without asking any server. */
  v.strictObject({ kind: v.literal('wallet') }),
  /** Begin to connect to a server, after the person granted its host: find it, register, answer where to send the person. */
  v.strictObject({ kind: v.literal('connect'), address: text }),
  /** The person is back from the server with this URL. */
  v.strictObject({ kind: v.literal('connected'), flow: id, redirect: v.pipe(v.string(), v.maxLength(8192)) }),
  /** Forget a server: its tokens are revoked, its keys and proofs deleted. */
  v.strictObject({ kind: v.literal('leave'), issuer: text }),
  /** Things, people and shares at all servers. */
  v.strictObject({ kind: v.literal('sharing') }),
  v.strictObject({ kind: v.literal('share'), issuer: text, request: policyRequest }),
  v.strictObject({ kind: v.literal('stop'), issuer: text, policy_id: id }),
  v.strictObject({ kind: v.literal('stop-all'), issuer: text, resource_id: id }),
  /** Newest first; `before` pages on, per server. */
  v.strictObject({ kind: v.literal('activity'), before: v.optional(v.record(v.string(), v.number())), limit: v.number() }),
  v.strictObject({ kind: v.literal('services') }),
  v.strictObject({ kind: v.literal('disconnect'), issuer: text, connection_id: id }),
  /** People who ask for a thing that is not shared with them; the answer to one. */
  v.strictObject({ kind: v.literal('requests') }),
  v.strictObject({ kind: v.literal('decide'), issuer: text, request_id: id, decision: requestDecision }),
  /** May people ask at each server? */
  v.strictObject({ kind: v.literal('asking') }),
  v.strictObject({ kind: v.literal('let-ask'), issuer: text, lets_people_ask: v.boolean() }),
  /** Where to open the socket that tells of news; good once, for seconds. */
  v.strictObject({ kind: v.literal('live'), issuer: text }),
  v.strictObject({ kind: v.literal('proofs') }),
  v.strictObject({ kind: v.literal('forget'), issuer: text, email }),
  /** What the consent window shows, and its answer. */
  v.strictObject({ kind: v.literal('consent'), visit: id }),
  v.strictObject({ kind: v.literal('answer'), visit: id, email: v.optional(email) }),
  /** Bring an open consent window to the front. */
  v.strictObject({ kind: v.literal('look'), visit: id }),
  /** The person is about to be asked by the browser; the popup may not live to hear the answer. */
  v.strictObject({ kind: v.literal('approving'), origin: text, tab_id: tabId }),
  /** Let the pages of this server ask for proofs; the browser's permission must be there. */
  v.strictObject({ kind: v.literal('approve'), origin: text, tab_id: tabId }),
  v.strictObject({ kind: v.literal('unapprove'), origin: text }),
  v.strictObject({ kind: v.literal('settings'), language: v.optional(language) }),
  /** Delete everything that this wallet keeps. */
  v.strictObject({ kind: v.literal('erase') }),
])
export type OwnRequest = v.InferOutput<typeof ownRequest>

/** From the content script: what the page said, forwarded as it is, and again as long as there is no answer. */
export const pageRequest = v.strictObject({ kind: v.literal('page'), message: pageMessage, is_active: v.boolean() })
export type PageRequest = v.InferOutput<typeof pageRequest>

/** Background -> content script: the end of a visit. Also the answer to `page`, where undefined means: not yet, keep the port. */
export type PageResult = { kind: 'page-result'; message: WalletMessage }

export type Server = { issuer: string; host: string; email: string | undefined; names: 'readable' | 'closed'; state: 'connected' | 'ended' }
export type Waiting = { visit: string; host: string; client_name: string; at: number }
export type Wallet = {
  servers: Server[]
  /** Origins whose pages may ask for proofs. */
  approved: string[]
  waiting: Waiting[]
  language: Language | undefined
}

export type Person = { issuer: string; id: string; email: string | undefined; name: string | undefined; last_seen_at: number | undefined }
export type Share = {
  issuer: string
  id: string
  thing_id: string
  person: Person
  scopes: string[]
  /** What comes along with the scopes. */
  along: string[] | undefined
  from: number | undefined
  until: number | undefined
  time_zone: string | undefined
  state: 'active' | 'not_yet' | 'over'
  sentence: string
  created_at: number
  last_used_at: number | undefined
}
export type Thing = {
  issuer: string
  id: string
  name: string | undefined
  service: string
  service_id: string
  type: string | undefined
  scopes: string[]
  /** What scopes that are addresses say of themselves (UMA FedAuthz 3.1.1), by scope; unverified. */
  scope_names: Record<string, string>
  created_at: number
  shares: Share[]
}
/** One server that did not answer does not hide the others. */
export type ServerTrouble = { issuer: string; code: WalletErrorCode }
export type Sharing = { things: Thing[]; people: Person[]; trouble: ServerTrouble[] }

export type Happening = ActivityEntry & {
  issuer: string
  thing: string | undefined
  person: Person | undefined
  service: string | undefined
}
export type Activity = { entries: Happening[]; before: Record<string, number>; trouble: ServerTrouble[] }

export type Service = {
  issuer: string
  id: string
  kind: 'service' | 'wallet'
  name: string
  uri: string | undefined
  /** How its server came to know it. */
  known: ClientKnown | undefined
  created_at: number
  last_used_at: number | undefined
  things: number
  is_current: boolean
}
export type Services = { services: Service[]; trouble: ServerTrouble[] }

/** Somebody who asks. `over`: nobody answered in time. */
export type Asked = {
  issuer: string
  id: string
  state: AccessRequest['state'] | 'over'
  person: Person
  /** Something is shared with this address. */
  is_known: boolean
  line: string | undefined
  things: { id: string; is_there: boolean; name: string | undefined; service: string | undefined; scopes: string[] }[]
  /** Name of the app and host of its site: what it says about itself. */
  app: string
  app_host: string | undefined
  app_known: ClientKnown | undefined
  method: string
  created_at: number
  answered_at: number | undefined
}
export type Requests = { requests: Asked[]; trouble: ServerTrouble[] }
export type AskingAt = { issuer: string; host: string; lets_people_ask: boolean }
export type Asking = { servers: AskingAt[]; trouble: ServerTrouble[] }

export type Proof = { issuer: string; email: string; left: number; expires_at: number; controlled_at: number | undefined }
/** One time that an address was shown: what the consent window named. */
export type Shown = { at: number; issuer: string; email: string; client_name: string; service_name: string; thing?: string | undefined }
export type Proofs = { proofs: Proof[]; shown: Shown[] }

export type Consent = {
  visit: string
  origin: string
  host: string
  client_name: string
  client_known: ClientKnown | undefined
  /** Where the person goes on to: the one thing about the app that the server checked. */
  client_host: string
  service_name: string
  service_host: string | undefined
  thing: string | undefined
  scopes: string[]
  scope_names: Record<string, string>
  /** What would be told: the address itself, or only the part behind the @. */
  tells: 'email' | 'email_domain'
  emails: string[]
  is_first_time: boolean
}

/** What each own request is answered with. */
export type Answers = {
  wallet: Wallet
  connect: { flow: string; url: string }
  connected: Server
  leave: null
  sharing: Sharing
  share: Share
  stop: null
  'stop-all': null
  activity: Activity
  services: Services
  disconnect: null
  requests: Requests
  /** Ids of things for which nothing could be given, while something was for others. */
  decide: { failed: string[] }
  asking: Asking
  'let-ask': null
  live: { url: string }
  proofs: Proofs
  forget: null
  consent: Consent
  answer: null
  look: null
  approving: null
  approve: { is_approved: boolean }
  unapprove: null
  settings: null
  erase: null
}
export type Answer<K extends keyof Answers> = { ok: true; value: Answers[K] } | { ok: false; code: WalletErrorCode; detail?: string }
