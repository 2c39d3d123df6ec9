// The page of operators: how much there is and how it goes, clients to block, invitations, keys. One list after the other, each with the
// one thing that can be done about it. Names of clients are their own word; nothing here is about people, things or shares.
import type { ClientKnown } from '../../shared/protocol/oauth.ts'
import { type AdminIssuer, Issuers } from './admin-issuers.tsx'
import { type AdminRule, PlatformRules } from './admin-rules.tsx'
import { type PageContext, WideFrame } from './layout.tsx'
import { type Translation, translate } from './messages.ts'
import { Icon, knownWords, NotVerified, PostForm, ServiceMark } from './parts.tsx'
import { paths } from './paths.ts'

/** What has just been done, or could not be. */
export const ADMIN_NOTICES = [
  'keys_rotated',
  'keys_pending',
  'keys_full',
  'client_blocked',
  'client_unblocked',
  'client_on_its_way',
  'client_unknown',
  'invited',
  'invited_unsent',
  'address_wrong',
  'revoked',
  'issuer_added',
  'issuer_wrong',
  'rule_added',
  'rule_dropped',
  'rule_wrong',
] as const
export type AdminNotice = (typeof ADMIN_NOTICES)[number]

export type AdminClient = {
  id: string
  /** Its own word. */
  name: string
  host?: string
  /** How the server came to know it (SPECS S0-6). */
  known: ClientKnown
  /** Registered, or blocked for the first time; seconds since 1970. */
  at: number
  isBlocked: boolean
  /** How far the last block has come; absent if nobody keeps it. */
  progress?: { owners: number; acknowledged: number; done: boolean }
}

export type AdminProps = {
  page: PageContext
  csrf: string
  /** Seconds since 1970, like all times here. */
  now: number
  totals: { owners: number; clients: number; connections: number }
  day: { requests: number; failures: number; mails: number; mails_failed: number }
  mailFailedAt?: number
  lag: { owners: number; since: number | undefined }
  /** Last registered first. */
  clients: readonly AdminClient[]
  blocked: readonly AdminClient[]
  /** The id that was looked for, and whose it is. */
  wanted?: string
  found?: AdminClient
  /** By name. */
  issuers: readonly AdminIssuer[]
  /** Of the platform. */
  rules: readonly AdminRule[]
  /** Newest first; absent where registration is not by invitation. */
  invitations?: readonly { id: string; at: number; state: 'waiting' | 'used' | 'over' }[]
  keys: { since: number; next: number; isComing: boolean; kept: number }
  notice?: AdminNotice
}

const WRONG: readonly AdminNotice[] = ['keys_full', 'client_unknown', 'invited_unsent', 'address_wrong', 'issuer_wrong']

const Numbers = ({
  text,
  totals,
  day,
  mailFailedAt,
  lag,
}: { text: Translation } & Pick<AdminProps, 'totals' | 'day' | 'mailFailedAt' | 'lag'>) => {
  const { t, moment } = text
  const facts = [
    [t('admin.owners'), t('admin.number', { n: totals.owners })],
    [t('admin.clients'), t('admin.number', { n: totals.clients })],
    [t('admin.connections'), t('admin.number', { n: totals.connections })],
    [t('admin.requests'), t('admin.requests_text', { n: day.requests, failures: day.failures })],
    [
      t('admin.mail'),
      `${t('admin.mail_text', { n: day.mails, failed: day.mails_failed })}${
        mailFailedAt === undefined ? '' : ` ${t('admin.mail_failed_at', { at: moment({ at: mailFailedAt }) })}`
      }`,
    ],
    [
      t('admin.lag'),
      lag.owners === 0 || lag.since === undefined
        ? t('admin.lag_none')
        : t('admin.lag_text', { n: lag.owners, since: moment({ at: lag.since }) }),
    ],
  ] as const
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

const ClientRow = ({ text, csrf, client }: { text: Translation; csrf: string; client: AdminClient }) => {
  const { t, day, lang } = text
  const { progress } = client
  const verb = client.isBlocked ? 'unblock' : 'block'
  const party = { name: client.name, verified: client.known.by === 'statement' }
  return (
    <li class="row">
      <ServiceMark party={party} />
      <div>
        <span class="row-title">
          {client.name} <NotVerified lang={lang} party={party} />
        </span>
        {client.known.by === 'document' ? (
          <span class="row-meta">{t('admin.client_since', { date: day({ at: client.at }) })}</span>
        ) : (
          client.host !== undefined && <span class="row-meta">{client.host}</span>
        )}
        <span class="row-meta">{knownWords(lang, client.known)}</span>
        <span class="row-meta one-line">{client.id}</span>
        {client.isBlocked && progress !== undefined && (
          <span class="row-meta">
            {progress.done
              ? t('admin.block_done', { n: progress.owners })
              : t('admin.block_going', { done: progress.acknowledged, n: progress.owners })}
          </span>
        )}
      </div>
      <PostForm
        action={client.isBlocked ? paths.adminUnblock : paths.adminBlock}
        csrf={csrf}
        fields={{ client: client.id }}
        class="contents"
      >
        <button
          type="submit"
          class={client.isBlocked ? 'btn btn-s' : 'btn btn-s btn-stop'}
          aria-label={t(`admin.${verb}_name`, { name: client.name })}
        >
          {t(`admin.${verb}`)}
        </button>
      </PostForm>
    </li>
  )
}

const Clients = ({
  text,
  csrf,
  clients,
  blocked,
  wanted,
  found,
}: { text: Translation } & Pick<AdminProps, 'csrf' | 'clients' | 'blocked' | 'wanted' | 'found'>) => {
  const { t } = text
  return (
    <section class="stack-4" aria-labelledby="h-clients">
      <h2 id="h-clients">{t('admin.clients')}</h2>
      <p class="soft">{t('admin.clients_text')}</p>
      <form method="get" action={paths.admin} class="field">
        <label class="label" for="client">
          {t('admin.client_id')}
        </label>
        <input
          class="input"
          id="client"
          name="client"
          maxlength={2048}
          autocomplete="off"
          spellcheck={false}
          value={wanted}
          required
          aria-describedby="client-hint"
        />
        <p class="hint" id="client-hint">
          {t('admin.client_hint')}
        </p>
        <p>
          <button type="submit" class="btn">
            {t('admin.find')}
          </button>
        </p>
      </form>
      {wanted !== undefined && found === undefined && (
        <div role="status" class="stack-3">
          <p>{t('admin.client_none')}</p>
          {wanted.startsWith('https://') && (
            <PostForm action={paths.adminBlock} csrf={csrf} fields={{ client: wanted }}>
              <button type="submit" class="btn btn-stop">
                {t('admin.block_anyway')}
              </button>
            </PostForm>
          )}
        </div>
      )}
      {found !== undefined && (
        <ul class="card list">
          <ClientRow text={text} csrf={csrf} client={found} />
        </ul>
      )}
      {blocked.length > 0 && (
        <>
          <h3 id="h-blocked">{t('admin.blocked')}</h3>
          <ul class="card list" aria-labelledby="h-blocked">
            {blocked.map((client) => (
              <ClientRow text={text} csrf={csrf} client={client} />
            ))}
          </ul>
        </>
      )}
      {clients.length > 0 && (
        <>
          <h3 id="h-newest">{t('admin.newest')}</h3>
          <ul class="card list" aria-labelledby="h-newest">
            {clients.map((client) => (
              <ClientRow text={text} csrf={csrf} client={client} />
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

const Invitations = ({ text, csrf, invitations }: { text: Translation } & Pick<AdminProps, 'csrf' | 'invitations'>) => {
  const { t, day } = text
  if (invitations === undefined) {
    return (
      <section class="stack-4" aria-labelledby="h-invitations">
        <h2 id="h-invitations">{t('admin.invitations')}</h2>
        <p class="soft">{t('admin.invitations_off')}</p>
      </section>
    )
  }
  return (
    <section class="stack-4" aria-labelledby="h-invitations">
      <h2 id="h-invitations">{t('admin.invitations')}</h2>
      <p class="soft">{t('admin.invitations_text')}</p>
      <PostForm action={paths.adminInvite} csrf={csrf} class="field">
        <label class="label" for="address">
          {t('admin.address')}
        </label>
        <input class="input" id="address" name="address" type="email" inputmode="email" autocomplete="off" maxlength={320} required />
        <p>
          <button type="submit" class="btn">
            {t('admin.invite')}
          </button>
        </p>
      </PostForm>
      {invitations.length > 0 && (
        <ul class="card list" aria-labelledby="h-invitations">
          {invitations.map(({ id, at, state }) => (
            <li class="row">
              <Icon name={state === 'used' ? 'check' : 'mail'} />
              <div>
                <span class="row-title">{t('admin.invitation_of', { date: day({ at }) })}</span>
                <span class="row-meta">{t(`admin.invitation_${state}`)}</span>
              </div>
              <PostForm action={paths.adminRevoke} csrf={csrf} fields={{ invitation: id }} class="contents">
                <button type="submit" class="btn btn-s" aria-label={t('admin.revoke_name', { date: day({ at }) })}>
                  {t('admin.drop')}
                </button>
              </PostForm>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

const Keys = ({ text, csrf, keys }: { text: Translation } & Pick<AdminProps, 'csrf' | 'keys'>) => {
  const { t, day, moment } = text
  return (
    <section class="stack-3" aria-labelledby="h-keys">
      <h2 id="h-keys">{t('admin.keys')}</h2>
      <p>
        {keys.since === 0 ? t('admin.keys_old') : t('admin.keys_since', { date: day({ at: keys.since }) })}{' '}
        {keys.isComing ? t('admin.keys_coming', { at: moment({ at: keys.next }) }) : t('admin.keys_next', { date: day({ at: keys.next }) })}
      </p>
      <p class="soft">{t('admin.keys_text', { n: keys.kept })}</p>
      <PostForm action={paths.adminRotateKeys} csrf={csrf}>
        <button type="submit" class="btn">
          <Icon name="key" />
          {t('admin.rotate')}
        </button>
      </PostForm>
    </section>
  )
}

export const AdminPage = ({ page, csrf, notice, ...props }: AdminProps) => {
  const text = translate(page.lang)
  const { t } = text
  return (
    <WideFrame
      page={page}
      title={t('admin.title')}
      mainClass="page page-text"
      end={
        <PostForm action={paths.signOut} csrf={csrf} class="contents">
          <button type="submit" class="btn btn-quiet btn-s">
            {t('own.sign_out')}
          </button>
        </PostForm>
      }
    >
      <div class="stack-3">
        <h1>{t('admin.title')}</h1>
        <p class="soft">{t('admin.lead')}</p>
      </div>
      {notice !== undefined && (
        <div class="notice" role={WRONG.includes(notice) ? 'alert' : 'status'}>
          <Icon name={WRONG.includes(notice) ? 'alert' : 'check'} />
          <p>{t(`admin.notice_${notice}`)}</p>
        </div>
      )}
      <section class="stack-3" aria-labelledby="h-numbers">
        <h2 id="h-numbers">{t('admin.numbers')}</h2>
        <Numbers text={text} {...props} />
      </section>
      <Clients text={text} csrf={csrf} {...props} />
      <Issuers text={text} csrf={csrf} issuers={props.issuers} />
      <PlatformRules text={text} csrf={csrf} rules={props.rules} />
      <Invitations text={text} csrf={csrf} {...(props.invitations === undefined ? {} : { invitations: props.invitations })} />
      <Keys text={text} csrf={csrf} keys={props.keys} />
    </WideFrame>
  )
}
