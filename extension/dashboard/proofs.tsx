// "My proofs": addresses that this wallet can show, how often still, and where they were shown lately.
import type { Proof } from '../messages.ts'
import { hostOf } from '../origin.ts'
import { ask } from '../ui/ask.ts'
import { useAnswer, usePage } from '../ui/context.ts'
import { Avatar, Empty, ErrorText, Skeleton } from '../ui/parts.tsx'
import { shortly } from '../ui/time.ts'
import { plain } from '../ui/words.ts'

const ProofRow = ({ proof }: { proof: Proof }) => {
  const { texts, changed, toast } = usePage()
  const { t } = texts
  const email = plain(proof.email)
  const until = new Intl.DateTimeFormat(texts.locale, { day: 'numeric', month: 'long' }).format(new Date(proof.expires_at * 1000))
  const forget = async (): Promise<void> => {
    const done = await ask({ kind: 'forget', issuer: proof.issuer, email: proof.email })
    toast({ text: done.ok ? t('forgotten', { person: email }) : texts.error(done.code) })
    changed()
  }
  return (
    <li class="row">
      <Avatar name={proof.email} />
      <div>
        <span class="row-title">{email}</span>
        <span class="row-meta">
          {[t('proof_at', { host: hostOf(proof.issuer) }), texts.counted('proof_left', proof.left), t('proof_until', { date: until })].join(
            ' · ',
          )}
        </span>
      </div>
      <button
        class="btn btn-quiet btn-s btn-stop"
        type="button"
        aria-label={t('forget_label', { person: email })}
        onClick={() => void forget()}
      >
        {t('forget')}
      </button>
    </li>
  )
}

export const ProofsSection = () => {
  const { texts, now } = usePage()
  const { t } = texts
  const answer = useAnswer({ kind: 'proofs' })
  if (answer === undefined) return <Skeleton label={t('loading')} />
  if (!answer.ok) return <ErrorText code={answer.code} detail={answer.detail} />
  const { proofs, shown } = answer.value
  return (
    <>
      <div class="stack-2">
        <h1>{t('nav_proofs')}</h1>
        <p class="soft">{t('proofs_lead')}</p>
      </div>
      {proofs.length === 0 ? (
        <Empty icon="proof" title={t('empty_proofs')}>
          <p class="soft">{t('empty_proofs_text')}</p>
        </Empty>
      ) : (
        <ul class="card list">
          {proofs.map((proof) => (
            <ProofRow key={`${proof.issuer} ${proof.email}`} proof={proof} />
          ))}
        </ul>
      )}
      {shown.length > 0 && (
        <section class="stack-3" aria-labelledby="shown">
          <h2 id="shown">{t('shown_title')}</h2>
          <ul class="late">
            {shown.slice(0, 20).map((entry) => (
              <li key={`${entry.at} ${entry.email}`}>
                <span>
                  {texts.rich('shown_text', {
                    email: <strong>{plain(entry.email)}</strong>,
                    host: hostOf(entry.issuer),
                    app: <strong>{plain(entry.client_name)}</strong>,
                  })}
                </span>
                <span class="row-meta">{shortly(entry.at, now, texts)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}
