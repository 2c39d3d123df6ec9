// The address is the guest's, but nothing is shared with it. Names neither the owner nor the item.
import type { ScopeNames } from '../../shared/policy-words.ts'
import { FocusFrame, type PageContext } from './layout.tsx'
import { translate } from './messages.ts'
import { CancelForm, FieldError, type Party, PostForm } from './parts.tsx'
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
  /** The owner lets people ask; `refused`: there are too many questions already. */
  ask?: { refused: boolean } | undefined
  scopes: readonly string[]
  /** What of it is shared with the address; of no use to this app, which takes all or nothing (POLICY 8a). */
  part?: readonly string[] | undefined
  /** What scopes that are addresses say of themselves. */
  scopeNames?: ScopeNames | undefined
}

export const NotSharedPage = ({ page, csrf, session, client, address, otherAddress, ask, scopes, part, scopeNames }: NotSharedProps) => {
  const { t, parts, actions } = translate(page.lang)
  const title = t(part === undefined ? 'denied.title' : 'denied.part_title')
  const sentence = () => {
    if (part !== undefined) return parts('denied.part', { client: <strong>{client.name}</strong>, actions: actions(part, scopeNames) })
    return address === undefined ? t('denied.text_wallet') : parts('denied.text', { address: <strong>{address}</strong> })
  }
  return (
    <FocusFrame page={page} title={title}>
      <div class="stack-3">
        <h1>{title}</h1>
        <p class="sentence sentence-s">{sentence()}</p>
      </div>
      {ask === undefined ? (
        <a class="btn btn-main btn-wide" href={otherAddress}>
          {t('denied.other')}
        </a>
      ) : (
        <PostForm action={claimsPaths(session).ask} csrf={csrf} class="stack-4">
          <div class="field">
            <label class="label" for="note">
              {t('ask.line')} <span class="soft regular">{t('ask.optional')}</span>
            </label>
            <textarea class="input" id="note" name="note" rows={2} maxlength={280} aria-describedby="note-hint"></textarea>
          </div>
          <p class="hint" id="note-hint">
            {t('ask.hint', { actions: actions(scopes, scopeNames), client: client.name })}
          </p>
          {ask.refused && <FieldError id="ask-error">{t('ask.too_many')}</FieldError>}
          <div class="stack-3">
            <button type="submit" class="btn btn-main btn-wide">
              {t('ask.send')}
            </button>
            <a class="btn btn-wide" href={otherAddress}>
              {t('denied.other')}
            </a>
          </div>
        </PostForm>
      )}
      <CancelForm lang={page.lang} action={claimsPaths(session).cancel} csrf={csrf} host={client.host} />
    </FocusFrame>
  )
}
