// Wallet on the claims page: show a proof (data-wallet=present), keep one (data-wallet=keep). Both parts are hidden until a wallet
// is found; without one, or without this script, the code by mail does it all.
import * as v from 'valibot'
import { WALLET_CHANNEL } from '../../../shared/protocol/wallet.ts'
import { askNativeWallet, hasNativeWallets } from './native-wallet.ts'
import { goOn, isCancelled, onClick, post, said, say, textIn } from './page.ts'
import { lookForAnswer } from './waiting.ts'
import { findWallet, newId, type WalletPort } from './wallet-port.ts'

const requested = v.object({
  requests: v.array(v.object({ protocol: v.literal('openid4vp-v1-signed'), data: v.object({ request: v.string() }) })),
})
const offered = v.object({ credential_offer: v.record(v.string(), v.unknown()) })

/** The wallet's reasons and the data attributes with their sentences. */
const sentenceFor = { declined: 'declined', no_proof: 'noProof', refused: 'refused', error: 'failed' } as const

/** What is under way ends when the person takes the other way (the form) or leaves. */
let underWay: AbortController | undefined
const begin = (): AbortSignal => {
  underWay?.abort()
  underWay = new AbortController()
  return underWay.signal
}
window.addEventListener('pagehide', () => underWay?.abort())
window.addEventListener('submit', () => underWay?.abort())

/** DESIGN I10: nothing leaves the wallet without a click there; this page only carries what it cannot read. */
const present = async (part: HTMLElement, wallet: WalletPort | undefined): Promise<void> => {
  const signal = begin()
  const csrf = said(part, 'csrf')
  const { requests } = v.parse(requested, await post(said(part, 'request'), csrf, {}, signal))
  say(part, said(part, 'wait'))
  let response: string
  if (wallet === undefined) {
    response = await askNativeWallet(requests, signal)
  } else {
    const answer = await wallet.ask({ latchkey: WALLET_CHANNEL, kind: 'present', id: newId(), requests }, signal)
    if (answer.kind === 'failed') return say(part, said(part, sentenceFor[answer.reason]))
    if (answer.kind !== 'presented') throw new Error(`unexpected answer: ${answer.kind}`)
    response = answer.response
  }
  goOn(textIn(await post(said(part, 'finish'), csrf, { response }, signal), 'next'))
}

const keep = async (part: HTMLElement, button: HTMLButtonElement, wallet: WalletPort): Promise<void> => {
  const signal = begin()
  const { credential_offer } = v.parse(offered, await post(said(part, 'request'), said(part, 'csrf'), {}, signal))
  say(part, said(part, 'wait'))
  const answer = await wallet.ask({ latchkey: WALLET_CHANNEL, kind: 'keep', id: newId(), credential_offer }, signal)
  if (answer.kind === 'kept') {
    say(part, said(part, 'done'))
    button.hidden = true
  } else {
    say(part, said(part, answer.kind === 'failed' && answer.reason === 'declined' ? 'declined' : 'failed'))
  }
}

/** The wallet of this browser, once it has answered. */
let found: WalletPort | undefined

const show = (part: HTMLElement): void => {
  const button = part.querySelector('button')
  if (button === null || !part.hidden) return
  part.hidden = false
  onClick(button, async () => {
    say(part, '')
    try {
      if (part.dataset.wallet === 'present') await present(part, found)
      else if (found !== undefined) await keep(part, button, found)
    } catch (error) {
      say(part, said(part, isCancelled(error) ? 'declined' : 'failed'))
    }
  })
}

/** How often an open page asks again: the person may let a wallet in while it is open, and nobody tells the page. */
const LOOK_AGAIN_MS = 1000

const look = async (parts: readonly HTMLElement[], waits?: readonly number[]): Promise<void> => {
  found = await findWallet(waits)
  for (const part of parts) {
    if (found !== undefined || (part.dataset.wallet === 'present' && hasNativeWallets())) show(part)
  }
  if (found === undefined) setTimeout(() => void look(parts, [LOOK_AGAIN_MS]), LOOK_AGAIN_MS)
}

const parts = [...document.querySelectorAll<HTMLElement>('[data-wallet]')]
if (parts.length > 0) void look(parts)

const waiting = document.querySelector<HTMLElement>('[data-waiting]')
if (waiting !== null) lookForAnswer(waiting)
