// Sharing in three choices: with whom, what they can, until when. The sentence below is made by the same function as the one the server
// enforces, and it changes with every choice.
import { useState } from 'preact/hooks'
import type { WalletErrorCode } from '../errors.ts'
import type { Sharing, Thing } from '../messages.ts'
import { ask } from '../ui/ask.ts'
import { usePage } from '../ui/context.ts'
import { Dialog, ErrorText, Icon, Thumb } from '../ui/parts.tsx'
import { timeZone } from '../ui/time.ts'
import { sentence, thingName } from '../ui/words.ts'
import { canChoices, scopesOf, ScopesField } from './share-can.tsx'
import { Recipients, type Recipient, recipientOf } from './share-with.tsx'
import { type Until, UntilField, untilOf } from './share-until.tsx'

type Trouble = { code: WalletErrorCode; detail?: string | undefined } | { text: string }

export const ShareDialog = ({ sharing, thingId, onClose }: { sharing: Sharing; thingId: string | undefined; onClose: () => void }) => {
  const { texts, now, changed, toast } = usePage()
  const { t } = texts
  const [chosenId, setChosenId] = useState(thingId ?? '')
  const thing = sharing.things.find(({ id }) => id === chosenId)
  const [recipients, setRecipients] = useState<Recipient[]>([])
  const [typed, setTyped] = useState('')
  const [can, setCan] = useState(0)
  const [also, setAlso] = useState<string[]>([])
  const [until, setUntil] = useState<Until>({ preset: 'friday', date: '', from: '' })
  const [trouble, setTrouble] = useState<Trouble>()
  const [isBusy, setBusy] = useState(false)

  const scopes = scopesOf(thing, can, also)
  const time = untilOf(until, now)
  const names = recipients.map(({ name }) => name)

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    const pending = typed.trim() === '' ? undefined : recipientOf(typed, sharing.people, thing?.issuer)
    if (typed.trim() !== '' && !pending) return setTrouble({ text: t('share_bad_address', { text: typed.trim() }) })
    const everyone = pending && !recipients.some(({ key }) => key === pending.key) ? [...recipients, pending] : recipients
    if (!thing) return setTrouble({ text: t('share_pick_thing') })
    if (everyone.length === 0) return setTrouble({ text: t('share_to_nobody') })
    if (time === undefined) return setTrouble({ text: t('share_bad_dates') })
    setBusy(true)
    setTrouble(undefined)
    setTyped('')
    const left = await shareWithEach(thing, everyone, { resource_scopes: scopes, ...time, time_zone: timeZone() })
    setBusy(false)
    changed()
    if (left.failed === undefined) {
      toast({ text: t('shared_done', { thing: thingName(thing, texts), person: texts.list(everyone.map(({ name }) => name)) }) })
      onClose()
    } else {
      setRecipients(left.recipients)
      setTrouble(left.failed)
    }
  }

  return (
    <Dialog labelledBy="share-title" onClose={onClose}>
      <header class="dialog-head">
        <Thumb name={thing?.name} />
        <h2 class="one-line" id="share-title">
          {thing === undefined ? t('share_something') : t('share_thing', { thing: thingName(thing, texts) })}
        </h2>
        <button class="btn btn-quiet btn-icon" type="button" aria-label={t('close')} onClick={onClose}>
          <Icon name="x" />
        </button>
      </header>
      <form class="dialog-body stack-6" id="share-form" onSubmit={(event) => void submit(event)} noValidate>
        {thingId === undefined && <ThingField things={sharing.things} chosen={chosenId} onChoose={setChosenId} />}
        <Recipients
          recipients={recipients}
          people={sharing.people}
          issuer={thing?.issuer}
          typed={typed}
          onTyped={setTyped}
          onChange={(next) => {
            setRecipients(next)
            setTrouble(undefined)
          }}
        />
        <ScopesField choices={canChoices(thing)} can={can} onCan={setCan} also={also} onAlso={setAlso} />
        <UntilField until={until} now={now} onChange={setUntil} />
        {trouble !== undefined &&
          ('text' in trouble ? (
            <p class="field-error" role="alert">
              <Icon name="alert" />
              <span>{trouble.text}</span>
            </p>
          ) : (
            <ErrorText code={trouble.code} detail={trouble.detail} />
          ))}
      </form>
      <footer class="dialog-foot">
        <p aria-live="polite">
          {recipients.length === 0 || thing === undefined ? (
            <span class="soft">{t(thing === undefined ? 'share_pick_thing' : 'share_to_nobody')}</span>
          ) : (
            <>
              {sentence(
                { resource_scopes: scopes, ...time },
                { person: <strong>{texts.list(names)}</strong>, thing: <strong>{thingName(thing, texts)}</strong> },
                texts,
                now,
              )}
              .
            </>
          )}
        </p>
        <div class="actions actions-end">
          <button class="btn btn-quiet" type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button class="btn btn-main" form="share-form" disabled={isBusy}>
            {t('share')}
          </button>
        </div>
      </footer>
    </Dialog>
  )
}

const ThingField = ({ things, chosen, onChoose }: { things: readonly Thing[]; chosen: string; onChoose: (id: string) => void }) => {
  const { texts } = usePage()
  return (
    <div class="field">
      <label class="label" for="share-what">
        {texts.t('share_what')}
      </label>
      <select class="input" id="share-what" value={chosen} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        <option value="">{texts.t('share_choose')}</option>
        {things.map((thing) => (
          <option key={thing.id} value={thing.id}>
            {thingName(thing, texts)}
          </option>
        ))}
      </select>
    </div>
  )
}

type Terms = { resource_scopes: string[]; from?: number; until?: number; time_zone: string }

/** One share per recipient. Stops at the first refusal and says who is still to be served. */
const shareWithEach = async (thing: Thing, recipients: readonly Recipient[], terms: Terms): Promise<{ recipients: Recipient[]; failed?: Trouble }> => {
  for (const [index, { person }] of recipients.entries()) {
    const answer = await ask({ kind: 'share', issuer: thing.issuer, request: { resource_id: thing.id, person, ...terms } })
    if (!answer.ok) return { recipients: recipients.slice(index), failed: { code: answer.code, detail: answer.detail } }
  }
  return { recipients: [] }
}
