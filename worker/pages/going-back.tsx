// The page between this server and an app: it leaves by itself, and a link does where that is switched off. Not a form and not a
// redirect answered to a form: `form-action 'self'` forbids a form's way to another origin, redirects included.
import { FocusFrame, type PageContext } from './layout.tsx'
import { translate } from './messages.ts'
import { GoingTo, Icon, type Party } from './parts.tsx'

export type GoingBackProps = {
  page: PageContext
  client: Party
  /** The complete address, parameters included. The caller has checked that the app registered it. */
  url: string
}

export const GoingBackPage = ({ page, client, url }: GoingBackProps) => {
  const { t } = translate(page.lang)
  const title = t('back.title', { name: client.name })
  return (
    <FocusFrame page={page} title={title} refreshTo={url}>
      <div class="stack-3">
        <h1>{title}</h1>
        <p class="sentence sentence-s">{t('back.text')}</p>
      </div>
      <GoingTo lang={page.lang} client={client} />
      <a class="btn btn-main btn-wide" href={url} rel="noreferrer">
        {t('back.go', { host: client.host })}
        <Icon name="arrow-right" />
      </a>
    </FocusFrame>
  )
}
