// One claims interaction or one sign-in, from its first POST on (DESIGN 3): what must be remembered strongly and forgotten soon.
// Everything in it is hashed or sealed; the address itself stays in the person's own sealed cookie. Each method reads and writes in one
// turn with nothing awaited between, asks no clock, returns a union and never throws on purpose. An alarm ends it.
import { DurableObject } from 'cloudflare:workers'
import type { Evidence } from '../policy/evidence.ts'
import { type Versioned, WRITTEN_NOW } from '../storage/version.ts'
import { opened } from './versions.ts'

/** CLAIMS 7: codes per session, tries per code; requests to a wallet per session. */
const MAX_CODES = 3
const MAX_TRIES = 5
const MAX_REQUESTS = 20
const MAX_OFFERS = 5
/** Outlives the person's cookie, so that a session that is over cannot begin anew. */
const AFTERLIFE = 300

/** A request to a wallet that waits for its answer (made by worker/claims/vp-request.ts). */
export type WaitingRequest = { nonce: string; key: string; transaction: string; exp: number }

type State = Versioned & {
  /** Seconds since 1970. */
  until: number
  codes: number
  /** The one code that counts: a keyed hash of session, address and digits. */
  code?: { mac: string; exp: number; tries: number }
  requests: number
  request?: WaitingRequest
  proof?: Evidence
  /** How many offers were made, and those that nobody took yet. */
  offered: number
  offers: string[]
  over: boolean
}

export type CodeTried = { kind: 'right' } | { kind: 'wrong' } | { kind: 'expired' }
export type NegotiationView = { code: boolean; proof?: Evidence; over: boolean }

export class NegotiationObject extends DurableObject<Env> {
  /** A new code takes the place of the code and of the proof before. `until`: end of the session; times in seconds. */
  newCode(input: { mac: string; exp: number; until: number }): { kind: 'ok'; resent: boolean } | { kind: 'too_many' } | { kind: 'over' } {
    const state = this.#read() ?? begin(input.until)
    if (state.over) return { kind: 'over' }
    if (state.codes >= MAX_CODES) return { kind: 'too_many' }
    const { proof: _, ...rest } = state
    this.#write({ ...rest, codes: state.codes + 1, code: { mac: input.mac, exp: input.exp, tries: 0 } })
    return { kind: 'ok', resent: state.codes > 0 }
  }

  /** One try. The right code is used up and leaves `evidence` behind, if the session is about any. */
  tryCode(input: { mac: string; evidence?: Evidence; now: number }): CodeTried {
    const state = this.#read()
    const code = state?.code
    if (state === undefined || state.over || code === undefined || code.exp <= input.now || code.tries >= MAX_TRIES)
      return { kind: 'expired' }
    const { code: _, ...rest } = state
    if (code.mac === input.mac) {
      this.#write({ ...rest, ...(input.evidence === undefined ? {} : { proof: input.evidence }) })
      return { kind: 'right' }
    }
    const tries = code.tries + 1
    this.#write({ ...rest, code: { ...code, tries } })
    return { kind: tries >= MAX_TRIES ? 'expired' : 'wrong' }
  }

  /** A request to a wallet; a new one takes the place of the one before. */
  newRequest(input: { request: WaitingRequest; until: number }): { kind: 'ok' } | { kind: 'too_many' } | { kind: 'over' } {
    const state = this.#read() ?? begin(input.until)
    if (state.over) return { kind: 'over' }
    if (state.requests >= MAX_REQUESTS) return { kind: 'too_many' }
    this.#write({ ...state, requests: state.requests + 1, request: input.request })
    return { kind: 'ok' }
  }

  /** The request that waits for an answer. Reading does not use it up. */
  pendingRequest(): WaitingRequest | undefined {
    const state = this.#read()
    return state === undefined || state.over ? undefined : state.request
  }

  /** Takes a verified answer: once for each nonce (CLAIMS 11 #3). */
  answered(input: { nonce: string; evidence: Evidence }): { kind: 'ok' } | { kind: 'replayed' } {
    const state = this.#read()
    if (state === undefined || state.over || state.request?.nonce !== input.nonce) return { kind: 'replayed' }
    const { request: _, ...rest } = state
    this.#write({ ...rest, proof: input.evidence })
    return { kind: 'ok' }
  }

  /** What was proved without code or wallet, since the person is known otherwise. A code of before no longer works. */
  proved(input: { evidence: Evidence; until: number }): { kind: 'ok' } | { kind: 'over' } {
    const state = this.#read() ?? begin(input.until)
    if (state.over) return { kind: 'over' }
    const { code: _, ...rest } = state
    this.#write({ ...rest, proof: input.evidence })
    return { kind: 'ok' }
  }

  view(input: { now: number }): NegotiationView {
    const state = this.#read()
    if (state === undefined) return { code: false, over: false }
    const code = state.code !== undefined && state.code.exp > input.now
    return { code, over: state.over, ...(state.proof === undefined ? {} : { proof: state.proof }) }
  }

  /** Ends the session, once, and hands out what was proved. With `needsProof` it goes on if nothing was. */
  finish(input: { until: number; needsProof: boolean }): { kind: 'ok'; proof?: Evidence } | { kind: 'no_proof' } | { kind: 'over' } {
    const state = this.#read() ?? begin(input.until)
    if (state.over) return { kind: 'over' }
    if (input.needsProof && state.proof === undefined) return { kind: 'no_proof' }
    const { code: _, request: __, ...rest } = state
    this.#write({ ...rest, over: true })
    return { kind: 'ok', ...(state.proof === undefined ? {} : { proof: state.proof }) }
  }

  /** Remembers an offer of a credential for the address that was proved (`value`: its claim value). */
  newOffer(input: { jti: string; value: string }): { kind: 'ok'; proof: Evidence } | { kind: 'none' } {
    const state = this.#read()
    if (state?.proof?.value !== input.value || state.offered >= MAX_OFFERS) return { kind: 'none' }
    // A credential counts everywhere: it is for who has read a mail here, not for who is known in another way.
    if (state.proof.method !== 'email-code') return { kind: 'none' }
    this.#write({ ...state, offered: state.offered + 1, offers: [...state.offers, input.jti] })
    return { kind: 'ok', proof: state.proof }
  }

  /** True exactly once for an offer of this session (CLAIMS 11 #31). */
  takeOffer(input: { jti: string }): boolean {
    const state = this.#read()
    if (state === undefined || !state.offers.includes(input.jti)) return false
    this.#write({ ...state, offers: state.offers.filter((jti) => jti !== input.jti) })
    return true
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }

  #read(): State | undefined {
    const state = this.ctx.storage.kv.get<State>('state')
    // It lives for half an hour: what comes of an older form is written with the next change.
    return state && opened('negotiation', state, {}, () => undefined)
  }

  #write(state: State): void {
    this.ctx.storage.kv.put('state', state)
    // Set with every write: the alarm is stored in the same turn as what it ends.
    void this.ctx.storage.setAlarm((state.until + AFTERLIFE) * 1000)
  }
}

const begin = (until: number): State => ({ version: WRITTEN_NOW, until, codes: 0, requests: 0, offered: 0, offers: [], over: false })
