// News from the servers while a page of the wallet is open: one WebSocket per server (`/owner/live`), opened with a code that is good once.
// It only says that something changed; what changed is asked for through the background.
import * as v from 'valibot'
import { liveNotice } from '../../shared/protocol/owner-api.ts'
import { ask } from './ask.ts'

const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 60_000

/** Keeps a socket to one server open until `signal` aborts; opens it again, ever more slowly, when it closes. */
const follow = async (issuer: string, onNews: () => void, signal: AbortSignal): Promise<void> => {
  let wait = FIRST_WAIT_MS
  while (!signal.aborted) {
    const place = await ask({ kind: 'live', issuer })
    if (!place.ok && place.code === 'ended') return
    if (place.ok && !signal.aborted) {
      const wasOpen = await listen(place.value.url, onNews, signal)
      if (wasOpen) wait = FIRST_WAIT_MS
    }
    await pause(wait, signal)
    wait = Math.min(wait * 2, LONGEST_WAIT_MS)
  }
}

const listen = (url: string, onNews: () => void, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url)
    let wasOpen = false
    const close = (): void => socket.close()
    signal.addEventListener('abort', close, { once: true })
    socket.onopen = () => {
      wasOpen = true
      // What happened between the last answer and this socket.
      onNews()
    }
    socket.onmessage = ({ data }: MessageEvent) => {
      if (isNotice(data)) onNews()
    }
    socket.onclose = () => {
      signal.removeEventListener('abort', close)
      resolve(wasOpen)
    }
  })

const isNotice = (data: unknown): boolean => {
  try {
    return typeof data === 'string' && v.is(liveNotice, JSON.parse(data))
  } catch {
    // Not JSON: not for us.
    return false
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    const stop = (): void => {
      clearTimeout(timer)
      resolve()
    }
    signal.addEventListener('abort', stop, { once: true })
  })

/** Follows all these servers. Answers how to stop. */
export const followServers = (issuers: readonly string[], onNews: () => void): (() => void) => {
  const stop = new AbortController()
  for (const issuer of issuers) void follow(issuer, onNews, stop.signal)
  return () => stop.abort()
}
