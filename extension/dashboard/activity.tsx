// What happened, newest first, by day. New entries come by themselves while the page is open (ui/live.ts).
import { useEffect, useState } from 'preact/hooks'
import type { Activity, Happening } from '../messages.ts'
import { ask } from '../ui/ask.ts'
import { useAnswer, usePage } from '../ui/context.ts'
import { happeningIcon, happeningMeta, happeningText, happeningWords, type Kind, kindOf } from '../ui/happening.tsx'
import { Empty, ErrorText, Icon, Skeleton } from '../ui/parts.tsx'
import { clock, dayHeading, dayKey } from '../ui/time.ts'
import { Troubles } from './trouble.tsx'

/** The same number as the background polls, so that the first screen comes from its cache. */
const PAGE = 30
/** Seconds in which an entry is news, to be said aloud. */
const FRESH = 5

const Entry = ({ entry }: { entry: Happening }) => {
  const { texts } = usePage()
  const { icon, tone } = happeningIcon(entry)
  const meta = happeningMeta(entry, texts)
  return (
    <li>
      <span class={`node${tone}`}>
        <Icon name={icon} small />
      </span>
      <div class="timeline-text">
        <p>{happeningText(entry, texts)}</p>
        {meta !== '' && <p class="row-meta">{meta}</p>}
      </div>
      <span class="timeline-time">{clock(entry.at, texts)}</span>
    </li>
  )
}

const FILTERS = [
  ['all', 'filter_all'],
  ['opened', 'filter_opened'],
  ['refused', 'filter_refused'],
  ['mine', 'filter_mine'],
] as const

const found = (entry: Happening, text: string, kind: Kind | 'all'): boolean =>
  (kind === 'all' || kindOf(entry) === kind) &&
  [entry.thing, entry.service, entry.client_name, entry.person?.email, entry.person?.name].some(
    (candidate) => text.trim() === '' || candidate?.toLocaleLowerCase().includes(text.trim().toLocaleLowerCase()),
  )

/** The first page stays live; earlier ones are added below it when asked for. */
const useEarlier = (first: Activity | undefined) => {
  const [earlier, setEarlier] = useState<Happening[]>([])
  const [before, setBefore] = useState<Record<string, number>>()
  const next = before ?? first?.before ?? {}
  const more = async (): Promise<void> => {
    const answer = await ask({ kind: 'activity', before: next, limit: PAGE })
    if (!answer.ok) return
    setEarlier((known) => [...known, ...answer.value.entries.filter(({ issuer }) => issuer in next)])
    setBefore(answer.value.before)
  }
  return { earlier, hasMore: Object.keys(next).length > 0, more }
}

export const ActivitySection = () => {
  const { texts, now } = usePage()
  const { t } = texts
  const answer = useAnswer({ kind: 'activity', limit: PAGE })
  const first = answer?.ok ? answer.value : undefined
  const { earlier, hasMore, more } = useEarlier(first)
  const [text, setText] = useState('')
  const [kind, setKind] = useState<Kind | 'all'>('all')
  const known = new Map([...earlier, ...(first?.entries ?? [])].map((entry) => [`${entry.issuer} ${entry.seq}`, entry]))
  const entries = [...known.values()].sort((a, b) => b.at - a.at || b.seq - a.seq).filter((entry) => found(entry, text, kind))
  const days = Map.groupBy(entries, ({ at }) => dayKey(at))
  const newest = first?.entries[0]
  const [said, setSaid] = useState('')
  useEffect(() => {
    if (newest && newest.at >= now - FRESH) setSaid(happeningWords(newest, texts))
  }, [newest?.seq])
  return (
    <>
      <h1>{t('nav_activity')}</h1>
      <p class="hidden-label" aria-live="polite">
        {said}
      </p>
      <search class="filters">
        <div class="search">
          <Icon name="search" />
          <input
            class="input"
            type="search"
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
            aria-label={t('search_activity')}
            placeholder={t('search_activity_hint')}
          />
        </div>
        <select
          class="input"
          aria-label={t('show_what')}
          value={kind}
          onChange={({ currentTarget }) => setKind(currentTarget.value as Kind | 'all')}
        >
          {FILTERS.map(([value, key]) => (
            <option key={value} value={value}>
              {t(key)}
            </option>
          ))}
        </select>
      </search>
      <Troubles trouble={first?.trouble ?? []} />
      {answer === undefined && <Skeleton label={t('loading')} />}
      {answer?.ok === false && <ErrorText code={answer.code} detail={answer.detail} />}
      {first?.entries.length === 0 && (
        <Empty icon="activity" title={t('empty_activity')}>
          <p class="soft">{t('empty_activity_text')}</p>
        </Empty>
      )}
      {first !== undefined && first.entries.length > 0 && entries.length === 0 && <p class="soft">{t('nothing_found', { text })}</p>}
      {[...days].map(([day, list]) => (
        <section class="stack-4" aria-labelledby={`day-${day}`} key={day}>
          <h2 id={`day-${day}`}>{dayHeading(list[0]?.at ?? now, now, texts)}</h2>
          <ol class="timeline">
            {list.map((entry) => (
              <Entry key={`${entry.issuer} ${entry.seq}`} entry={entry} />
            ))}
          </ol>
        </section>
      ))}
      {hasMore && (
        <div class="actions">
          <button class="btn" type="button" onClick={() => void more()}>
            {t('show_earlier')}
          </button>
        </div>
      )}
    </>
  )
}
