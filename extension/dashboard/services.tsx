// Services that keep the owner's things, and wallets that decide for the owner. Disconnecting cannot be undone from here, so it asks first.
import { useState } from 'preact/hooks'
import type { Service } from '../messages.ts'
import { ask } from '../ui/ask.ts'
import { useAnswer, usePage } from '../ui/context.ts'
import { Confirm, ErrorText, ServiceMark, Skeleton } from '../ui/parts.tsx'
import type { Texts } from '../ui/texts.ts'
import { shortly } from '../ui/time.ts'
import { knownWords, plain } from '../ui/words.ts'
import { Troubles } from './trouble.tsx'

const hostOf = (uri: string | undefined): string | undefined => (uri !== undefined && URL.canParse(uri) ? new URL(uri).host : undefined)

const usedWords = ({ is_current, last_used_at }: Service, texts: Texts, now: number): string | undefined => {
  if (is_current) return texts.t('in_use')
  return last_used_at === undefined ? undefined : texts.t('used', { when: shortly(last_used_at, now, texts) })
}

const ServiceRow = ({ service, onDisconnect }: { service: Service; onDisconnect: () => void }) => {
  const { texts, now } = usePage()
  const { t } = texts
  const name = plain(service.name)
  const meta = [
    hostOf(service.uri),
    service.kind === 'service' ? texts.counted('things', service.things) : undefined,
    usedWords(service, texts, now),
  ]
  return (
    <li class="row">
      <ServiceMark name={name} />
      <div>
        <span class="row-title">{name}</span>
        <span class="row-meta">{meta.filter((part) => part !== undefined).join(' · ')}</span>
        {service.known !== undefined && <span class="row-meta">{knownWords(service.known, new URL(service.issuer).host, texts)}</span>}
      </div>
      {service.is_current ? (
        <span class="badge">{t('you_are_here')}</span>
      ) : (
        <button
          class="btn btn-quiet btn-s btn-stop"
          type="button"
          aria-label={t('disconnect_label', { service: name })}
          onClick={onDisconnect}
        >
          {t('disconnect')}
        </button>
      )}
    </li>
  )
}

export const ServicesSection = () => {
  const { texts, changed, toast } = usePage()
  const { t } = texts
  const answer = useAnswer({ kind: 'services' })
  const [chosen, setChosen] = useState<Service>()
  const all = answer?.ok ? answer.value.services : []
  const list = (kind: Service['kind']) =>
    all
      .filter((service) => service.kind === kind)
      .map((service) => <ServiceRow key={service.id} service={service} onDisconnect={() => setChosen(service)} />)
  const disconnect = async ({ issuer, id, name }: Service): Promise<void> => {
    setChosen(undefined)
    const done = await ask({ kind: 'disconnect', issuer, connection_id: id })
    toast({ text: done.ok ? t('disconnected', { service: plain(name) }) : texts.error(done.code) })
    changed()
  }
  const keepers = list('service')
  const wallets = list('wallet')
  return (
    <>
      <h1>{t('nav_services')}</h1>
      <Troubles trouble={answer?.ok ? answer.value.trouble : []} />
      {answer === undefined && <Skeleton label={t('loading')} />}
      {answer?.ok === false && <ErrorText code={answer.code} detail={answer.detail} />}
      <section class="stack-3" aria-labelledby="keepers">
        <div class="stack-1">
          <h2 id="keepers">{t('keeps_title')}</h2>
          <p class="soft small">{t(answer?.ok && keepers.length === 0 ? 'keeps_none' : 'keeps_text')}</p>
        </div>
        {keepers.length > 0 && <ul class="card list">{keepers}</ul>}
      </section>
      {wallets.length > 0 && (
        <section class="stack-3" aria-labelledby="wallets">
          <div class="stack-1">
            <h2 id="wallets">{t('wallets_title')}</h2>
            <p class="soft small">{t('wallets_text')}</p>
          </div>
          <ul class="card list">{wallets}</ul>
        </section>
      )}
      <p class="soft small">{t('disconnect_note')}</p>
      {chosen && (
        <Confirm
          title={t('disconnect_title', { service: plain(chosen.name) })}
          text={t(chosen.kind === 'service' ? 'disconnect_text' : 'disconnect_wallet_text')}
          action={t('disconnect')}
          onConfirm={() => void disconnect(chosen)}
          onClose={() => setChosen(undefined)}
        />
      )}
    </>
  )
}
