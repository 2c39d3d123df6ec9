// The owner's account as a whole: take everything out, delete it. And the page after it was deleted.
import { FocusFrame, type PageContext } from './layout.tsx'
import { translate } from './messages.ts'
import { FieldError, PostForm } from './parts.tsx'
import { paths } from './paths.ts'

export type AccountProps = {
  page: PageContext
  csrf: string
  /** Deleting needs a sign-in of a short time ago. */
  isRecent: boolean
  /** The box was not ticked. */
  error?: 'unconfirmed' | undefined
}

export const AccountPage = ({ page, csrf, isRecent, error }: AccountProps) => {
  const { t } = translate(page.lang)
  return (
    <FocusFrame page={page} title={t('account.title')}>
      <div class="stack-2">
        <h1>{t('account.title')}</h1>
        <p class="soft">{t('account.take_text')}</p>
      </div>
      <a class="btn btn-wide" href={paths.takeOut} download>
        {t('account.take')}
      </a>
      <div class="stack-2">
        <h2>{t('account.delete')}</h2>
        <p class="soft">{t('account.delete_text')}</p>
      </div>
      {isRecent ? (
        <PostForm action={paths.accountDelete} csrf={csrf} class="stack-4">
          <div class="field">
            <label class="check">
              <input
                type="checkbox"
                name="confirmed"
                value="yes"
                required
                aria-invalid={error === undefined ? undefined : 'true'}
                aria-describedby={error === undefined ? undefined : 'confirm-error'}
              />
              <span>{t('account.confirm')}</span>
            </label>
            {error !== undefined && <FieldError id="confirm-error">{t('account.unconfirmed')}</FieldError>}
          </div>
          <button type="submit" class="btn btn-stop btn-wide">
            {t('account.delete_now')}
          </button>
        </PostForm>
      ) : (
        <a class="btn btn-wide" href={`${paths.signIn}?${new URLSearchParams({ again: '1', next: paths.account })}`}>
          {t('account.sign_in')}
        </a>
      )}
      <a class="link" href={paths.home}>
        {t('account.back')}
      </a>
    </FocusFrame>
  )
}

export const AccountDeletedPage = ({ page, isDone }: { page: PageContext; isDone: boolean }) => {
  const { t } = translate(page.lang)
  return (
    <FocusFrame page={page} title={t('account.deleted')}>
      <div class="stack-3">
        <h1>{t('account.deleted')}</h1>
        <p class="sentence sentence-s">{t(isDone ? 'account.deleted_text' : 'account.deleting_text')}</p>
      </div>
    </FocusFrame>
  )
}
