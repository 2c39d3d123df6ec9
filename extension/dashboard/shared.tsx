// "Shared by me": things, and people, of all servers in one list each.
import { useState } from 'preact/hooks'
import type { Person, Share, Sharing, Thing } from '../messages.ts'
import { useAnswer, usePage, useTexts } from '../ui/context.ts'
import { Avatar, Empty, ErrorText, Icon, Skeleton, Thumb } from '../ui/parts.tsx'
import { shortly } from '../ui/time.ts'
import { personName, sharesWords, thingName } from '../ui/words.ts'
import { go } from './route.ts'
import { ShareDialog } from './share-dialog.tsx'
import { Troubles } from './trouble.tsx'

const MOST_AVATARS = 3

const Avatars = ({ shares }: { shares: readonly Share[] }) => {
  const open = shares.filter(({ state }) => state !== 'over')
  return (
    <span class="avatars wide-only">
      {open.slice(0, MOST_AVATARS).map(({ id, person }) => (
        <Avatar key={id} name={person.name ?? person.email} size="s" />
      ))}
      {open.length > MOST_AVATARS && (
        <span class="avatar avatar-s avatar-more" aria-hidden="true">
          +{open.length - MOST_AVATARS}
        </span>
      )}
    </span>
  )
}

const latest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

const ThingRow = ({ thing }: { thing: Thing }) => {
  const { texts, now } = usePage()
  const used = latest(thing.shares.map(({ last_used_at }) => last_used_at))
  const name = thingName(thing, texts)
  return (
    <li>
      <a class="row row-thing" href={`#/thing/${encodeURIComponent(thing.id)}`}>
        <Thumb name={thing.name} />
        <span>
          <span class="row-title two-lines">{name}</span>
          <span class="row-meta one-line">{sharesWords(thing.shares, texts, now)}</span>
        </span>
        <span class="row-end">
          <Avatars shares={thing.shares} />
          <span class="row-meta when wide-only">{used === undefined ? texts.t('never') : shortly(used, now, texts)}</span>
          <Icon name="chevron-right" small />
        </span>
      </a>
    </li>
  )
}

const PersonRow = ({ person, things }: { person: Person; things: readonly Thing[] }) => {
  const { texts, now } = usePage()
  const name = personName(person, texts)
  return (
    <li>
      <a class="row row-thing" href={`#/person/${encodeURIComponent(person.id)}`}>
        <Avatar name={person.name ?? person.email} />
        <span>
          <span class="row-title two-lines">{name}</span>
          <span class="row-meta one-line">{texts.counted('things', things.length)}</span>
        </span>
        <span class="row-end">
          <span class="row-meta when wide-only">
            {person.last_seen_at === undefined ? texts.t('never') : shortly(person.last_seen_at, now, texts)}
          </span>
          <Icon name="chevron-right" small />
        </span>
      </a>
    </li>
  )
}

const matches = (text: string, ...candidates: (string | undefined)[]): boolean =>
  candidates.some((candidate) => candidate?.toLocaleLowerCase().includes(text.trim().toLocaleLowerCase()))

const thingsOf = (person: Person, things: readonly Thing[]): Thing[] =>
  things.filter(({ shares }) => shares.some((share) => share.person.id === person.id && share.state !== 'over'))

const Lists = ({ sharing, text, tab }: { sharing: Sharing; text: string; tab: 'things' | 'people' }) => {
  const { t } = useTexts()
  const { things, people } = sharing
  if (tab === 'things') {
    if (things.length === 0) {
      return (
        <Empty icon="file" title={t('empty_things')}>
          <p class="soft">{t('empty_things_text')}</p>
        </Empty>
      )
    }
    const found = things.filter(
      ({ name, service, shares }) =>
        text === '' || matches(text, name, service, ...shares.flatMap(({ person }) => [person.email, person.name])),
    )
    if (found.length === 0) return <p class="soft">{t('nothing_found', { text })}</p>
    return (
      <ul class="card list">
        {found.map((thing) => (
          <ThingRow key={`${thing.issuer} ${thing.id}`} thing={thing} />
        ))}
      </ul>
    )
  }
  if (people.length === 0) {
    return (
      <Empty icon="user" title={t('empty_people')}>
        <p class="soft">{t('empty_people_text')}</p>
      </Empty>
    )
  }
  const found = people.filter(
    (person) => text === '' || matches(text, person.email, person.name, ...thingsOf(person, things).map(({ name }) => name)),
  )
  if (found.length === 0) return <p class="soft">{t('nothing_found', { text })}</p>
  return (
    <ul class="card list">
      {found.map((person) => (
        <PersonRow key={`${person.issuer} ${person.id}`} person={person} things={thingsOf(person, things)} />
      ))}
    </ul>
  )
}

/** `sharing`: the share dialog is open, for this thing or for one still to be chosen. */
export const SharedSection = ({ sharing: isSharing, thing }: { sharing: boolean; thing?: string | undefined }) => {
  const { t } = useTexts()
  const [text, setText] = useState('')
  const [tab, setTab] = useState<'things' | 'people'>('things')
  const answer = useAnswer({ kind: 'sharing' })
  const wallet = useAnswer({ kind: 'wallet' })
  const isAlone = wallet?.ok === true && wallet.value.servers.length === 0
  const hasThings = answer?.ok === true && answer.value.things.length > 0
  return (
    <>
      <div class="page-head">
        <h1>{t('nav_shared')}</h1>
        {hasThings && (
          <a class="btn btn-main" href="#/share">
            <Icon name="plus" />
            {t('share_something')}
          </a>
        )}
      </div>
      {isAlone ? (
        <Empty icon="key" title={t('servers_none')}>
          <p class="soft">{t('welcome_owner')}</p>
          <a class="btn btn-main" href="#/connect">
            {t('connect_server')}
          </a>
        </Empty>
      ) : (
        <>
          <Troubles trouble={answer?.ok ? answer.value.trouble : []} />
          <div class="tabs" role="tablist" aria-label={t('nav_shared')}>
            {(['things', 'people'] as const).map((name) => (
              <button
                key={name}
                class="tab tab-button"
                type="button"
                role="tab"
                id={`tab-${name}`}
                aria-selected={tab === name}
                aria-controls="shared-list"
                {...(tab === name ? { 'aria-current': 'true' as const } : {})}
                onClick={() => setTab(name)}
              >
                {t(name === 'things' ? 'tab_things' : 'tab_people')}
              </button>
            ))}
          </div>
          <search class="search">
            <Icon name="search" />
            <input
              class="input"
              type="search"
              value={text}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
              aria-label={t('search_shared')}
              placeholder={t('search_shared_hint')}
            />
          </search>
          <div id="shared-list" role="tabpanel" aria-labelledby={`tab-${tab}`}>
            {answer === undefined && <Skeleton label={t('loading')} />}
            {answer?.ok === false && <ErrorText code={answer.code} detail={answer.detail} />}
            {answer?.ok && <Lists sharing={answer.value} text={text} tab={tab} />}
          </div>
        </>
      )}
      {isSharing && answer?.ok && (
        <ShareDialog
          sharing={answer.value}
          thingId={thing}
          onClose={() => go(thing === undefined ? '#/' : `#/thing/${encodeURIComponent(thing)}`)}
        />
      )}
    </>
  )
}
