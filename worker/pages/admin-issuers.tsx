// The part of the operators' page about who vouches for people: issuers that count for everybody, a form for one more, and one to block any.
import type { AdminProps } from './admin.tsx'
import type { Translation } from './messages.ts'
import { Icon, PostForm } from './parts.tsx'
import { paths } from './paths.ts'

export type AdminIssuer = {
  issuer: string
  /** What it may speak about. */
  about: readonly string[]
  /** Mail domains for whose addresses it counts; absent: any. */
  domains?: readonly string[]
  /** How many apps it knows by ids of its own. */
  apps: number
  /** Registered, or blocked for the first time; seconds since 1970. */
  at: number
  isBlocked: boolean
  progress?: { owners: number; acknowledged: number; done: boolean }
}

type Props = { text: Translation } & Pick<AdminProps, 'csrf'>

const IssuerRow = ({ text, csrf, issuer }: Props & { issuer: AdminIssuer }) => {
  const { t, day } = text
  const { progress } = issuer
  const verb = issuer.isBlocked ? 'unblock' : 'block'
  return (
    <li class="row">
      <Icon name={issuer.isBlocked ? 'x' : 'check'} />
      <div>
        <span class="row-title one-line">{issuer.issuer}</span>
        {issuer.about.length > 0 && (
          <span class="row-meta">
            {t('admin.issuer_about', { about: issuer.about.join(', '), domains: (issuer.domains ?? []).join(', ') || '*', n: issuer.apps })}
          </span>
        )}
        <span class="row-meta">{t('admin.client_since', { date: day({ at: issuer.at }) })}</span>
        {issuer.isBlocked && progress !== undefined && (
          <span class="row-meta">
            {progress.done
              ? t('admin.block_done', { n: progress.owners })
              : t('admin.block_going', { done: progress.acknowledged, n: progress.owners })}
          </span>
        )}
      </div>
      <PostForm
        action={issuer.isBlocked ? paths.adminUnblockIssuer : paths.adminBlockIssuer}
        csrf={csrf}
        fields={{ issuer: issuer.issuer }}
        class="contents"
      >
        <button
          type="submit"
          class={issuer.isBlocked ? 'btn btn-s' : 'btn btn-s btn-stop'}
          aria-label={t(`admin.${verb}_name`, { name: issuer.issuer })}
        >
          {t(`admin.${verb}`)}
        </button>
      </PostForm>
    </li>
  )
}

type FieldProps = { text: Translation; name: 'issuer' | 'keys' | 'about' | 'domains'; value?: string; required?: boolean }

const Field = ({ text, name, value, required = false }: FieldProps) => (
  <p class="field">
    <label class="label" for={`issuer-${name}`}>
      {text.t(`admin.issuer_field_${name}`)}
    </label>
    <input
      class="input"
      id={`issuer-${name}`}
      name={name}
      maxlength={2048}
      autocomplete="off"
      spellcheck={false}
      value={value}
      required={required}
    />
  </p>
)

export const Issuers = ({ text, csrf, issuers }: Props & Pick<AdminProps, 'issuers'>) => {
  const { t } = text
  return (
    <section class="stack-4" aria-labelledby="h-issuers">
      <h2 id="h-issuers">{t('admin.issuers')}</h2>
      <p class="soft">{t('admin.issuers_text')}</p>
      {issuers.length > 0 && (
        <ul class="card list" aria-labelledby="h-issuers">
          {issuers.map((issuer) => (
            <IssuerRow text={text} csrf={csrf} issuer={issuer} />
          ))}
        </ul>
      )}
      <details>
        <summary>{t('admin.issuer_add')}</summary>
        <PostForm action={paths.adminAddIssuer} csrf={csrf} class="stack-3">
          <Field text={text} name="issuer" required />
          <Field text={text} name="keys" />
          <Field text={text} name="about" value="email" required />
          <Field text={text} name="domains" />
          <p class="field">
            <label class="label" for="issuer-apps">
              {t('admin.issuer_field_apps')}
            </label>
            <textarea class="input" id="issuer-apps" name="apps" rows={3} spellcheck={false} />
          </p>
          <p>
            <button type="submit" class="btn">
              {t('admin.issuer_add')}
            </button>
          </p>
        </PostForm>
      </details>
      <details>
        <summary>{t('admin.issuer_block')}</summary>
        <PostForm action={paths.adminBlockIssuer} csrf={csrf} class="stack-3">
          <p class="field">
            <label class="label" for="issuer-blocked">
              {t('admin.issuer_field_issuer')}
            </label>
            <input class="input" id="issuer-blocked" name="issuer" maxlength={255} autocomplete="off" spellcheck={false} required />
          </p>
          <p>
            <button type="submit" class="btn btn-stop">
              {t('admin.block')}
            </button>
          </p>
        </PostForm>
      </details>
    </section>
  )
}
