// "Your proofs": what the server remembers about a guest, masked, and how it forgets. Before that, the address has to be shown.
import { FocusFrame, type PageContext, WideFrame } from './layout.tsx'
import { type Moment, translate } from './messages.ts'
import { AddressField, Avatar, Icon, NotVerified, type Party, PostForm, ServiceMark } from './parts.tsx'
import { paths } from './paths.ts'

export type ProofsStartProps = {
  page: PageContext
  csrf: string
  address?: string | undefined
  error?: 'wrong' | 'mail_failed' | undefined
}

export const ProofsStartPage = ({ page, csrf, address, error }: ProofsStartProps) => {
  const { t } = translate(page.lang)
  return (
    <FocusFrame page={page} title={t('proofs.title')}>
      <div class="stack-2">
        <h1>{t('proofs.title')}</h1>
        <p class="soft">{t('proofs.ask')}</p>
      </div>
      <PostForm action={paths.proofs} csrf={csrf} class="stack-4">
        <AddressField lang={page.lang} label={t('proofs.address')} address={address} error={error} />
        <button type="submit" class="btn btn-main btn-wide">
          {t('proofs.send')}
        </button>
      </PostForm>
    </FocusFrame>
  )
}

/** An app that may skip the question. */
export type Skipping = { id: string; client: Party; since: Moment; until: Moment; by: 'code' | 'wallet' }
export type ProofsProps = {
  page: PageContext
  csrf: string
  /** Masked: `b•••@example.net`. */
  address: string
  /** Newest first. */
  items: readonly Skipping[]
  /** What waits for an owner's answer, or was allowed and not used yet; newest first. */
  asked: readonly AskedFor[]
  /** Something may rest on the address somewhere, remembered or not. */
  used: boolean
  /** Some owners' objects did not answer. */
  some: boolean
  notice?: 'forgotten' | 'forgetting' | 'withdrawn' | undefined
}

/** A question to an owner, named by a sealed text. */
export type AskedFor = { request: string; client: Party; service: Party; scopes: readonly string[]; since: Moment; allowed: boolean }

export const ProofsPage = ({ page, csrf, address, items, asked, used, some, notice }: ProofsProps) => {
  const { t } = translate(page.lang)
  const [newest] = items
  return (
    <WideFrame page={page} title={t('proofs.title')} mainClass="page page-text" end={<Avatar name={address} />}>
      <div class="stack-3">
        <h1>{t('proofs.title')}</h1>
        <p class="soft">{t('proofs.lead')}</p>
      </div>
      {notice !== undefined && (
        <div class="notice" role="status">
          <Icon name="check" />
          <p>{t(`proofs.${notice}`)}</p>
        </div>
      )}
      {some && <p role="status">{t('proofs.some')}</p>}
      {newest === undefined && (
        <section class="stack-3">
          <h2>{t('proofs.none')}</h2>
          <p class="soft">{t('proofs.none_text')}</p>
        </section>
      )}
      {(newest !== undefined || used) && <Good page={page} csrf={csrf} address={address} newest={newest} />}
      {asked.length > 0 && <Asked page={page} csrf={csrf} asked={asked} />}
      {newest !== undefined && <Skips page={page} csrf={csrf} items={items} />}
      <p>
        <a class="link" href={paths.proofsTakeOut} download>
          {t('proofs.take')}
        </a>
      </p>
      <PostForm action={paths.proofsSignOut} csrf={csrf}>
        <button type="submit" class="btn">
          {t('proofs.sign_out')}
        </button>
      </PostForm>
    </WideFrame>
  )
}

const Good = ({ page, csrf, address, newest }: Pick<ProofsProps, 'page' | 'csrf' | 'address'> & { newest: Skipping | undefined }) => {
  const { t, day } = translate(page.lang)
  return (
    <section class="stack-3" aria-labelledby="h-good">
      <h2 id="h-good">{t(newest === undefined ? 'proofs.used' : 'proofs.good')}</h2>
      <ul class="card list">
        <li class="row">
          <Avatar name={address} />
          <div>
            <span class="row-title">{address}</span>
            <span class="row-meta">
              {newest === undefined ? t('proofs.used_text') : t(`proofs.shown_${newest.by}`, { date: day(newest.since) })}
            </span>
          </div>
          <PostForm action={paths.proofsForget} csrf={csrf} class="contents">
            <button class="btn btn-s" type="submit" aria-label={t('proofs.forget_name', { address })}>
              {t('proofs.forget')}
            </button>
          </PostForm>
        </li>
      </ul>
    </section>
  )
}

const Asked = ({ page, csrf, asked }: Pick<ProofsProps, 'page' | 'csrf' | 'asked'>) => {
  const { t, actions, day } = translate(page.lang)
  return (
    <section class="stack-3" aria-labelledby="h-asked">
      <h2 id="h-asked">{t('proofs.asked')}</h2>
      <ul class="card list">
        {asked.map(({ request, client, service, scopes, since, allowed }) => (
          <li class="row">
            <ServiceMark party={client} />
            <div>
              <span class="row-title">
                {client.name} <NotVerified lang={page.lang} party={client} />
              </span>
              <span class="row-meta">
                {t(allowed ? 'proofs.asked_allowed' : 'proofs.asked_text', {
                  actions: actions(scopes),
                  service: service.name,
                  date: day(since),
                })}
              </span>
            </div>
            <PostForm action={paths.proofsWithdraw} csrf={csrf} fields={{ request }} class="contents">
              <button class="btn btn-s" type="submit" aria-label={t('proofs.withdraw_name', { client: client.name })}>
                {t('proofs.withdraw')}
              </button>
            </PostForm>
          </li>
        ))}
      </ul>
    </section>
  )
}

const Skips = ({ page, csrf, items }: Pick<ProofsProps, 'page' | 'csrf' | 'items'>) => {
  const { t, day } = translate(page.lang)
  return (
    <section class="stack-3" aria-labelledby="h-skip">
      <h2 id="h-skip">{t('proofs.skip')}</h2>
      <ul class="card list">
        {items.map(({ id, client, until }) => (
          <li class="row">
            <ServiceMark party={client} />
            <div>
              <span class="row-title">
                {client.name} <NotVerified lang={page.lang} party={client} />
              </span>
              <span class="row-meta">{t('proofs.skip_text', { date: day(until) })}</span>
            </div>
            <PostForm action={paths.proofsForget} csrf={csrf} fields={{ id }} class="contents">
              <button class="btn btn-s" type="submit" aria-label={t('proofs.ask_again_name', { client: client.name })}>
                {t('proofs.ask_again')}
              </button>
            </PostForm>
          </li>
        ))}
      </ul>
    </section>
  )
}
