// Connecting to a server. The browser's two questions (permission for the host, sign-in window) must come from a page that stays open, so
// they are asked here; everything between them is done and remembered by the background.

import { useState } from 'preact/hooks'
import browser from 'webextension-polyfill'
import type { WalletErrorCode } from '../errors.ts'
import type { Server } from '../messages.ts'
import { hostPattern } from '../origin.ts'
import { ask } from '../ui/ask.ts'
import { usePage } from '../ui/context.ts'
import { walletChanged } from '../ui/frame.tsx'
import { ErrorText, Icon, Notice } from '../ui/parts.tsx'

type Step =
  | { kind: 'form'; code?: WalletErrorCode; detail?: string | undefined }
  | { kind: 'busy'; host: string }
  | { kind: 'done'; server: Server }

/** The whole way, from the click. Answers the next step to show; never throws. */
const connect = async (address: string, onBusy: (host: string) => void): Promise<Step> => {
  const place = hostPattern(address)
  if (place.kind !== 'pattern') return { kind: 'form', code: place.kind === 'insecure' ? 'insecure' : 'address' }
  // First await of the click: the browser asks only while it counts as the person's doing.
  const isGranted = await browser.permissions.request({ origins: [place.pattern] }).catch(() => false)
  if (!isGranted) return { kind: 'form', code: 'permission' }
  onBusy(place.host)
  const begun = await ask({ kind: 'connect', address })
  if (!begun.ok) return { kind: 'form', code: begun.code, detail: begun.detail }
  let redirect: string
  try {
    redirect = await browser.identity.launchWebAuthFlow({ url: begun.value.url, interactive: true })
  } catch (error) {
    // The window was closed, or the server showed an error page that leads nowhere.
    return { kind: 'form', code: 'declined', detail: error instanceof Error ? error.message : undefined }
  }
  const finished = await ask({ kind: 'connected', flow: begun.value.flow, redirect })
  return finished.ok ? { kind: 'done', server: finished.value } : { kind: 'form', code: finished.code, detail: finished.detail }
}

const Connected = ({ server: { host, names } }: { server: Server }) => {
  const { t } = usePage().texts
  return (
    <>
      <div class="stack-3" role="status">
        <h1>{t('connected_title', { host })}</h1>
        <p>{t('connected_text')}</p>
      </div>
      {names === 'closed' && (
        <Notice icon="key">
          <p>{t('names_closed', { host })}</p>
        </Notice>
      )}
      <div class="actions">
        <a class="btn btn-main" href="#/">
          {t('connected_go')}
        </a>
      </div>
    </>
  )
}

export const ConnectSection = ({ address: given }: { address: string | undefined }) => {
  const { texts, changed } = usePage()
  const { t } = texts
  const [address, setAddress] = useState(given ?? '')
  const [step, setStep] = useState<Step>({ kind: 'form' })
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const next = await connect(address, (host) => setStep({ kind: 'busy', host }))
    setStep(next)
    if (next.kind === 'done') {
      changed()
      walletChanged()
    }
  }
  if (step.kind === 'done') return <Connected server={step.server} />
  const code = step.kind === 'form' ? step.code : undefined
  return (
    <>
      <div class="stack-3">
        <h1>{t('connect_title')}</h1>
        <p class="soft">{t('connect_lead')}</p>
      </div>
      <form class="card card-body stack-4" onSubmit={(event) => void submit(event)} noValidate>
        <div class="field">
          <label class="label" for="address">
            {t('connect_address')}
          </label>
          <input
            class="input"
            id="address"
            type="text"
            inputMode="url"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={address}
            readOnly={step.kind === 'busy'}
            aria-invalid={code !== undefined}
            aria-describedby={code === undefined ? 'address-hint' : 'address-error address-hint'}
            onInput={({ currentTarget }) => {
              setAddress(currentTarget.value)
              setStep({ kind: 'form' })
            }}
          />
          {step.kind === 'form' && step.code !== undefined && <ErrorText id="address-error" code={step.code} detail={step.detail} />}
          <p class="hint" id="address-hint">
            {t('connect_hint')}
          </p>
        </div>
        <div class="actions">
          <button class="btn btn-main" type="submit" disabled={step.kind === 'busy'}>
            <Icon name="plug" />
            {t('connect_do')}
          </button>
        </div>
        <p class="hint" role="status">
          {step.kind === 'busy' ? t('connect_busy', { host: step.host }) : ''}
        </p>
      </form>
    </>
  )
}
