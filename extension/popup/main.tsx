// The popup: what waits for an answer, whether the page in this tab may ask, what happened last. Everything else is the dashboard.
import browser from 'webextension-polyfill'
import type { Asked, Wallet } from '../messages.ts'
import { ask } from '../ui/ask.ts'
import { useAnswer, usePage } from '../ui/context.ts'
import { startPage } from '../ui/frame.tsx'
import { happeningText } from '../ui/happening.tsx'
import { Avatar, Icon, Logo, ServiceMark } from '../ui/parts.tsx'
import { appWords, askedText, keyOf, shownWords, waitingIn } from '../ui/requests.tsx'
import { shortly } from '../ui/time.ts'
import { plain } from '../ui/words.ts'
import { ThisTab } from './this-tab.tsx'

const LATELY = 3
/** So that the popup stays small; the count tells of the others. */
const MOST_PEOPLE = 3
/** The same number as the background polls, so that the answer comes from its cache. */
const PAGE = 30

/** Opens a section of the dashboard in a tab of its own, and closes the popup. */
const open = async (hash: string): Promise<void> => {
  await browser.tabs.create({ url: browser.runtime.getURL(`dashboard.html${hash}`) })
  window.close()
}

/** The answer is given in the dashboard, where there is room for all that a person must know before. */
const Asks = ({ asked }: { asked: Asked }) => {
  const { texts } = usePage()
  const { t } = texts
  const meta = [asked.person.email, shownWords(asked, texts)].filter((part) => part !== undefined)
  return (
    <>
      <Avatar name={asked.person.name ?? asked.person.email} />
      <div class="stack-3">
        <div class="stack-1">
          <p class="sentence-s">{askedText(asked, texts)}</p>
          <p class="row-meta">{plain(meta.join(' · '))}</p>
          <p class="row-meta">
            {t('with_app', { app: appWords(asked) })} <span class="badge badge-dashed">{t('not_verified')}</span>
          </p>
        </div>
        <div class="actions">
          <button class="btn btn-main btn-s" type="button" onClick={() => void open('#/requests')}>
            {t('look_at_it')}
          </button>
        </div>
      </div>
    </>
  )
}

const Waits = ({ waiting }: { waiting: Wallet['waiting'] }) => {
  const { texts } = usePage()
  const { t } = texts
  const people = waitingIn(useAnswer({ kind: 'requests' }))
  if (waiting.length + people.length === 0) return null
  return (
    <section class="popup-part" aria-labelledby="waiting">
      <h2 class="popup-title" id="waiting">
        {t('waiting')} <span class="count">{waiting.length + people.length}</span>
      </h2>
      {waiting.map(({ visit, host, client_name }, index) => (
        <article class={index === 0 ? 'ask' : 'ask ask-next'} key={visit}>
          <ServiceMark name={host} />
          <div class="stack-3">
            <div class="stack-1">
              <p class="sentence-s">{texts.rich('waiting_page', { what: <strong>{t('email_address')}</strong> })}</p>
              <p class="row-meta">
                {t('waiting_for', { host, app: plain(client_name) })} <span class="badge badge-dashed">{t('not_verified')}</span>
              </p>
            </div>
            <div class="actions">
              <button
                class="btn btn-main btn-s"
                type="button"
                onClick={() => {
                  void ask({ kind: 'look', visit }).then(() => window.close())
                }}
              >
                {t('look_at_it')}
              </button>
            </div>
          </div>
        </article>
      ))}
      {people.slice(0, MOST_PEOPLE).map((asked, index) => (
        <article class={waiting.length + index === 0 ? 'ask' : 'ask ask-next'} key={keyOf(asked)}>
          <Asks asked={asked} />
        </article>
      ))}
    </section>
  )
}

const Lately = () => {
  const { texts, now } = usePage()
  const { t } = texts
  const answer = useAnswer({ kind: 'activity', limit: PAGE })
  const entries = answer?.ok ? answer.value.entries.slice(0, LATELY) : []
  return (
    <section class="popup-part" aria-labelledby="lately">
      <h2 class="popup-title" id="lately">
        {t('lately')}
      </h2>
      {entries.length === 0 ? (
        <p class="small soft">{answer === undefined ? '' : t('nothing_lately')}</p>
      ) : (
        <ul class="late">
          {entries.map((entry) => (
            <li key={`${entry.issuer} ${entry.seq}`}>
              <span class="one-line">{happeningText(entry, texts)}</span>
              <span class="row-meta">{shortly(entry.at, now, texts)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

const Welcome = () => {
  const { t } = usePage().texts
  return (
    <section class="popup-part" aria-labelledby="welcome">
      <h2 id="welcome">{t('welcome_title')}</h2>
      <p class="small">{t('welcome_owner')}</p>
      <div class="actions">
        <button class="btn btn-main btn-s" type="button" onClick={() => void open('#/connect')}>
          {t('connect_server')}
        </button>
      </div>
      <p class="small soft">{t('welcome_guest')}</p>
    </section>
  )
}

const Popup = () => {
  const { t } = usePage().texts
  const answer = useAnswer({ kind: 'wallet' })
  const wallet = answer?.ok ? answer.value : undefined
  return (
    <>
      <header class="popup-head">
        <span class="brand">
          <Logo />
          Latchkey
        </span>
        <button class="btn btn-quiet btn-s" type="button" onClick={() => void open('#/')}>
          {t('open_all')}
          <Icon name="external" small />
        </button>
      </header>
      <main>
        <h1 class="hidden-label">Latchkey</h1>
        {wallet && (
          <>
            <Waits waiting={wallet.waiting} />
            <ThisTab approved={wallet.approved} />
            {wallet.servers.length === 0 ? <Welcome /> : <Lately />}
          </>
        )}
      </main>
    </>
  )
}

void startPage(<Popup />, { follow: true })
