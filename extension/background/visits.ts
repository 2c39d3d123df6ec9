// A page's wish in progress ("visit"): kept in storage.session with the step that comes next, so that any later worker can go on with it.
// This file moves visits on; what a step does is present.ts and keep.ts.

import * as v from 'valibot'
import browser from 'webextension-polyfill'
import { type PageMessage, type WalletMessage, walletMessage } from '../../shared/protocol/wallet.ts'
import { WalletError } from '../errors.ts'
import type { PageRequest, PageResult } from '../messages.ts'
import { usableCredentials } from '../wallet/credentials.ts'
import { forgetKeys } from '../wallet/keys.ts'
import { read, update, type Visit } from '../wallet/storage.ts'
import { badge, VISIT_MS, visits } from './badge.ts'
import { keepStep } from './keep.ts'
import { presentStep } from './present.ts'
import type { Visitor } from './router.ts'

/** A question dies with its page. Keeping a proof does not: the person has said so, and the page may go on meanwhile. */
const isQuestion = ({ kind, step }: Visit): boolean => kind === 'present' && step !== 'done'

/** Throws `expired` if the visit is over or was never there. */
export const visitBy = async (id: string): Promise<Visit> => {
  const visit = (await visits()).find((candidate) => candidate.id === id)
  if (!visit) throw new WalletError('expired')
  return visit
}

const change = (id: string, edit: Partial<Visit>): Promise<void> =>
  update('visits', (all) => {
    const known = all[id]
    // Invariant: a visit that has its result keeps it; a late step changes nothing.
    if (known && known.step !== 'done') all[id] = { ...known, ...edit }
  })

/** Tells the page's content script; it may have gone, and it asks again by itself, so a failure needs no answer. */
const tell = async ({ tab_id, document_id }: Visit, message: WalletMessage): Promise<void> => {
  const result: PageResult = { kind: 'page-result', message }
  const target = document_id === undefined ? { frameId: 0 } : { documentId: document_id, frameId: 0 }
  await browser.tabs.sendMessage(tab_id, result, target).catch(() => undefined)
}

/** Ends a visit: the result is kept for the page that asks again, the window goes. */
export const finish = async (id: string, result: WalletMessage): Promise<void> => {
  const visit = (await read('visits'))[id]
  if (!visit || visit.step === 'done') return
  const { access_token: _token, offer: _offer, requests: _requests, document: _document, ...rest } = visit
  await update('visits', (all) => Object.assign(all, { [id]: { ...rest, step: 'done', result } }))
  await forgetKeys(`visit:${id}`)
  await badge()
  if (visit.window_id !== undefined) await browser.windows.remove(visit.window_id).catch(() => undefined)
  await tell(visit, result)
}

const running = new Map<string, Promise<void>>()

const reasonOf = (error: unknown): 'no_proof' | 'refused' | 'declined' | 'error' => {
  const code = error instanceof WalletError ? error.code : 'failed'
  return code === 'no_proof' || code === 'refused' || code === 'declined' ? code : 'error'
}

/** One step. Answers whether another one can follow at once. */
const runStep = async (visit: Visit): Promise<boolean> => {
  const next = visit.kind === 'present' ? await presentStep(visit) : await keepStep(visit)
  if (next === 'wait') await badge()
  else if ('result' in next) await finish(visit.id, next.result)
  else await change(visit.id, next)
  return next !== 'wait' && !('result' in next)
}

const runSteps = async (id: string): Promise<void> => {
  try {
    let visit = await visitBy(id)
    while (visit.step !== 'done' && (await runStep(visit))) visit = await visitBy(id)
  } catch (error) {
    if (!(error instanceof WalletError)) console.error(error)
    await finish(id, { kind: 'failed', id, reason: reasonOf(error) })
  }
}

/** Moves a visit on as far as it goes without the person. Two calls at once share the work; a new worker begins at the stored step. */
export const advance = (id: string): Promise<void> => {
  const now = running.get(id)
  if (now) return now
  const work = runSteps(id).finally(() => running.delete(id))
  running.set(id, work)
  return work
}

/** What the person answered; `undefined` means no. */
export const answer = async (id: string, email: string | undefined): Promise<null> => {
  const visit = await visitBy(id)
  if (visit.kind !== 'present' || visit.step !== 'ask') throw new WalletError('expired')
  if (email === undefined) await finish(id, { kind: 'failed', id, reason: 'declined' })
  else {
    await change(id, { step: 'show', email })
    await advance(id)
  }
  return null
}

const begin = async (message: Extract<PageMessage, { kind: 'present' | 'keep' }>, visitor: Visitor): Promise<void> => {
  const base = { id: message.id, origin: visitor.origin, tab_id: visitor.tab_id, at: Date.now() }
  const where = visitor.document_id === undefined ? {} : { document_id: visitor.document_id }
  const wish =
    message.kind === 'present'
      ? { kind: 'present' as const, step: 'verify' as const, requests: message.requests.map(({ data }) => data.request) }
      : { kind: 'keep' as const, step: 'redeem' as const, offer: message.credential_offer }
  const { replaced, isNew } = await update('visits', (all) => {
    for (const [id, { at }] of Object.entries(all)) if (Date.now() - at >= VISIT_MS) delete all[id]
    if (all[message.id]) return { replaced: [], isNew: false }
    // One question per page at a time: a new wish ends the old one.
    const replaced = Object.values(all).filter((visit) => visit.tab_id === visitor.tab_id && isQuestion(visit))
    all[message.id] = { ...base, ...where, ...wish }
    return { replaced: replaced.map(({ id }) => id), isNew: true }
  })
  for (const id of replaced) await finish(id, { kind: 'failed', id, reason: 'declined' })
  // A wish that is asked for again goes on where a dead worker left it.
  if (isNew) await advance(message.id)
  else void advance(message.id).catch(() => undefined)
}

const resultFor = async (id: string, visitor: Visitor): Promise<WalletMessage | undefined> => {
  const visit = (await visits()).find(
    (candidate) => candidate.id === id && candidate.origin === visitor.origin && candidate.tab_id === visitor.tab_id,
  )
  // Somebody else's, or its time ran out: the page must not wait for ever.
  if (!visit) return { kind: 'failed', id, reason: 'error' }
  const result = v.safeParse(walletMessage, visit.result)
  return result.success ? result.output : undefined
}

/** Everything that the content script of an approved page may ask. Answers the message for the page, or undefined while it is not known. */
export const onPageRequest = async (request: PageRequest, visitor: Visitor): Promise<WalletMessage | undefined> => {
  const { message } = request
  if (message.kind === 'hello') {
    const proofs = await usableCredentials(visitor.origin, Date.now() / 1000)
    return { kind: 'here', id: message.id, has_proofs: proofs.length > 0 }
  }
  if (message.kind === 'cancel') {
    const mine = (await visits()).filter(
      (visit) => visit.id === message.id && visit.origin === visitor.origin && visit.tab_id === visitor.tab_id && isQuestion(visit),
    )
    for (const { id } of mine) await finish(id, { kind: 'failed', id, reason: 'declined' })
    return undefined
  }
  // A page may only ask after the person did something in it (EX-06).
  if (!request.is_active) return { kind: 'failed', id: message.id, reason: 'refused' }
  await begin(message, visitor)
  return resultFor(message.id, visitor)
}

/** A window or a tab went: what hung on it ends with no. */
export const onWindowClosed = async (windowId: number): Promise<void> => {
  for (const { id, window_id, step } of await visits()) {
    if (window_id === windowId && step === 'ask') await finish(id, { kind: 'failed', id, reason: 'declined' })
  }
}
export const onTabClosed = async (tabId: number): Promise<void> => {
  for (const visit of await visits()) {
    const { id, tab_id } = visit
    if (tab_id === tabId && isQuestion(visit)) await finish(id, { kind: 'failed', id, reason: 'declined' })
  }
}

/** A new worker's first act: go on with what the last one left. */
export const resume = async (): Promise<void> => {
  for (const { id, step } of await visits()) if (step !== 'done' && step !== 'ask') await advance(id)
  await badge()
}
