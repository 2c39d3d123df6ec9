// The guest may: the sentence that is enforced, where the journey goes on to, and after a mailed code the offer to keep the proof.
import type { ScopeNames } from '../../shared/policy-words.ts'
import { FocusFrame, type PageContext } from './layout.tsx'
import { type Moment, translate } from './messages.ts'
import { GoingTo, Icon, type Party, PostForm, SkipBox, type SkipProps } from './parts.tsx'
import { claimsPaths } from './paths.ts'
import { keepTexts } from './wallet-part.tsx'

export type ClaimsDoneProps = {
  page: PageContext
  csrf: string
  session: string
  client: Party
  service: Party
  /** What will be granted, not what was asked for. */
  scopes: readonly string[]
  /** What scopes that are addresses say of themselves. */
  scopeNames?: ScopeNames | undefined
  until?: Moment | undefined
  /** Name of the item; only if it may be shown. */
  item?: string | undefined
  /** The owner has allowed it this once. */
  once?: boolean | undefined
  /** What was shown is only a part of what is wanted: the app goes on from here. */
  more?: boolean | undefined
  /** The address was shown with a mailed code, so there is a proof that a wallet could keep. */
  canKeep: boolean
  /** The box with which the app may skip the question from now on; left out if it was shown before. */
  skip?: SkipProps | undefined
  /** Seconds since 1970; a year is said only if it is another one. */
  now: number
}

export const ClaimsDonePage = ({
  page,
  csrf,
  session,
  client,
  service,
  scopes,
  scopeNames,
  until,
  item,
  once,
  more,
  canKeep,
  skip,
  now,
}: ClaimsDoneProps) => {
  const { lang } = page
  const { t, parts, actions, until: untilWords } = translate(lang)
  const to = claimsPaths(session)
  const name = <strong>{client.name}</strong>
  const params = {
    actions: actions(scopes, scopeNames),
    item: item === undefined ? t('word.item') : <strong>{item}</strong>,
    where: parts(client.host === service.host ? 'where.at' : 'where.with', { client: name }),
  }
  const title = t(more === true ? 'done.more_title' : 'done.title')
  const sentence = () => {
    if (more === true) return parts('done.more', { client: name })
    if (once === true) return parts('done.once', params)
    return until === undefined ? parts('done.always', params) : parts('done.until', { ...params, until: untilWords(until, now) })
  }
  return (
    <FocusFrame page={page} title={title} scripts={canKeep ? ['claims.js'] : []}>
      <span class="node node-done node-l">
        <Icon name="check" />
      </span>
      <div class="stack-3">
        <h1>{title}</h1>
        <p class="sentence sentence-s">{sentence()}</p>
      </div>
      <GoingTo lang={lang} client={client} />
      <PostForm action={to.continue} csrf={csrf} class="stack-4">
        {skip !== undefined && <SkipBox lang={lang} skip={skip} />}
        <button type="submit" class="btn btn-main btn-wide">
          {t('done.continue', { client: client.name })}
          <Icon name="arrow-right" />
        </button>
      </PostForm>
      {canKeep && (
        <div class="notice" hidden data-wallet="keep" data-request={to.keep} data-csrf={csrf} {...keepTexts(lang)}>
          <Icon name="key" />
          <div class="stack-1">
            <p>
              {t('done.keep_text')}{' '}
              <button class="link-act" type="button">
                {t('done.keep')}
              </button>
            </p>
            <p class="status" role="status"></p>
          </div>
        </div>
      )}
    </FocusFrame>
  )
}
