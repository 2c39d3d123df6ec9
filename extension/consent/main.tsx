// The consent window: its own window, never inside a page. Names who asks, what is told, to whom, for how long; only then a yes, and only
// after the button has been there long enough to be read.
import { useEffect, useState } from 'preact/hooks'
import type { Consent } from '../messages.ts'
import { ask } from '../ui/ask.ts'
import { useAnswer, usePage } from '../ui/context.ts'
import { startPage } from '../ui/frame.tsx'
import { Icon, Logo } from '../ui/parts.tsx'
import { actions, knownWords, plain } from '../ui/words.ts'

/** A click that was meant for what was here before must not count (UX: the yes-button arms after 400 ms, and again on focus). */
const ARM_MS = 400

const useArmed = (): boolean => {
  const [isArmed, setArmed] = useState(false)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>
    const arm = (): void => {
      setArmed(false)
      clearTimeout(timer)
      timer = setTimeout(() => setArmed(true), ARM_MS)
    }
    const disarm = (): void => {
      clearTimeout(timer)
      setArmed(false)
    }
    arm()
    addEventListener('focus', arm)
    addEventListener('blur', disarm)
    return () => {
      clearTimeout(timer)
      removeEventListener('focus', arm)
      removeEventListener('blur', disarm)
    }
  }, [])
  return isArmed
}

const Over = () => {
  const { t } = usePage().texts
  return (
    <>
      <main class="window-body">
        <h1 class="window-title">{t('consent_over_title')}</h1>
        <p>{t('consent_over')}</p>
      </main>
      <footer class="window-foot">
        <button class="btn" type="button" onClick={() => window.close()}>
          {t('close')}
        </button>
      </footer>
    </>
  )
}

const Question = ({ consent }: { consent: Consent }) => {
  const { texts } = usePage()
  const { t } = texts
  const isArmed = useArmed()
  const [email, setEmail] = useState(consent.emails[0])
  const [isOver, setOver] = useState(false)
  const app = plain(consent.client_name)
  const say = async (chosen: string | undefined): Promise<void> => {
    const answer = await ask({ kind: 'answer', visit: consent.visit, ...(chosen === undefined ? {} : { email: chosen }) })
    if (answer.ok) window.close()
    else setOver(true)
  }
  if (isOver) return <Over />
  return (
    <>
      <main class="window-body">
        <div class="stack-2">
          <h1 class="window-title">{t('consent_title')}</h1>
          <p class="sentence-s">
            {texts.rich('consent_sentence', {
              host: <strong>{consent.host}</strong>,
              actions: actions(consent.scopes, texts, consent.scope_names),
              thing: <strong>{consent.thing === undefined ? t('private_item') : plain(consent.thing)}</strong>,
              app: <strong>{app}</strong>,
              badge: <span class="badge badge-dashed">{t('not_verified')}</span>,
            })}
          </p>
        </div>
        <fieldset class="pick">
          <legend class="hidden-label">{t('which_address')}</legend>
          {consent.emails.map((candidate) => (
            <label key={candidate}>
              <input type="radio" name="address" value={candidate} checked={candidate === email} onChange={() => setEmail(candidate)} />
              <span class="address">{candidate === email ? <strong>{plain(candidate)}</strong> : plain(candidate)}</span>
            </label>
          ))}
        </fieldset>
        <dl class="facts facts-side">
          <div>
            <dt>{t('fact_who')}</dt>
            <dd>
              {consent.host} {consent.is_first_time && <span class="fact-note">{t('fact_first')}</span>}
            </dd>
          </div>
          <div>
            <dt>{t('fact_learns')}</dt>
            <dd>{t(consent.tells === 'email' ? 'fact_learns_email' : 'fact_learns_domain')}</dd>
          </div>
          <div>
            <dt>{t('fact_else')}</dt>
            <dd>{t('fact_else_text', { app, host: consent.client_host })}</dd>
          </div>
          <div>
            <dt>{t('fact_long')}</dt>
            <dd>{t('fact_long_text')}</dd>
          </div>
          {consent.client_known !== undefined && (
            <div>
              <dt>{t('fact_known')}</dt>
              <dd>{knownWords(consent.client_known, consent.host, texts)}</dd>
            </div>
          )}
        </dl>
      </main>
      <footer class="window-foot">
        <button class="btn" type="button" onClick={() => void say(undefined)}>
          {t('consent_no')}
        </button>
        <button class="btn btn-main" type="button" disabled={!isArmed || email === undefined} onClick={() => void say(email)}>
          {t('consent_yes')}
        </button>
      </footer>
    </>
  )
}

const Window = () => {
  const { t } = usePage().texts
  const answer = useAnswer({ kind: 'consent', visit: location.hash.slice(1) || '-' })
  useEffect(() => {
    document.title = t('consent_title')
  }, [t])
  return (
    <>
      <header class="popup-head">
        <span class="brand">
          <Logo />
          Latchkey
        </span>
        {answer?.ok && (
          <span class="badge">
            <Icon name="lock" small />
            {answer.value.host}
          </span>
        )}
      </header>
      {answer?.ok === false && <Over />}
      {answer?.ok && <Question consent={answer.value} />}
    </>
  )
}

void startPage(<Window />, { follow: false })
