// The address is the guest's, but nothing is shared with it. Names neither the owner nor the item.
import { FocusFrame, type PageContext } from './layout.tsx'
import { translate } from './messages.ts'
import { CancelForm, type Party } from './parts.tsx'
import { claimsPaths } from './paths.ts'

export type NotSharedProps = {
  page: PageContext
  csrf: string
  session: string
  client: Party
  /** The address that was typed; left out when it came from a wallet. */
  address?: string | undefined
  /** Where another address is typed. */
  otherAddress: string
}

export const NotSharedPage = ({ page, csrf, session, client, address, otherAddress }: NotSharedProps) => {
  const { t, parts } = translate(page.lang)
  return (
    <FocusFrame page={page} title={t('denied.title')}>
      <div class="stack-3">
        <h1>{t('denied.title')}</h1>
        <p class="sentence sentence-s">
          {address === undefined ? t('denied.text_wallet') : parts('denied.text', { address: <strong>{address}</strong> })}
        </p>
      </div>
      <a class="btn btn-main btn-wide" href={otherAddress}>
        {t('denied.other')}
      </a>
      <CancelForm lang={page.lang} action={claimsPaths(session).cancel} csrf={csrf} host={client.host} />
    </FocusFrame>
  )
}
