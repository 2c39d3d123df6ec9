// One thing with everybody who has access, and one person with everything that is shared. "Stop sharing" works at once; whoever did not
// mean it shares again from the toast.
import { useEffect, useRef } from 'preact/hooks'
import type { PolicyRequest } from '../../shared/protocol/owner-api.ts'
import type { Share, Thing } from '../messages.ts'
import { ask } from '../ui/ask.ts'
import { useAnswer, usePage } from '../ui/context.ts'
import { Avatar, Empty, ErrorText, Icon, Skeleton, Thumb } from '../ui/parts.tsx'
import { shortly } from '../ui/time.ts'
import { personName, sentence, thingName } from '../ui/words.ts'
import { Troubles } from './trouble.tsx'

/** The same share once more. */
const requestOf = ({ thing_id, person, scopes, from, until, time_zone }: Share): PolicyRequest => ({
  resource_id: thing_id,
  person: { id: person.id },
  resource_scopes: scopes,
  ...(from === undefined ? {} : { from }),
  ...(until === undefined ? {} : { until }),
  ...(time_zone === undefined ? {} : { time_zone }),
})

/** Stops shares and offers to make them again. */
const useStop = () => {
  const { texts, changed, toast, now } = usePage()
  const { t } = texts
  const again = async (thing: Thing, shares: readonly Share[]): Promise<void> => {
    for (const share of shares) {
      const answer = await ask({ kind: 'share', issuer: thing.issuer, request: requestOf(share) })
      if (!answer.ok) return toast({ text: texts.error(answer.code) })
    }
    changed()
    toast({
      text: t('shared_again', {
        thing: thingName(thing, texts),
        person: texts.list(shares.map(({ person }) => personName(person, texts))),
      }),
    })
  }
  const undo = (thing: Thing, shares: readonly Share[]) => {
    const open = shares.filter(({ until }) => until === undefined || until > now)
    return open.length === 0 ? {} : { action: { label: t('share_again'), run: () => again(thing, open) } }
  }
  return {
    one: async (thing: Thing, share: Share): Promise<void> => {
      const answer = await ask({ kind: 'stop', issuer: share.issuer, policy_id: share.id })
      if (!answer.ok) return toast({ text: texts.error(answer.code) })
      changed()
      toast({ text: t('stopped', { thing: thingName(thing, texts), person: personName(share.person, texts) }), ...undo(thing, [share]) })
    },
    all: async (thing: Thing): Promise<void> => {
      const answer = await ask({ kind: 'stop-all', issuer: thing.issuer, resource_id: thing.id })
      if (!answer.ok) return toast({ text: texts.error(answer.code) })
      changed()
      toast({ text: t('stopped_all', { thing: thingName(thing, texts) }), ...undo(thing, thing.shares) })
    },
  }
}

const ShareRow = ({ share, thing, shows }: { share: Share; thing: Thing; shows: 'person' | 'thing' }) => {
  const { texts, now } = usePage()
  const { t } = texts
  const stop = useStop()
  const person = personName(share.person, texts)
  const name = thingName(thing, texts)
  const words = sentence(
    { resource_scopes: share.scopes, along: share.along && [{ scopes: share.along }], from: share.from, until: share.until },
    { person: <strong>{person}</strong>, thing: <strong>{name}</strong> },
    texts,
    now,
    share.time_zone,
  )
  return (
    <li class="row">
      {shows === 'person' ? <Avatar name={share.person.name ?? share.person.email} /> : <Thumb name={thing.name} />}
      <div>
        <p>
          {words}. {share.state === 'over' && <span class="badge">{t('share_over')}</span>}
          {share.state === 'not_yet' && <span class="badge badge-dashed">{t('share_not_yet')}</span>}
        </p>
        <p class="row-meta">
          {share.last_used_at === undefined ? t('never_opened') : t('last_opened', { when: shortly(share.last_used_at, now, texts) })}
        </p>
      </div>
      <button
        class="btn btn-quiet btn-s btn-stop"
        type="button"
        aria-label={t('stop_label', { thing: name, person })}
        onClick={() => void stop.one(thing, share)}
      >
        {t('stop')}
      </button>
    </li>
  )
}

const BackLink = () => {
  const { t } = usePage().texts
  return (
    <p>
      <a class="link-act small soft" href="#/">
        <Icon name="arrow-left" small />
        {t('nav_shared')}
      </a>
    </p>
  )
}

/** A heading that takes the focus when the row under it went, so that a keyboard does not start from the top. */
const FocusHeading = ({ id, text, count }: { id: string; text: string; count: number }) => {
  const heading = useRef<HTMLHeadingElement>(null)
  const before = useRef(count)
  useEffect(() => {
    if (count < before.current && document.activeElement === document.body) heading.current?.focus()
    before.current = count
  }, [count])
  return (
    <h2 id={id} ref={heading} tabIndex={-1}>
      {text}
    </h2>
  )
}

export const ThingSection = ({ id }: { id: string }) => {
  const { texts } = usePage()
  const { t } = texts
  const stop = useStop()
  const answer = useAnswer({ kind: 'sharing' })
  const thing = answer?.ok ? answer.value.things.find((candidate) => candidate.id === id) : undefined
  if (answer === undefined) return <Skeleton label={t('loading')} />
  if (!answer.ok) return <ErrorText code={answer.code} detail={answer.detail} />
  if (!thing) {
    return (
      <>
        <BackLink />
        <Troubles trouble={answer.value.trouble} />
        <ErrorText code="not_found" />
      </>
    )
  }
  return (
    <>
      <BackLink />
      <div class="page-head">
        <div class="thing-head">
          <Thumb name={thing.name} />
          <div>
            <h1>{thingName(thing, texts)}</h1>
            <p class="row-meta">{t('at_service', { service: thing.service })}</p>
          </div>
        </div>
        <a class="btn btn-main" href={`#/share/${encodeURIComponent(thing.id)}`}>
          <Icon name="share" />
          {t('share')}
        </a>
      </div>
      <Troubles trouble={answer.value.trouble} />
      <section class="stack-3" aria-labelledby="access">
        <FocusHeading id="access" text={t('who_access')} count={thing.shares.length} />
        {thing.shares.length === 0 ? (
          <p class="soft">{t('nobody_access')}</p>
        ) : (
          <ul class="card list">
            {thing.shares.map((share) => (
              <ShareRow key={share.id} share={share} thing={thing} shows="person" />
            ))}
          </ul>
        )}
      </section>
      {thing.shares.length > 1 && (
        <div class="actions">
          <button class="btn btn-stop" type="button" onClick={() => void stop.all(thing)}>
            {t('stop_all')}
          </button>
        </div>
      )}
    </>
  )
}

export const PersonSection = ({ id }: { id: string }) => {
  const { texts } = usePage()
  const { t } = texts
  const answer = useAnswer({ kind: 'sharing' })
  if (answer === undefined) return <Skeleton label={t('loading')} />
  if (!answer.ok) return <ErrorText code={answer.code} detail={answer.detail} />
  const person = answer.value.people.find((candidate) => candidate.id === id)
  const shares = answer.value.things.flatMap((thing) =>
    thing.shares.filter((share) => share.person.id === id).map((share) => ({ thing, share })),
  )
  return (
    <>
      <BackLink />
      {person === undefined ? (
        <ErrorText code="not_found" />
      ) : (
        <>
          <div class="thing-head">
            <Avatar name={person.name ?? person.email} size="l" />
            <h1>{personName(person, texts)}</h1>
          </div>
          <section class="stack-3" aria-labelledby="what">
            <FocusHeading id="what" text={t('what_access')} count={shares.length} />
            {shares.length === 0 ? (
              <Empty icon="file" title={t('empty_things')} />
            ) : (
              <ul class="card list">
                {shares.map(({ thing, share }) => (
                  <ShareRow key={share.id} share={share} thing={thing} shows="thing" />
                ))}
              </ul>
            )}
          </section>
        </>
      )}
    </>
  )
}
