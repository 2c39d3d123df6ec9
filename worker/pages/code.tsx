// Type the code from the mail: the second step of signing in and of showing an address. Works without scripts.
import { FocusFrame, type PageContext } from './layout.tsx'
import { translate } from './messages.ts'
import { FieldError, PostForm, SkipBox, type SkipProps } from './parts.tsx'

export type CodeProps = {
  page: PageContext
  csrf: string
  /** The address that the code went to, in full: the person typed it a moment ago. */
  address: string
  /** How long a code is good. */
  minutes: number
  /** Takes `csrf, code` and the `fields`. */
  action: string
  /** Takes `csrf, address` and the `fields`; mails a new code. */
  resendAction: string
  /** Where the address is typed anew. */
  otherAddress: string
  /** Hidden fields of both forms, e.g. `next`. */
  fields?: Record<string, string | undefined> | undefined
  error?: 'wrong' | 'expired' | undefined
  /** The box with which an app may skip this from now on; left out where there is no app. */
  skip?: SkipProps | undefined
  /** A new code has just been mailed. */
  resent?: boolean | undefined
}

export const CodePage = ({ page, csrf, address, minutes, action, resendAction, otherAddress, fields, error, skip, resent }: CodeProps) => {
  const { t, parts } = translate(page.lang)
  return (
    <FocusFrame page={page} title={t('code.title')}>
      <div class="stack-3">
        <h1>{t('code.title')}</h1>
        <p role={resent === true ? 'status' : undefined}>
          {parts('code.sent', { address: <strong>{address}</strong> })} {resent === true && t('code.resent')}
        </p>
      </div>
      <PostForm action={action} csrf={csrf} fields={fields} class="stack-6">
        <div class="field">
          <label class="label" for="code">
            {t('code.label')}
          </label>
          <input
            class="input input-code"
            id="code"
            name="code"
            inputmode="numeric"
            autocomplete="one-time-code"
            maxlength={7}
            pattern="[0-9 ]*"
            required
            aria-invalid={error === undefined ? undefined : 'true'}
            aria-describedby={error === undefined ? 'code-hint' : 'code-error code-hint'}
          />
          {error !== undefined && <FieldError id="code-error">{t(`code.${error}`)}</FieldError>}
          <p class="hint" id="code-hint">
            {t('code.hint', { minutes })}
          </p>
        </div>
        {skip !== undefined && <SkipBox lang={page.lang} skip={skip} />}
        <button type="submit" class="btn btn-main btn-wide">
          {t('word.continue')}
        </button>
      </PostForm>
      <div class="ends">
        <PostForm action={resendAction} csrf={csrf} fields={{ ...fields, address }}>
          <button type="submit" class="link-act">
            {t('code.again')}
          </button>
        </PostForm>
        <a class="link-act" href={otherAddress}>
          {t('code.other')}
        </a>
      </div>
    </FocusFrame>
  )
}
