// Runs in the top frame of approved servers' pages only. Carries messages between the page's port and the background, and nothing else:
// it decides nothing, knows no secret, and answers on the port that the page handed over, where no other script can listen (EXTENSION 2).
// The background may die and come back; this script lives as long as the page and asks again.
import * as v from 'valibot'
import browser from 'webextension-polyfill'
import { type PageMessage, pageMessage, WALLET_CHANNEL, type WalletMessage, walletMessage } from '../../shared/protocol/wallet.ts'
import type { PageRequest } from '../messages.ts'

/** How often an unfinished wish is asked for again, besides when the page comes to the front. */
const ASK_AGAIN_MS = 4000
/** The background forgets a wish after ten minutes; from then on asking would begin it anew. */
const PATIENCE_MS = 9 * 60_000

const MARK = 'latchkeyBridge'
const isSecond = Reflect.has(globalThis, MARK)

const ask = async (request: PageRequest): Promise<WalletMessage | undefined> => {
  const answer: unknown = await browser.runtime.sendMessage(request)
  const parsed = v.safeParse(walletMessage, answer)
  return parsed.success ? parsed.output : undefined
}

/** Wishes that are not answered yet: asked again as they were, since the background knows each by its id and begins none twice. */
const open = new Map<string, { port: MessagePort; request: PageRequest; until: number }>()

const deliver = (message: WalletMessage): void => {
  const wish = open.get(message.id)
  if (!wish) return
  open.delete(message.id)
  wish.port.postMessage(message)
}

const askAgain = async (): Promise<void> => {
  for (const [id, { request, until }] of open) {
    // A worker that died mid-answer rejects; the next turn asks a new one.
    const message = Date.now() < until ? await ask(request).catch(() => undefined) : ({ kind: 'failed', id, reason: 'error' } as const)
    if (message) deliver(message)
  }
}

const forward = async (message: PageMessage, port: MessagePort): Promise<void> => {
  const request: PageRequest = { kind: 'page', message, is_active: navigator.userActivation.hasBeenActive }
  if (message.kind === 'present' || message.kind === 'keep') open.set(message.id, { port, request, until: Date.now() + PATIENCE_MS })
  if (message.kind === 'cancel') open.delete(message.id)
  const answer = await ask(request).catch(() => undefined)
  if (!answer) return
  if (message.kind === 'hello') port.postMessage(answer)
  else deliver(answer)
}

const listen = (): void => {
  window.addEventListener('message', (event: MessageEvent) => {
    // Only the page itself, in this window; frames and openers are somebody else (EXTENSION 2).
    if (event.source !== window || event.origin !== location.origin) return
    const data: unknown = event.data
    if (typeof data !== 'object' || data === null || Reflect.get(data, 'latchkey') !== WALLET_CHANNEL) return
    const message = v.safeParse(pageMessage, data)
    const [port] = event.ports
    if (!message.success || !port) return
    // The port also carries what follows, so that the page need not post to its window again.
    port.onmessage = ({ data: next }: MessageEvent) => {
      const followed = v.safeParse(pageMessage, next)
      if (followed.success) void forward(followed.output, port)
    }
    void forward(message.output, port)
  })
  browser.runtime.onMessage.addListener((message: unknown) => {
    const result = v.safeParse(v.object({ kind: v.literal('page-result'), message: walletMessage }), message)
    if (result.success) deliver(result.output.message)
    return undefined
  })
  document.addEventListener('visibilitychange', () => void askAgain())
  window.addEventListener('focus', () => void askAgain())
  setInterval(() => {
    if (open.size > 0) void askAgain()
  }, ASK_AGAIN_MS)
}

if (!isSecond) {
  Reflect.set(globalThis, MARK, true)
  listen()
}
