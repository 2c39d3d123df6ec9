// The first page, for an owner who is signed in: services with Disconnect, things with their shares and Stop sharing. It shows the
// names it is given; names are readable on the owner's devices only, so it may be given none, and then asks for the recovery code.
import type { ClientKnown } from '../../shared/protocol/oauth.ts'
import { type PageContext, WideFrame } from './layout.tsx'
import { type Access, type Translation, translate } from './messages.ts'
import { FieldError, Icon, knownWords, PostForm, ServiceMark } from './parts.tsx'
import { AddPasskey } from './passkey-part.tsx'
import { paths } from './paths.ts'

export type HomeConnection = {
  id: string
  kind: 'service' | 'wallet'
  name: string
  host?: string | undefined
  known?: ClientKnown | undefined
  actsByItself?: boolean
  connectedAt: number
  lastUsedAt?: number | undefined
}

/** One share as it is enforced. `person` is left out when the name cannot be read here. */
export type HomeShare = Access & { id: string; person?: string | undefined; state: 'active' | 'not_yet' | 'over' }

/** `name` is left out when it cannot be read here. */
export type HomeThing = { id: string; name?: string | undefined; serviceName: string; shares: readonly HomeShare[] }

export type OwnHomeProps = {
  page: PageContext
  csrf: string
  /** The owner's own address, if the server may show it. */
  address?: string | undefined
  connections: readonly HomeConnection[]
  things: readonly HomeThing[]
  /** `locked`: names are left out and the recovery code opens them; `wrong`: the code just typed was not the right one. */
  names: 'readable' | 'locked' | 'wrong'
  /** How many passkeys the owner has; absent if nobody knows at the moment. */
  passkeys?: number
  /** What has just been done. */
  notice?: 'disconnected' | 'stopped' | 'unlocked' | undefined
  /** Seconds since 1970; the sentences say a year only if it is another one. */
  now: number
}

/** The sentence of one share, names in bold, and whether it is over. */
const shareSentence = (text: Translation, share: HomeShare, thing: string, now: number) => (
  <p class={share.state === 'over' ? 'soft' : undefined}>
    {text.sentence(share, now, { person: <strong>{share.person ?? text.t('word.somebody')}</strong>, thing: <strong>{thing}</strong> })}.
    {share.state === 'over' && ` ${text.t('share.over')}`}
  </p>
)

const Connection = ({ text, csrf, connection }: { text: Translation; csrf: string; connection: HomeConnection }) => {
  const { t, day } = text
  const date = day({ at: connection.connectedAt })
  return (
    <li class="row">
      <ServiceMark party={{ name: connection.name, verified: true }} />
      <div>
        <span class="row-title">
          {connection.name} {connection.kind === 'wallet' && <span class="badge">{t('word.wallet')}</span>}
          {connection.actsByItself === true && <span class="badge">{t('consent.standing')}</span>}
        </span>
        {connection.host !== undefined && <span class="row-meta">{connection.host}</span>}
        {connection.known !== undefined && <span class="row-meta">{knownWords(text.lang, connection.known)}</span>}
        <span class="row-meta">
          {connection.lastUsedAt === undefined
            ? t('own.connected', { date })
            : t('own.connected_used', { date, used: day({ at: connection.lastUsedAt }) })}
        </span>
      </div>
      <PostForm action={paths.disconnect} csrf={csrf} fields={{ connection: connection.id }} class="contents">
        <button type="submit" class="btn btn-s btn-stop" aria-label={t('own.disconnect_name', { name: connection.name })}>
          {t('own.disconnect')}
        </button>
      </PostForm>
    </li>
  )
}

const Thing = ({ text, csrf, thing, now }: { text: Translation; csrf: string; thing: HomeThing; now: number }) => {
  const { t } = text
  const name = thing.name ?? t('own.thing_at', { service: thing.serviceName })
  return (
    // UMA FedAuthz 3.2: where user_access_policy_uri of a resource leads.
    <li id={`thing-${thing.id}`}>
      <article class="card">
        <div class="row">
          <span class="thumb thumb-wait">
            <Icon name="file" />
          </span>
          <div>
            <h3 class="row-title">{name}</h3>
            <span class="row-meta">
              {thing.shares.length === 0 && t('own.only_you')}
              {thing.shares.length > 0 && thing.name !== undefined && t('own.at', { service: thing.serviceName })}
            </span>
          </div>
        </div>
        {thing.shares.length > 0 && (
          <ul class="list list-more">
            {thing.shares.map((share) => (
              <li class="row row-share">
                {shareSentence(text, share, name, now)}
                {share.state !== 'over' && (
                  <PostForm action={paths.stop} csrf={csrf} fields={{ share: share.id }} class="contents">
                    <button
                      type="submit"
                      class="btn btn-s btn-stop"
                      aria-label={t('own.stop_name', { thing: name, person: share.person ?? t('word.somebody') })}
                    >
                      {t('own.stop')}
                    </button>
                  </PostForm>
                )}
              </li>
            ))}
          </ul>
        )}
      </article>
    </li>
  )
}

const Empty = ({ icon, title, children }: { icon: string; title: string; children: string }) => (
  <div class="card empty">
    <Icon name={icon} />
    <p>
      <strong>{title}</strong>
    </p>
    <p class="soft">{children}</p>
  </div>
)

const Unlock = ({ text, csrf, wrong }: { text: Translation; csrf: string; wrong: boolean }) => {
  const { t } = text
  return (
    <section class="card card-body stack-4" aria-labelledby="h-names">
      <div class="stack-2">
        <h2 id="h-names">{t('own.locked')}</h2>
        <p class="soft">{t('own.locked_text')}</p>
      </div>
      <PostForm action={paths.unlock} csrf={csrf} class="stack-4">
        <div class="field">
          <label class="label" for="recovery">
            {t('own.recovery')}
          </label>
          <input
            class="input input-plain-code"
            id="recovery"
            name="recovery_code"
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            required
            aria-invalid={wrong ? 'true' : undefined}
            aria-describedby={wrong ? 'recovery-error' : undefined}
          />
          {wrong && <FieldError id="recovery-error">{t('own.recovery_wrong')}</FieldError>}
        </div>
        <p>
          <button type="submit" class="btn">
            {t('own.unlock')}
          </button>
        </p>
      </PostForm>
    </section>
  )
}

export const OwnHomePage = ({ page, csrf, address, connections, things, names, passkeys, notice, now }: OwnHomeProps) => {
  const text = translate(page.lang)
  const { t } = text
  const noWallet = connections.length > 0 && !connections.some(({ kind }) => kind === 'wallet')
  return (
    <WideFrame
      page={page}
      title={t('own.title')}
      mainClass="page page-text"
      scripts={['passkey.js']}
      end={
        <>
          {address !== undefined && <span class="soft small wide-only one-line">{address}</span>}
          <PostForm action={paths.signOut} csrf={csrf} class="contents">
            <button type="submit" class="btn btn-quiet btn-s">
              {t('own.sign_out')}
            </button>
          </PostForm>
        </>
      }
    >
      <div class="stack-3">
        <h1>{t('own.title')}</h1>
        <p class="soft">{t('own.lead')}</p>
      </div>
      {notice !== undefined && (
        <div class="notice" role="status">
          <Icon name="check" />
          <p>{t(`notice.${notice}`)}</p>
        </div>
      )}
      {names !== 'readable' && <Unlock text={text} csrf={csrf} wrong={names === 'wrong'} />}
      {connections.length + things.length > 0 && (
        <section class="stack-3" aria-labelledby="h-things">
          <h2 id="h-things">{t('own.things')}</h2>
          {things.length === 0 ? (
            <Empty icon="file" title={t('own.things_none')}>
              {t('own.things_none_text')}
            </Empty>
          ) : (
            <ul class="stack-3 cards">
              {things.map((thing) => (
                <Thing text={text} csrf={csrf} thing={thing} now={now} />
              ))}
            </ul>
          )}
        </section>
      )}
      <section class="stack-3" aria-labelledby="h-services">
        <h2 id="h-services">{t('own.services')}</h2>
        {connections.length === 0 ? (
          <Empty icon="plug" title={t('own.services_none')}>
            {t('own.services_none_text', { host: page.host })}
          </Empty>
        ) : (
          <ul class="card list">
            {connections.map((connection) => (
              <Connection text={text} csrf={csrf} connection={connection} />
            ))}
          </ul>
        )}
        {noWallet && <p class="hint">{t('own.no_wallet', { host: page.host })}</p>}
      </section>
      {passkeys !== undefined && (
        <section class="stack-3" aria-labelledby="h-passkeys">
          <h2 id="h-passkeys">{t('own.passkeys')}</h2>
          <p>{t(passkeys === 0 ? 'own.passkeys_none' : 'own.passkeys_some')}</p>
          <AddPasskey lang={page.lang} csrf={csrf} another={passkeys > 0} />
        </section>
      )}
      <p>
        <a class="link" href={paths.account}>
          {t('own.account')}
        </a>
      </p>
    </WideFrame>
  )
}
