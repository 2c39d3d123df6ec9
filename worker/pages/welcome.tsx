// Shown once, after the first sign-in: the recovery code to keep, a passkey to add, and on.
import { FocusFrame, type PageContext } from './layout.tsx'
import { translate } from './messages.ts'
import { Icon } from './parts.tsx'
import { AddPasskey } from './passkey-part.tsx'

export type WelcomeProps = {
  page: PageContext
  csrf: string
  /** In groups, as it is to be written down. */
  recoveryCode: string
  /** Path of this server where the person goes on. */
  next: string
}

export const WelcomePage = ({ page, csrf, recoveryCode, next }: WelcomeProps) => {
  const { t } = translate(page.lang)
  return (
    <FocusFrame page={page} title={t('welcome.title')} scripts={['passkey.js', 'copy.js']}>
      <div class="stack-3">
        <h1>{t('welcome.title')}</h1>
        <p class="sentence sentence-s">{t('welcome.lead')}</p>
      </div>
      <div class="field" data-copy data-done={t('welcome.copied')} data-failed={t('welcome.copy_failed')}>
        <span class="label" id="recovery-label">
          {t('welcome.code')}
        </span>
        <output class="secret" aria-labelledby="recovery-label">
          {recoveryCode}
        </output>
        <div class="ends">
          <button class="btn btn-s" type="button" hidden>
            <Icon name="copy" small />
            {t('welcome.copy')}
          </button>
          <span class="hint status" role="status"></span>
        </div>
        <p class="hint">{t('welcome.hint')}</p>
      </div>
      <AddPasskey lang={page.lang} csrf={csrf} wide />
      <a class="btn btn-main btn-wide" href={next}>
        {t('welcome.continue')}
      </a>
    </FocusFrame>
  )
}
