// What a person must know about servers before reading a list: who did not answer, who ended the connection, whose names are closed.

import type { ServerTrouble } from '../messages.ts'
import { hostOf } from '../origin.ts'
import { useAnswer, useTexts } from '../ui/context.ts'
import { Notice } from '../ui/parts.tsx'

export const Troubles = ({ trouble }: { trouble: readonly ServerTrouble[] }) => {
  const { t } = useTexts()
  const wallet = useAnswer({ kind: 'wallet' })
  const closed = wallet?.ok ? wallet.value.servers.filter(({ names, state }) => names === 'closed' && state === 'connected') : []
  const again = (host: string, issuer: string) => (
    <a class="link-act" href={`#/connect/${encodeURIComponent(issuer)}`} aria-label={`${t('connect_again')}: ${host}`}>
      {t('connect_again')}
    </a>
  )
  return (
    <>
      {trouble.map(({ issuer, code }) => (
        <Notice key={issuer}>
          <p>{t(code === 'ended' ? 'server_ended' : 'server_trouble', { host: hostOf(issuer) })}</p>
          {code === 'ended' && again(hostOf(issuer), issuer)}
        </Notice>
      ))}
      {closed.map(({ issuer, host }) => (
        <Notice key={issuer} icon="key">
          <p>{t('names_closed', { host })}</p>
          {again(host, issuer)}
        </Notice>
      ))}
    </>
  )
}
