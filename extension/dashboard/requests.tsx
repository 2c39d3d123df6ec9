// People who ask: who, for what, through which app, and three answers. New ones come by themselves while the page is open (ui/live.ts).
import { useEffect, useState } from 'preact/hooks'
import type { WalletErrorCode } from '../errors.ts'
import type { Asked } from '../messages.ts'
import { ask } from '../ui/ask.ts'
import { useAnswer, usePage } from '../ui/context.ts'
import { Avatar, Empty, ErrorText, Icon, Skeleton } from '../ui/parts.tsx'
import { appWords, askedText, askedWords, keyOf, shownWords, thingIn, waitingIn } from '../ui/requests.tsx'
import type { Key } from '../ui/texts.ts'
import { shortly, timeZone } from '../ui/time.ts'
import { actions, knownWords, personName, plain, sentence } from '../ui/words.ts'
import { type Until, UntilField, untilOf } from './share-until.tsx'
import { Troubles } from './trouble.tsx'

/** Seconds in which a request is news, to be said aloud. */
const FRESH = 5
/** The server tells of many; a person looks at the last ones. */
const MOST_ANSWERED = 20

/** Who, what, through which app, how long: all four before a person says yes. */
const Facts = ({ asked }: { asked: Asked }) => {
  const { texts } = usePage()
  const { t } = texts
  const notes = [shownWords(asked, texts), asked.is_known ? t('request_known') : t('request_new')].filter((note) => note !== undefined)
  return (
    <dl class="facts">
      <div>
        <dt>{t('request_who')}</dt>
        <dd>
          {plain(asked.person.email ?? t('person_closed'))}
          <span class="fact-note">{notes.join(' · ')}</span>
        </dd>
      </div>
      <div>
        <dt>{t('request_what')}</dt>
        <dd>
          {asked.things.map((thing) => (
            <div key={thing.id}>
              {thingIn(thing, texts)}
              <span class="fact-note">
                {[
                  actions(thing.scopes, texts),
                  ...(thing.service === undefined ? [] : [t('at_service', { service: plain(thing.service) })]),
                ].join(' · ')}
              </span>
            </div>
          ))}
        </dd>
      </div>
      <div>
        <dt>{t('request_through')}</dt>
        <dd>
          {appWords(asked)} <span class="badge badge-dashed">{t('not_verified')}</span>
          {asked.app_known !== undefined && <span class="fact-note">{knownWords(asked.app_known, new URL(asked.issuer).host, texts)}</span>}
        </dd>
      </div>
      <div>
        <dt>{t('request_long')}</dt>
        <dd>{t('request_long_text')}</dd>
      </div>
    </dl>
  )
}

type Trouble = { code: WalletErrorCode; detail?: string | undefined } | { text: string }

const TOASTS = { allow: 'request_allowed', keep: 'request_kept', deny: 'request_denied' } as const satisfies Record<string, Key>

const Request = ({ asked, id }: { asked: Asked; id: string }) => {
  const { texts, now, changed, toast } = usePage()
  const { t } = texts
  const [until, setUntil] = useState<Until>({ preset: 'friday', date: '', from: '' })
  const [trouble, setTrouble] = useState<Trouble>()
  const [isBusy, setBusy] = useState(false)
  const time = untilOf(until, now)
  const person = personName(asked.person, texts)

  const answer = async (decision: keyof typeof TOASTS): Promise<void> => {
    if (isBusy) return
    if (decision === 'keep' && time === undefined) return setTrouble({ text: t('share_pick_day') })
    setBusy(true)
    setTrouble(undefined)
    const terms = decision === 'keep' ? { ...time, time_zone: timeZone() } : {}
    const done = await ask({ kind: 'decide', issuer: asked.issuer, request_id: asked.id, decision: { decision, ...terms } })
    setBusy(false)
    if (!done.ok) return setTrouble({ code: done.code, detail: done.detail })
    const missing = asked.things.filter((thing) => done.value.failed.includes(thing.id))
    const about = missing.length > 0 ? missing : asked.things
    const thing = texts.list(about.map((one) => thingIn(one, texts)))
    toast({ text: t(missing.length > 0 ? 'request_kept_partly' : TOASTS[decision], { person, thing }) })
    changed()
  }

  return (
    <article class="card" aria-labelledby={id}>
      <div class="card-body request">
        <Avatar name={asked.person.name ?? asked.person.email} size="l" />
        <div class="stack-4">
          <div class="stack-2">
            <h2 class="sentence" id={id}>
              {askedText(asked, texts)}
            </h2>
            <p class="row-meta">{shortly(asked.created_at, now, texts)}</p>
          </div>
          {asked.line !== undefined && <blockquote class="quote">{plain(asked.line)}</blockquote>}
          <Facts asked={asked} />
          <UntilField until={until} now={now} onChange={setUntil} name={id} />
          <p aria-live="polite">
            {time === undefined ? (
              <span class="soft">{t('share_pick_day')}</span>
            ) : (
              asked.things.map((thing) => (
                <span key={thing.id}>
                  {sentence(
                    { resource_scopes: thing.scopes, ...time },
                    { person: <strong>{person}</strong>, thing: <strong>{thingIn(thing, texts)}</strong> },
                    texts,
                    now,
                  )}
                  .{' '}
                </span>
              ))
            )}
          </p>
          {trouble !== undefined &&
            ('text' in trouble ? (
              <p class="field-error" role="alert">
                <Icon name="alert" />
                <span>{trouble.text}</span>
              </p>
            ) : (
              <ErrorText code={trouble.code} detail={trouble.detail} />
            ))}
          <div class="actions">
            <button class="btn" type="button" disabled={isBusy} aria-describedby={id} onClick={() => void answer('allow')}>
              {t('request_allow')}
            </button>
            <button class="btn btn-main" type="button" disabled={isBusy} aria-describedby={id} onClick={() => void answer('keep')}>
              {t('request_keep')}
            </button>
            <button class="btn btn-quiet" type="button" disabled={isBusy} aria-describedby={id} onClick={() => void answer('deny')}>
              {t('request_deny')}
            </button>
          </div>
        </div>
      </div>
    </article>
  )
}

const STATES: Record<Exclude<Asked['state'], 'waiting'>, Key> = {
  allowed: 'request_state_allowed',
  used: 'request_state_used',
  kept: 'request_state_kept',
  denied: 'request_state_denied',
  over: 'request_state_over',
}

const Answered = ({ list }: { list: readonly Asked[] }) => {
  const { texts, now } = usePage()
  if (list.length === 0) return null
  return (
    <section class="stack-3" aria-labelledby="answered">
      <h2 id="answered">{texts.t('requests_answered')}</h2>
      <ul class="card list">
        {list.map((asked) => (
          <li class="row" key={keyOf(asked)}>
            <Avatar name={asked.person.name ?? asked.person.email} />
            <div>
              <span class="sentence-s">{askedText(asked, texts)}</span>
              <span class="row-meta">{shortly(asked.answered_at ?? asked.created_at, now, texts)}</span>
            </div>
            <span class="badge">{asked.state !== 'waiting' && texts.t(STATES[asked.state])}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

export const RequestsSection = () => {
  const { texts, now } = usePage()
  const { t } = texts
  const answer = useAnswer({ kind: 'requests' })
  const waiting = waitingIn(answer)
  const answered = answer?.ok ? answer.value.requests.filter(({ state }) => state !== 'waiting').slice(0, MOST_ANSWERED) : []
  const newest = waiting[0]
  const [said, setSaid] = useState('')
  useEffect(() => {
    if (newest && newest.created_at >= now - FRESH) setSaid(askedWords(newest, texts))
  }, [newest && keyOf(newest)])
  return (
    <>
      <h1>{t('nav_requests')}</h1>
      <p class="hidden-label" aria-live="polite">
        {said}
      </p>
      <Troubles trouble={answer?.ok ? answer.value.trouble : []} />
      {answer === undefined && <Skeleton label={t('loading')} />}
      {answer?.ok === false && <ErrorText code={answer.code} detail={answer.detail} />}
      {answer?.ok && waiting.length === 0 && (
        <Empty icon="inbox" title={t('empty_requests')}>
          <p class="soft">{t('empty_requests_text')}</p>
        </Empty>
      )}
      {waiting.map((asked) => (
        <Request key={keyOf(asked)} asked={asked} id={`request-${asked.id}`} />
      ))}
      <Answered list={answered} />
    </>
  )
}
