// Small parts that several pages share: icons, names of parties, facts, forms around one button.
import type { Child } from 'hono/jsx'
import type { ClientKnown } from '../../shared/protocol/oauth.ts'
import { Icon } from './icons.tsx'
import { type Language, translate } from './messages.ts'

/** An app or a service as it registered itself: the name is its own word, the host is where it really is. */
export type Party = {
  name: string
  /** Where a person goes on to, or where answers go: host of its redirect or base address. */
  host: string
  /** Somebody vouches for the name. Left out: nobody does, and the page says so. */
  verified?: boolean | undefined
  /** How the server came to know it. */
  known?: ClientKnown | undefined
}

export { Icon, Logo } from './icons.tsx'

const initial = (name: string): string => Array.from(name.trim())[0]?.toUpperCase() ?? '?'

/** A service is a square with its first letter; dashed while nobody vouches for it. */
export const ServiceMark = ({ party, large }: { party: Pick<Party, 'name' | 'verified'>; large?: boolean }) => (
  <span class={`service${large === true ? ' service-l' : ''}${party.verified === true ? '' : ' service-unknown'}`} aria-hidden="true">
    {initial(party.name)}
  </span>
)

/** A person is round. */
export const Avatar = ({ name, small }: { name: string; small?: boolean }) => (
  <span class={small === true ? 'avatar avatar-s p4' : 'avatar p4'} aria-hidden="true">
    {initial(name)}
  </span>
)

export const NotVerified = ({ lang, party }: { lang: Language; party: Pick<Party, 'verified'> }) =>
  party.verified === true ? null : <span class="badge badge-dashed">{translate(lang).t('word.not_verified')}</span>

/** The name in bold, with the badge unless somebody vouches for it. */
export const PartyName = ({ lang, party }: { lang: Language; party: Party }) =>
  party.verified === true ? (
    <strong>{party.name}</strong>
  ) : (
    <>
      <strong>{party.name}</strong> <NotVerified lang={lang} party={party} />
    </>
  )

/** What the server knows of a client, in one or two sentences (SPECS S0-6). */
export const knownWords = (lang: Language, { by, since = 0, host = '', issuer = '', uri }: ClientKnown): string => {
  const { t, day } = translate(lang)
  const date = day({ at: since })
  const how = {
    push: () => t('known.push', { date }),
    document: () => t('known.document', { host }),
    statement: () => t('known.statement', { issuer, date }),
  }
  return uri === undefined ? how[by]() : `${how[by]()} ${t('known.uri', { uri })}`
}

/** The same as a fact among others; nothing if the server says nothing. */
export const KnownFact = ({ lang, party }: { lang: Language; party: Party }) =>
  party.known === undefined ? null : (
    <Fact name={translate(lang).t('known.title', { client: party.name })}>{knownWords(lang, party.known)}</Fact>
  )

/** One of the facts above a yes-button: name, value, and a softer remark. */
export const Fact = ({ name, note, children }: { name: string; note?: string | undefined; children: Child }) => (
  <div>
    <dt>{name}</dt>
    <dd>
      {children}
      {note !== undefined && <span class="fact-note">{note}</span>}
    </dd>
  </div>
)

/** A form that posts. Works without scripts; `csrf` and the other fields travel hidden. */
export const PostForm = ({
  action,
  csrf,
  fields = {},
  class: className,
  children,
}: {
  action: string
  csrf: string
  fields?: Record<string, string | undefined> | undefined
  class?: string
  children: Child
}) => (
  <form method="post" action={action} class={className}>
    <input type="hidden" name="csrf" value={csrf} />
    {Object.entries(fields).map(([name, value]) => value !== undefined && <input type="hidden" name={name} value={value} />)}
    {children}
  </form>
)

/** UMA Grant 3.3.3: leave to skip the question. Never ticked by us; `checked` is what the person ticked a moment ago. */
export type SkipProps = { name: string; client: string; checked?: boolean | undefined }
export const SkipBox = ({ lang, skip }: { lang: Language; skip: SkipProps }) => (
  <label class="check">
    <input type="checkbox" name={skip.name} checked={skip.checked === true} />
    <span>
      {translate(lang).t('skip.label', { client: skip.client })}
      <span class="check-note">{translate(lang).t('skip.note')}</span>
    </span>
  </label>
)

/** The sentence below a field that was not right. Its field points to it with aria-describedby. */
export const FieldError = ({ id, children }: { id: string; children: Child }) => (
  <p class="field-error" id={id} role="alert">
    <Icon name="alert" small />
    {children}
  </p>
)

/** The field for an e-mail address, with what was typed before and what was wrong with it. `hint` stands below it. */
export const AddressField = ({
  lang,
  label,
  address,
  error,
  hint,
  placeholder,
}: {
  lang: Language
  label: string
  address?: string | undefined
  error?: 'wrong' | 'mail_failed' | undefined
  hint?: string
  placeholder?: string
}) => {
  const described = [error !== undefined && 'address-error', hint !== undefined && 'address-hint'].filter((id) => id !== false)
  return (
    <div class="field">
      <label class="label" for="address">
        {label}
      </label>
      <input
        class="input"
        id="address"
        name="address"
        type="email"
        autocomplete="email"
        inputmode="email"
        maxlength={320}
        placeholder={placeholder}
        value={address}
        required
        aria-invalid={error === undefined ? undefined : 'true'}
        aria-describedby={described.length === 0 ? undefined : described.join(' ')}
      />
      {error !== undefined && <FieldError id="address-error">{translate(lang).t(`address.${error}`)}</FieldError>}
      {hint !== undefined && (
        <p class="hint" id="address-hint">
          {hint}
        </p>
      )}
    </div>
  )
}

/** Where the journey goes on to: the app's mark, its host, and whether anybody vouches for its name. */
export const GoingTo = ({ lang, client }: { lang: Language; client: Party }) => (
  <div class="going">
    <ServiceMark party={client} />
    <p>
      <span class="row-meta">{translate(lang).t('done.next')}</span>
      <span class="row-title">{client.host}</span>
    </p>
    <NotVerified lang={lang} party={client} />
  </div>
)

/** A form that looks like a link: cancel, and go back to the app. */
export const CancelForm = ({ lang, action, csrf, host }: { lang: Language; action: string; csrf: string; host: string }) => (
  <PostForm action={action} csrf={csrf} class="small">
    <button type="submit" class="link-act">
      {translate(lang).t('claims.cancel', { host })}
    </button>
  </PostForm>
)
