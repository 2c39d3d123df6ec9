// The owner was asked. The page looks for the answer by itself, and goes on by itself when it is yes; without scripts it is loaded anew.
import type { ScopeNames } from '../../shared/policy-words.ts'
import { FocusFrame, type PageContext } from './layout.tsx'
import { type Moment, translate } from './messages.ts'
import { Icon, type Party, PostForm } from './parts.tsx'
import { claimsPaths } from './paths.ts'

export type ClaimsWaitingProps = {
  page: PageContext
  csrf: string
  session: string
  client: Party
  /** The address that was typed; left out when it came from a wallet. */
  address?: string | undefined
  scopes: readonly string[]
  /** What scopes that are addresses say of themselves. */
  scopeNames?: ScopeNames | undefined
  /** When the question was asked. */
  since: Moment
}

export const ClaimsWaitingPage = ({ page, csrf, session, client, address, scopes, scopeNames, since }: ClaimsWaitingProps) => {
  const { t, parts, actions, day } = translate(page.lang)
  const to = claimsPaths(session)
  const params = { actions: actions(scopes, scopeNames), client: <strong>{client.name}</strong> }
  return (
    <FocusFrame page={page} title={t('waiting.title')} scripts={['claims.js']} reloadAfter={5}>
      <div class="stack-3">
        <h1>{t('waiting.title')}</h1>
        <p class="sentence sentence-s">
          {address === undefined
            ? parts('waiting.lead_wallet', params)
            : parts('waiting.lead', { ...params, address: <strong>{address}</strong> })}
        </p>
      </div>
      <ol class="timeline" aria-live="polite" data-waiting={to.state}>
        <li>
          <span class="node node-done">
            <Icon name="check" small />
          </span>
          <p class="timeline-text">{t('waiting.proved')}</p>
        </li>
        <li>
          <span class="node node-done">
            <Icon name="check" small />
          </span>
          <p class="timeline-text">{t('waiting.asked')}</p>
          <span class="timeline-time">{day(since)}</span>
        </li>
        <li aria-current="step">
          <span class="node node-now"></span>
          <p class="timeline-text">
            <strong>{t('waiting.now')}</strong>
          </p>
        </li>
        <li>
          <span class="node node-later"></span>
          <p class="timeline-text soft">{t('waiting.next', { client: client.name })}</p>
        </li>
      </ol>
      <div class="notice">
        <Icon name="clock" />
        <p>{t('waiting.close')}</p>
      </div>
      <div class="stack-3">
        <PostForm action={to.continue} csrf={csrf}>
          <button type="submit" class="btn btn-wide">
            {t('waiting.there', { client: client.name })}
          </button>
        </PostForm>
        <PostForm action={to.withdraw} csrf={csrf}>
          <button type="submit" class="btn btn-quiet btn-wide">
            {t('waiting.withdraw')}
          </button>
        </PostForm>
      </div>
    </FocusFrame>
  )
}
