// Who may ask the background for what. The tier of a sender comes from what the browser says about it (id, origin, frame), never from the
// message and never from `sender.url` (EXTENSION 2). Answers never throw: a refusal is `{ ok: false, code }`.
import * as v from 'valibot'
import browser, { type Runtime } from 'webextension-polyfill'
import { WalletError } from '../errors.ts'
import { type Answer, type Answers, type OwnRequest, ownRequest, type PageRequest, pageRequest } from '../messages.ts'

/** What the browser vouches for when a page of an approved server speaks. */
export type Visitor = { origin: string; tab_id: number; document_id: string | undefined }

export type Handlers = {
  own: { [K in keyof Answers]: (request: Extract<OwnRequest, { kind: K }>) => Promise<Answers[K]> }
  page: (request: PageRequest, visitor: Visitor) => Promise<unknown>
  /** Has the person approved this origin? Asked for every message. */
  isApproved: (origin: string) => Promise<boolean>
}

/** Members of the sender that Chromium and Firefox fill in and the type does not know yet. */
type Sender = Runtime.MessageSender & { origin?: string; documentId?: string; documentLifecycle?: string }

/** Cut off the text: some URL parsers call the origin of an extension "null", and "null" is what a sandboxed page has. */
const ownOrigin = (): string => browser.runtime.getURL('').replace(/\/$/, '')

/** `own`: a page of this extension. `page`: our content script in the top frame of a living page; its origin is still to be approved. */
export const tierOf = (sender: Sender): { kind: 'own' } | { kind: 'page'; visitor: Visitor } | { kind: 'nobody' } => {
  if (sender.id !== browser.runtime.id || typeof sender.origin !== 'string') return { kind: 'nobody' }
  if (sender.origin === ownOrigin()) return { kind: 'own' }
  const isLiving = sender.documentLifecycle === undefined || sender.documentLifecycle === 'active'
  if (sender.frameId !== 0 || sender.tab?.id === undefined || !isLiving) return { kind: 'nobody' }
  // "null" (sandboxed) and anything that is no web origin can never be approved, but need not be looked up either.
  if (!/^https?:\/\//.test(sender.origin)) return { kind: 'nobody' }
  return { kind: 'page', visitor: { origin: sender.origin, tab_id: sender.tab.id, document_id: sender.documentId } }
}

const refusal = (error: unknown): { ok: false; code: WalletError['code']; detail?: string } => {
  if (!(error instanceof WalletError)) {
    console.error(error)
    return { ok: false, code: 'failed', detail: error instanceof Error ? error.message : String(error) }
  }
  return { ok: false, code: error.code, ...(error.detail === undefined ? {} : { detail: error.detail }) }
}

const answerOwn = async (handlers: Handlers, message: unknown): Promise<Answer<keyof Answers>> => {
  const parsed = v.safeParse(ownRequest, message)
  if (!parsed.success) throw new WalletError('refused', v.getDotPath(parsed.issues[0]) ?? undefined)
  const request = parsed.output
  const handler = handlers.own[request.kind] as (request: OwnRequest) => Promise<Answers[keyof Answers]>
  return { ok: true, value: await handler(request) }
}

/** The one listener for messages. A page that is not approved gets silence, so that it cannot tell whether a wallet is installed. */
export const makeRouter =
  (handlers: Handlers) =>
  async (message: unknown, sender: Runtime.MessageSender): Promise<unknown> => {
    const tier = tierOf(sender)
    if (tier.kind === 'nobody') return undefined
    if (tier.kind === 'own') return answerOwn(handlers, message).catch(refusal)
    const parsed = v.safeParse(pageRequest, message)
    if (!parsed.success || !(await handlers.isApproved(tier.visitor.origin))) return undefined
    return handlers.page(parsed.output, tier.visitor)
  }
