// May people with whom nothing is shared ask? A choice at each server.
import type { AskingAt } from '../messages.ts'
import { ask } from '../ui/ask.ts'
import { useAnswer, usePage } from '../ui/context.ts'

export const AskingField = () => {
  const { texts, changed, toast } = usePage()
  const { t } = texts
  const answer = useAnswer({ kind: 'asking' })
  const servers = answer?.ok ? answer.value.servers : []
  const choose = async ({ issuer }: AskingAt, lets_people_ask: boolean): Promise<void> => {
    const done = await ask({ kind: 'let-ask', issuer, lets_people_ask })
    if (!done.ok) toast({ text: texts.error(done.code) })
    changed()
  }
  if (servers.length === 0) return null
  return (
    <section class="stack-3" aria-labelledby="asking">
      <div class="stack-1">
        <h2 id="asking">{t('asking_title')}</h2>
        <p class="soft small">{t('asking_text')}</p>
      </div>
      {servers.map((server) => (
        <label class="check" key={server.issuer}>
          <input
            type="checkbox"
            checked={server.lets_people_ask}
            onChange={({ currentTarget }) => void choose(server, currentTarget.checked)}
          />
          <span>{t('asking_at', { host: server.host })}</span>
        </label>
      ))}
    </section>
  )
}
