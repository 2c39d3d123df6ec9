// Sign in: a passkey first, a code by mail second. Without scripts only the second is there.
import { FocusFrame, type PageContext } from './layout.tsx'
import { translate } from './messages.ts'
import { AddressField, PostForm } from './parts.tsx'
import { SignInWithPasskey } from './passkey-part.tsx'
import { paths } from './paths.ts'

export type SignInProps = {
  page: PageContext
  csrf: string
  /** Where to go afterwards: an opaque value or a path of this server; posted back as field `next`. */
  next?: string | undefined
  /** Name of the app or service that waits to be connected. */
  connecting?: string | undefined
  /** What was typed before. */
  address?: string | undefined
  error?: 'wrong' | 'mail_failed' | undefined
}

export const SignInPage = ({ page, csrf, next, connecting, address, error }: SignInProps) => {
  const { t, parts } = translate(page.lang)
  return (
    <FocusFrame page={page} title={t('sign_in.title')} scripts={['passkey.js']}>
      <div class="stack-2">
        <h1>{t('sign_in.title')}</h1>
        <p class="soft">
          {connecting === undefined ? t('sign_in.lead') : parts('sign_in.connecting', { client: <strong>{connecting}</strong> })}
        </p>
      </div>
      <SignInWithPasskey lang={page.lang} csrf={csrf} next={next} />
      <PostForm action={paths.signIn} csrf={csrf} fields={{ next }} class="stack-4">
        <AddressField
          lang={page.lang}
          label={t('sign_in.address')}
          placeholder={t('sign_in.placeholder')}
          address={address}
          error={error}
        />
        <button type="submit" class="btn btn-wide">
          {t('sign_in.send')}
        </button>
        <p class="hint">{t('sign_in.hint')}</p>
      </PostForm>
    </FocusFrame>
  )
}
