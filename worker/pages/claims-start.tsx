// A guest arrives: who wants to do what with an item that stays unnamed, and two ways to show who may. Neutral on purpose: anybody
// can prove some address, so nothing here tells whose item it is, unless the owner lets its name be shown.
import type { ScopeNames } from '../../shared/policy-words.ts'
import { FocusFrame, type PageContext } from './layout.tsx'
import { translate } from './messages.ts'
import { AddressField, CancelForm, Fact, Icon, KnownFact, NotVerified, type Party, PartyName, PostForm } from './parts.tsx'
import { claimsPaths } from './paths.ts'
import { walletTexts } from './wallet-part.tsx'

export type ClaimsStartProps = {
  page: PageContext
  csrf: string
  /** Path of this session, e.g. `/uma/claims/3f2a`; the forms post below it. */
  session: string
  /** The app that asks. */
  client: Party
  /** The service that keeps the item. */
  service: Party
  /** What the app wants to do. */
  scopes: readonly string[]
  /** What scopes that are addresses say of themselves. */
  scopeNames?: ScopeNames | undefined
  /** The owner herself, signed in with this browser. */
  isOwner?: boolean | undefined
  /** Name of the item; only if the owner shows it to strangers. */
  item?: string | undefined
  /** What was typed before. */
  address?: string | undefined
  error?: 'wrong' | 'mail_failed' | undefined
}

export const ClaimsStartPage = ({
  page,
  csrf,
  session,
  client,
  service,
  scopes,
  scopeNames,
  isOwner,
  item,
  address,
  error,
}: ClaimsStartProps) => {
  const { lang } = page
  const { t, parts, actions } = translate(lang)
  const to = claimsPaths(session)
  const thing = item === undefined ? t('word.item') : <strong>{item}</strong>
  const params = { client: <PartyName lang={lang} party={client} />, actions: actions(scopes, scopeNames), item: thing }
  return (
    <FocusFrame page={page} title={t('claims.title')} scripts={['claims.js']}>
      <div class="stack-3">
        <h1>{t('claims.title')}</h1>
        <p class="sentence sentence-s">{client.host === service.host ? parts('claims.lead_same', params) : parts('claims.lead', params)}</p>
      </div>
      <PostForm action={to.address} csrf={csrf} class="stack-4">
        <AddressField lang={lang} label={t('claims.address')} address={address} error={error} hint={t('claims.address_hint')} />
        <button type="submit" class="btn btn-main btn-wide">
          {t('word.continue')}
        </button>
      </PostForm>
      {isOwner === true && (
        <PostForm action={to.self} csrf={csrf} class="stack-4">
          <p class="or">{t('word.or')}</p>
          <button type="submit" class="btn btn-wide">
            {t('claims.self')}
          </button>
        </PostForm>
      )}
      <div
        class="stack-4"
        hidden
        data-wallet="present"
        data-request={to.walletRequest}
        data-finish={to.walletResponse}
        data-csrf={csrf}
        {...walletTexts(lang)}
      >
        <p class="or">{t('word.or')}</p>
        <button class="btn btn-wide" type="button">
          <Icon name="key" />
          {t('claims.wallet')}
        </button>
        <p class="hint status" role="status"></p>
      </div>
      <dl class="facts">
        <Fact name={t('claims.kept_at')}>
          {parts('claims.kept_at_text', { service: service.name, host: <strong>{service.host}</strong> })}{' '}
          <NotVerified lang={lang} party={service} />
        </Fact>
        <KnownFact lang={lang} party={client} />
        <Fact name={t('claims.learns', { client: client.name })}>{t('claims.learns_text')}</Fact>
        <Fact name={t('claims.owner')}>{t('claims.owner_text')}</Fact>
        <Fact name={t('claims.we_keep')}>{t('claims.we_keep_text')}</Fact>
      </dl>
      <CancelForm lang={lang} action={to.cancel} csrf={csrf} host={client.host} />
    </FocusFrame>
  )
}
