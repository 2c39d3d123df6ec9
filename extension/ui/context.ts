// What every view of a page shares: the texts of the chosen language, a way to show a toast, and a revision that grows with every change,
// so that lists know when to ask again.
import { createContext } from 'preact'
import { useCallback, useContext, useEffect, useState } from 'preact/hooks'
import type { Answer, Answers, OwnRequest } from '../messages.ts'
import { ask } from './ask.ts'
import { type Texts, textsIn } from './texts.ts'

export type Toast = { text: string; action?: { label: string; run: () => Promise<void> } }

export type Page = {
  texts: Texts
  /** Seconds since 1970; moves on with every change, so that "until" and "yesterday" stay right. */
  now: number
  revision: number
  /** Something changed, here or at a server: everybody asks again. */
  changed: () => void
  toast: (toast: Toast) => void
}

export const PageContext = createContext<Page>({
  texts: textsIn('en'),
  now: 0,
  revision: 0,
  changed: () => undefined,
  toast: () => undefined,
})

export const usePage = (): Page => useContext(PageContext)
export const useTexts = (): Texts => usePage().texts

/**
 * Asks the background and asks again whenever something changed. The last answer stays visible meanwhile.
 * @param request only its content counts, so it may be made anew at every render
 */
export const useAnswer = <K extends keyof Answers>(request: Extract<OwnRequest, { kind: K }>): Answer<K> | undefined => {
  const { revision } = usePage()
  const [answer, setAnswer] = useState<Answer<K>>()
  const key = JSON.stringify(request)
  const load = useCallback(() => ask<K>(JSON.parse(key) as Extract<OwnRequest, { kind: K }>), [key])
  useEffect(() => {
    let isCurrent = true
    load().then(
      (next) => isCurrent && setAnswer(next),
      () => undefined,
    )
    return () => {
      isCurrent = false
    }
  }, [load, revision])
  return answer
}
