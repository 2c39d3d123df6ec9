// Servers, sites that may ask, language, private data, about.
import { useState } from 'preact/hooks'
import type { Language, Server } from '../messages.ts'
import { ask } from '../ui/ask.ts'
import { useAnswer, usePage } from '../ui/context.ts'
import { walletChanged } from '../ui/frame.tsx'
import { Confirm, ErrorText, Icon, ServiceMark, Skeleton } from '../ui/parts.tsx'
import { LANGUAGES, textsIn } from '../ui/texts.ts'
import { plain } from '../ui/words.ts'
import { AskingField } from './settings-asking.tsx'
import { Troubles } from './trouble.tsx'

declare const __VERSION__: string

const ServerMeta = ({ server }: { server: Server }) => {
  const { t } = usePage().texts
  const text = server.state === 'ended' ? t('server_ended', { host: server.host }) : plain(server.email ?? '')
  return text === '' ? null : <span class="row-meta">{text}</span>
}

const Servers = ({ servers, onLeave }: { servers: readonly Server[]; onLeave: (server: Server) => void }) => {
  const { t } = usePage().texts
  return (
    <section class="stack-3" aria-labelledby="servers">
      <div class="section-head">
        <div class="stack-1">
          <h2 id="servers">{t('servers_title')}</h2>
          <p class="soft small">{t('servers_text')}</p>
        </div>
        <a class="btn" href="#/connect">
          <Icon name="plus" />
          {t('connect_server')}
        </a>
      </div>
      {servers.length === 0 ? (
        <p class="soft">{t('servers_none')}</p>
      ) : (
        <ul class="card list">
          {servers.map((server) => (
            <li class="row" key={server.issuer}>
              <ServiceMark name={server.host} />
              <div>
                <span class="row-title">{server.host}</span>
                <ServerMeta server={server} />
              </div>
              <button
                class="btn btn-quiet btn-s btn-stop"
                type="button"
                aria-label={t('leave_label', { host: server.host })}
                onClick={() => onLeave(server)}
              >
                {t('leave')}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

const Sites = ({ origins }: { origins: readonly string[] }) => {
  const { texts, changed, toast } = usePage()
  const { t } = texts
  const remove = async (origin: string): Promise<void> => {
    const done = await ask({ kind: 'unapprove', origin })
    toast({ text: done.ok ? t('left', { host: new URL(origin).host }) : texts.error(done.code) })
    changed()
  }
  return (
    <section class="stack-3" aria-labelledby="sites">
      <div class="stack-1">
        <h2 id="sites">{t('sites_title')}</h2>
        <p class="soft small">{t(origins.length === 0 ? 'sites_none' : 'sites_text')}</p>
      </div>
      {origins.length > 0 && (
        <ul class="card list">
          {origins.map((origin) => {
            const { host } = new URL(origin)
            return (
              <li class="row" key={origin}>
                <ServiceMark name={host} />
                <span class="row-title">{host}</span>
                <button
                  class="btn btn-quiet btn-s btn-stop"
                  type="button"
                  aria-label={t('leave_label', { host })}
                  onClick={() => void remove(origin)}
                >
                  {t('leave')}
                </button>
              </li>
            )
          })}
        </ul>
      )}
    </section>
  )
}

const LanguageField = ({ language }: { language: Language | undefined }) => {
  const { t } = usePage().texts
  const choose = async (value: string): Promise<void> => {
    const chosen = LANGUAGES.find((known) => known === value)
    await ask({ kind: 'settings', ...(chosen === undefined ? {} : { language: chosen }) })
    walletChanged()
  }
  return (
    <section class="stack-3" aria-labelledby="language">
      <h2 id="language">{t('language_title')}</h2>
      <select
        class="input"
        aria-labelledby="language"
        value={language ?? ''}
        onChange={({ currentTarget }) => void choose(currentTarget.value)}
      >
        <option value="">{t('language_auto')}</option>
        {LANGUAGES.map((known) => (
          <option key={known} value={known} lang={known}>
            {textsIn(known).t('language_name')}
          </option>
        ))}
      </select>
    </section>
  )
}

export const SettingsSection = () => {
  const { texts, changed, toast } = usePage()
  const { t } = texts
  const answer = useAnswer({ kind: 'wallet' })
  const [asked, setAsked] = useState<Server | 'erase'>()
  if (answer === undefined) return <Skeleton label={t('loading')} />
  if (!answer.ok) return <ErrorText code={answer.code} detail={answer.detail} />
  const { servers, approved, language } = answer.value
  const done = (text: string): void => {
    toast({ text })
    changed()
    walletChanged()
  }
  const confirm = async (): Promise<void> => {
    setAsked(undefined)
    if (asked === undefined) return
    const outcome = asked === 'erase' ? await ask({ kind: 'erase' }) : await ask({ kind: 'leave', issuer: asked.issuer })
    if (!outcome.ok) done(texts.error(outcome.code))
    else done(asked === 'erase' ? t('erased') : t('left', { host: asked.host }))
  }
  return (
    <>
      <h1>{t('nav_settings')}</h1>
      <Troubles trouble={[]} />
      <Servers servers={servers} onLeave={setAsked} />
      <Sites origins={approved} />
      <AskingField />
      <LanguageField language={language} />
      <section class="stack-3" aria-labelledby="private">
        <h2 id="private">{t('private_title')}</h2>
        <p>{t('private_text')}</p>
        <div class="actions">
          <button class="btn btn-stop" type="button" onClick={() => setAsked('erase')}>
            {t('erase')}
          </button>
        </div>
      </section>
      <section class="stack-3" aria-labelledby="about">
        <h2 id="about">{t('about_title')}</h2>
        <p class="soft">{t('about_text', { version: __VERSION__ })}</p>
      </section>
      {asked !== undefined && (
        <Confirm
          title={asked === 'erase' ? t('erase_title') : t('leave_title', { host: asked.host })}
          text={t(asked === 'erase' ? 'erase_text' : 'leave_text')}
          action={t(asked === 'erase' ? 'erase' : 'leave')}
          onConfirm={() => void confirm()}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  )
}
