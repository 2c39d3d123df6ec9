// Starts a page: language, toast, news. The view itself comes in as a child.
import { type ComponentChildren, render } from 'preact'
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { Language } from '../messages.ts'
import { ask } from './ask.ts'
import { PageContext, type Toast } from './context.ts'
import { followServers } from './live.ts'
import { browserLanguage, textsIn } from './texts.ts'

const TOAST_MS = 12_000

const seconds = (): number => Math.floor(Date.now() / 1000)

/** `role="status"` stays in the document, so that a screen reader hears what comes into it. */
const ToastBox = ({ toast, onDone }: { toast: Toast | undefined; onDone: () => void }) => (
  <div role="status">
    {toast && (
      <div class="toast">
        <span>{toast.text}</span>
        {toast.action && (
          <button
            class="btn btn-s"
            type="button"
            onClick={() => {
              onDone()
              void toast.action?.run()
            }}
          >
            {toast.action.label}
          </button>
        )}
      </div>
    )}
  </div>
)

type FrameProps = { language: Language; issuers: readonly string[]; children: ComponentChildren }

const Frame = ({ language, issuers, children }: FrameProps) => {
  const texts = useMemo(() => textsIn(language), [language])
  const [{ revision, now }, setRevision] = useState({ revision: 0, now: seconds() })
  const [toast, setToast] = useState<Toast>()
  const changed = useCallback(() => setRevision((before) => ({ revision: before.revision + 1, now: seconds() })), [])
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  useEffect(() => followServers(issuers, changed), [issuers.join(' ')])
  useEffect(() => {
    if (!toast) return undefined
    const timer = setTimeout(() => setToast(undefined), TOAST_MS)
    return () => clearTimeout(timer)
  }, [toast])
  return (
    <PageContext.Provider value={{ texts, now, revision, changed, toast: setToast }}>
      {children}
      <ToastBox toast={toast} onDone={() => setToast(undefined)} />
    </PageContext.Provider>
  )
}

/** Shows `view` in this page, in the person's language. `follow`: hear news from the connected servers. */
export const startPage = async (view: ComponentChildren, { follow }: { follow: boolean }): Promise<void> => {
  const show = async (): Promise<void> => {
    const wallet = await ask({ kind: 'wallet' })
    const language = (wallet.ok ? wallet.value.language : undefined) ?? browserLanguage()
    const issuers = wallet.ok && follow ? wallet.value.servers.filter(({ state }) => state === 'connected').map(({ issuer }) => issuer) : []
    render(
      <Frame language={language} issuers={issuers}>
        {view}
      </Frame>,
      document.body,
    )
  }
  // Another language, another server: the same page, drawn again.
  addEventListener('latchkey:wallet', () => void show())
  await show()
}

/** Servers or language changed: the frame must look again. */
export const walletChanged = (): void => void dispatchEvent(new Event('latchkey:wallet'))
