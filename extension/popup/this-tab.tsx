// Does the page in this tab belong to a server that could ask this wallet for a proof? Opening the popup lets it look at this one tab
// (activeTab) and nothing else; nothing is sent anywhere before the person presses the button.

import { useEffect, useState } from 'preact/hooks'
import browser from 'webextension-polyfill'
import { isAllowedOrigin, patternOf } from '../origin.ts'
import { ask } from '../ui/ask.ts'
import { usePage } from '../ui/context.ts'
import { Icon, ServiceMark } from '../ui/parts.tsx'

type Tab = { id: number; origin: string; host: string }

/** Runs in the page: does it have a place for a wallet? The server's pages mark it, see worker/pages. */
const hasWalletPlace = (): boolean => document.querySelector('[data-wallet]') !== null

const currentTab = async (): Promise<Tab | undefined> => {
  const [tab] = await browser.tabs.query({ active: true, currentWindow: true })
  if (tab?.id === undefined || tab.url === undefined || !URL.canParse(tab.url)) return undefined
  const { origin, host } = new URL(tab.url)
  if (!isAllowedOrigin(origin)) return undefined
  const [place] = await browser.scripting.executeScript({ target: { tabId: tab.id }, func: hasWalletPlace })
  return place?.result === true ? { id: tab.id, origin, host } : undefined
}

/** Asks the browser, then approves. The background was told before, since this popup may close under the browser's question. */
const approve = async ({ id, origin }: Tab): Promise<boolean> => {
  void ask({ kind: 'approving', origin, tab_id: id })
  const isGranted = await browser.permissions.request({ origins: [patternOf(origin)] }).catch(() => false)
  if (!isGranted) return false
  const answer = await ask({ kind: 'approve', origin, tab_id: id })
  return answer.ok && answer.value.is_approved
}

export const ThisTab = ({ approved }: { approved: readonly string[] }) => {
  const { texts, changed } = usePage()
  const { t } = texts
  const [tab, setTab] = useState<Tab>()
  useEffect(() => {
    // A tab that may not be looked at (browser pages, the web store) is simply not offered.
    currentTab().then(setTab, () => undefined)
  }, [])
  if (!tab) return null
  const isReady = approved.includes(tab.origin)
  return (
    <section class="popup-part" aria-labelledby="this-tab">
      <h2 class="popup-title" id="this-tab">
        {t('in_this_tab')}
      </h2>
      <div class="ask">
        <ServiceMark name={tab.host} />
        <div class="stack-3">
          {isReady ? (
            <p class="sentence-s" role="status">
              {t('tab_ready', { host: tab.host })}
            </p>
          ) : (
            <>
              <p class="sentence-s">{texts.rich('tab_asks', { host: <strong>{tab.host}</strong> })}</p>
              <div class="actions">
                <button
                  class="btn btn-main btn-s"
                  type="button"
                  onClick={() => void approve(tab).then((isApproved) => isApproved && changed())}
                >
                  <Icon name="key" small />
                  {t('tab_use', { host: tab.host })}
                </button>
              </div>
              <p class="row-meta">{t('tab_next')}</p>
            </>
          )}
        </div>
      </div>
    </section>
  )
}
