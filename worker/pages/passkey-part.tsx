// The parts that client/passkey.ts works on. Both stay hidden until the script has seen that this browser knows passkeys; the
// sentences for what may go wrong travel in data attributes, so that all texts stay in the message files.
import { type Language, translate } from './messages.ts'
import { Icon } from './parts.tsx'
import { paths } from './paths.ts'

/** Sign in with a passkey. `next` is handed back to the server with the answer. */
export const SignInWithPasskey = ({ lang, csrf, next }: { lang: Language; csrf: string; next?: string | undefined }) => {
  const { t } = translate(lang)
  return (
    <div
      class="stack-4"
      hidden
      data-passkey="sign-in"
      data-options={paths.signInPasskeyOptions}
      data-finish={paths.signInPasskey}
      data-csrf={csrf}
      data-next={next}
      data-cancelled={t('sign_in.passkey_cancelled')}
      data-failed={t('sign_in.passkey_failed')}
    >
      <button class="btn btn-main btn-wide" type="button">
        <Icon name="key" />
        {t('sign_in.passkey')}
      </button>
      <p class="hint status" role="status"></p>
      <p class="or">{t('word.or')}</p>
    </div>
  )
}

/** Add a passkey for the owner who is signed in. `wide`: inside a card, with a line on what it is good for. */
export const AddPasskey = ({ lang, csrf, another, wide }: { lang: Language; csrf: string; another?: boolean; wide?: boolean }) => {
  const { t } = translate(lang)
  return (
    <div
      class="stack-3"
      hidden
      data-passkey="register"
      data-options={paths.passkeyOptions}
      data-finish={paths.passkeys}
      data-csrf={csrf}
      data-done={t('passkey.added')}
      data-cancelled={t('passkey.add_cancelled')}
      data-failed={t('passkey.add_failed')}
    >
      <p>
        <button class={wide === true ? 'btn btn-wide' : 'btn'} type="button">
          <Icon name="key" />
          {t(another === true ? 'passkey.another' : 'passkey.add')}
        </button>
      </p>
      {wide === true && <p class="hint">{t('welcome.passkey_text')}</p>}
      <p class="hint status" role="status"></p>
    </div>
  )
}
