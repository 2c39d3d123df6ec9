// Somebody said no, or left: nothing happened. With a way back if there is one.
import { FocusFrame, type PageContext } from './layout.tsx'
import { translate } from './messages.ts'

export type CancelledProps = {
  page: PageContext
  /** Where the person came from, if that is known and may be offered. */
  back?: { name: string; href: string } | undefined
}

export const CancelledPage = ({ page, back }: CancelledProps) => {
  const { t } = translate(page.lang)
  return (
    <FocusFrame page={page} title={t('cancelled.title')}>
      <div class="stack-3">
        <h1>{t('cancelled.title')}</h1>
        <p class="sentence sentence-s">{t('cancelled.text')}</p>
      </div>
      {back !== undefined && (
        <a class="btn btn-main btn-wide" href={back.href} rel="noreferrer">
          {t('cancelled.go', { name: back.name })}
        </a>
      )}
    </FocusFrame>
  )
}
