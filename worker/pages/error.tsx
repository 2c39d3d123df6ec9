// Every page for what went wrong: a sentence, the next step as a button, and the rest behind "Technical details".
import { FocusFrame, type PageContext } from './layout.tsx'
import { type Moment, type PlainKey, translate } from './messages.ts'
import { Icon } from './parts.tsx'
import { paths } from './paths.ts'

/** Each kind has a heading and a sentence in the message files. */
export type ErrorKind =
  | 'bad_request'
  | 'bad_link'
  | 'used_link'
  | 'expired'
  | 'not_found'
  | 'signed_out'
  | 'too_many'
  | 'unavailable'
  | 'unknown_app'
  | 'registration_closed'
  | 'unexpected'

export type ErrorProps = {
  page: PageContext
  kind: ErrorKind
  /** What a person can tell the operator. */
  requestId: string
  at?: Moment | undefined
  /** As on the wire, e.g. `invalid_request`. */
  code: string
  description?: string | undefined
  /** Where it starts again: the app that the person came from. */
  restart?: { name: string; href: string } | undefined
  /** Seconds after which it may go better, as Retry-After says; of `too_many`. */
  wait?: number | undefined
  /** Path to try again, for what may have been an accident. */
  again?: string | undefined
}

/** The one thing to do: back to the app, once more, sign in, or the start page. */
const nextStep = ({ kind, restart, again }: ErrorProps): { href: string; key: PlainKey } | { href: string; name: string } => {
  if (restart !== undefined) return restart
  if (again !== undefined) return { href: again, key: 'error.next_again' }
  if (kind === 'signed_out') return { href: paths.signIn, key: 'error.next_sign_in' }
  return { href: paths.home, key: 'error.next_home' }
}

export const ErrorPage = (props: ErrorProps) => {
  const { page, kind, requestId, at, code, description, wait = 60 } = props
  const { t, moment, soon } = translate(page.lang)
  const next = nextStep(props)
  return (
    <FocusFrame page={page} title={t(`error.${kind}.title`)}>
      <div class="stack-3">
        <h1>{t(`error.${kind}.title`)}</h1>
        <p class="sentence sentence-s">{kind === 'too_many' ? t('error.too_many.text', { wait: soon(wait) }) : t(`error.${kind}.text`)}</p>
      </div>
      <a class="btn btn-main btn-wide" href={next.href} rel="noreferrer">
        {'key' in next ? t(next.key) : t('error.next_restart', { name: next.name })}
      </a>
      <details class="fold">
        <summary>
          <Icon name="chevron-right" small />
          {t('error.details')}
        </summary>
        <dl class="facts facts-side fold-body">
          <div>
            <dt>{t('error.number')}</dt>
            <dd>
              <code>{requestId}</code>
              <span class="fact-note">{t('error.number_note')}</span>
            </dd>
          </div>
          {at !== undefined && (
            <div>
              <dt>{t('error.when')}</dt>
              <dd class="tabular">{moment(at)}</dd>
            </div>
          )}
          <div>
            <dt>{t('error.code')}</dt>
            <dd>
              <code>{code}</code>
            </dd>
          </div>
          {description !== undefined && (
            <div>
              <dt>{t('error.description')}</dt>
              <dd>{description}</dd>
            </div>
          )}
        </dl>
      </details>
    </FocusFrame>
  )
}
