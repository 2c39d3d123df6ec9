// Consent: connect a service that keeps things, or a wallet that manages shares. Both say who asks, what is told to whom, how long.
import { FocusFrame, type PageContext } from './layout.tsx'
import { translate } from './messages.ts'
import { Avatar, Fact, KnownFact, Logo, NotVerified, type Party, PostForm, ServiceMark } from './parts.tsx'

export type ConsentProps = {
  page: PageContext
  csrf: string
  kind: 'service' | 'wallet'
  client: Party
  /** From then on it asks for its access by itself, without the owner's browser. */
  standing?: boolean | undefined
  /** The owner who is signed in, as the server may show it. */
  owner?: string | undefined
  /** Takes `csrf`, the `fields`, and `decision` = `allow` | `deny`. */
  action: string
  /** What identifies the request, hidden. */
  fields: Record<string, string | undefined>
  /** Where another person signs in. */
  notYou: string
}

const facts = {
  service: ['tells_us', 'we_tell', 'how_long'],
  wallet: ['sees', 'does', 'how_long'],
} as const

export const ConsentPage = ({ page, csrf, kind, client, standing, owner, action, fields, notYou }: ConsentProps) => {
  const { t, parts } = translate(page.lang)
  const name = <strong>{client.name}</strong>
  const host = <strong>{page.host}</strong>
  const title = t('consent.title', { client: client.name })
  return (
    <FocusFrame page={page} title={title}>
      <div class="joined" aria-hidden="true">
        <ServiceMark party={client} large />
        <span class="joined-line"></span>
        <Logo />
      </div>
      <div class="stack-3">
        <h1>{title}</h1>
        <p class="sentence sentence-s">
          {kind === 'service'
            ? parts('consent.service_lead', { client: name, host })
            : parts('consent.wallet_lead', { client: name, host })}
        </p>
      </div>
      <dl class="facts">
        <Fact name={t('consent.who')} note={client.verified === true ? undefined : t('consent.who_note')}>
          {parts('consent.who_at', { client: client.name, host: <strong>{client.host}</strong> })}{' '}
          <NotVerified lang={page.lang} party={client} />
        </Fact>
        <KnownFact lang={page.lang} party={client} />
        {facts[kind].map((key) => (
          <Fact name={t(`consent.${key}`)}>{t(`consent.${key}_text`)}</Fact>
        ))}
        {standing === true && <Fact name={t('consent.standing')}>{t('consent.standing_text')}</Fact>}
      </dl>
      <PostForm action={action} csrf={csrf} fields={fields} class="stack-3">
        <button type="submit" class="btn btn-main btn-wide" name="decision" value="allow">
          {t('consent.yes', { client: client.name })}
        </button>
        <button type="submit" class="btn btn-quiet btn-wide" name="decision" value="deny">
          {t('consent.no')}
        </button>
      </PostForm>
      {owner !== undefined && (
        <div class="who">
          <Avatar name={owner} small />
          <span class="one-line">{owner}</span>
          <a href={notYou}>{t('consent.not_you')}</a>
        </div>
      )}
    </FocusFrame>
  )
}
