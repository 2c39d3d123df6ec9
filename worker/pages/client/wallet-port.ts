// Finds a wallet in this browser and talks to it over a port that only the two of them hold (shared/protocol/wallet.ts).
// The wallet's content script is there only if the person let it in on this origin. No global is touched, nothing is patched.
import * as v from 'valibot'
import { type PageMessage, WALLET_CHANNEL, type WalletMessage, walletMessage } from '../../../shared/protocol/wallet.ts'

export type WalletPort = {
  /** Sends and waits for the answer with the same id. Rejects with AbortError when `signal` fires; the wallet is told. */
  ask: (message: PageMessage, signal: AbortSignal) => Promise<WalletMessage>
}

export const newId = (): string => crypto.randomUUID()

/** One letter to this window, with a port for the answer. @returns the port if a wallet says it is here in time, else nothing. */
const hello = (wait: number): Promise<MessagePort | undefined> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    const id = newId()
    const timer = setTimeout(() => {
      port1.close()
      resolve(undefined)
    }, wait)
    port1.onmessage = (event) => {
      const answer = v.safeParse(walletMessage, event.data)
      if (!answer.success || answer.output.kind !== 'here' || answer.output.id !== id) return
      clearTimeout(timer)
      port1.onmessage = null
      resolve(port1)
    }
    const message: PageMessage = { latchkey: WALLET_CHANNEL, kind: 'hello', id }
    // Own origin only: nobody who has taken the window over meanwhile gets the port.
    window.postMessage(message, location.origin, [port2])
  })

const talk = (port: MessagePort): WalletPort => ({
  ask: (message, signal) =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        port.removeEventListener('message', listen)
        signal.removeEventListener('abort', giveUp)
      }
      const giveUp = (): void => {
        stop()
        port.postMessage({ latchkey: WALLET_CHANNEL, kind: 'cancel', id: message.id } satisfies PageMessage)
        reject(new DOMException('gave up', 'AbortError'))
      }
      const listen = (event: MessageEvent): void => {
        const answer = v.safeParse(walletMessage, event.data)
        if (!answer.success || answer.output.id !== message.id) return
        stop()
        resolve(answer.output)
      }
      if (signal.aborted) return reject(new DOMException('gave up', 'AbortError'))
      port.addEventListener('message', listen)
      port.start()
      signal.addEventListener('abort', giveUp)
      port.postMessage(message)
    }),
})

/** Waiting times, one after the other: a content script may start after the page's own script. */
const patience = [150, 350, 800, 1700]

/** @returns a wallet that answered, or nothing after all waits are over (about three seconds). */
export const findWallet = async (waits: readonly number[] = patience): Promise<WalletPort | undefined> => {
  for (const wait of waits) {
    const port = await hello(wait)
    if (port !== undefined) return talk(port)
  }
  return undefined
}
