// Sentences for client/claims.ts, carried in data attributes so that all texts stay in the message files.
import { type Language, translate } from './messages.ts'

/** What the script says while and after the wallet is asked to show a proof. */
export const walletTexts = (lang: Language) => {
  const { t } = translate(lang)
  return {
    'data-wait': t('wallet.wait'),
    'data-declined': t('wallet.declined'),
    'data-no-proof': t('wallet.no_proof'),
    'data-refused': t('wallet.refused'),
    'data-failed': t('wallet.error'),
  }
}

/** What the script says while and after the wallet is asked to keep a proof. */
export const keepTexts = (lang: Language) => {
  const { t } = translate(lang)
  return {
    'data-wait': t('wallet.wait'),
    'data-done': t('done.kept'),
    'data-declined': t('done.keep_declined'),
    'data-failed': t('done.keep_failed'),
  }
}
