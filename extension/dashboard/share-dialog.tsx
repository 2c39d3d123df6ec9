// Sharing in three choices: with whom, what they can, until when. The sentence below is made by the same function as the one the server
// enforces, and it changes with every choice.
import { useState } from 'preact/hooks'
import type { SharedAccess } from '../../shared/policy-words.ts'
import type { WalletErrorCode } from '../errors.ts'
import type { Sharing, Thing } from '../messages.ts'
import { ask } from '../ui/ask.ts'
import { usePage } from '../ui/context.ts'
import { Dialog, ErrorText, Icon, Thumb } from '../ui/parts.tsx'
import type { Key } from '../ui/texts.ts'
import { timeZone } from '../ui/time.ts'
import { sentence, thingName } from '../ui/words.ts'
import { AlsoField, CanField, canChoices, scopesOf } from './share-can.tsx'
import { FromField, type Until, UntilField, untilOf } from './share-until.tsx'
import { type Recipient, Recipients, recipientOf } from './share-with.tsx'

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

  const choices = canChoices(thing)
  const scopes = scopesOf(thing, can, also)
  const time = untilOf(until, now)
  const names = recipients.map(({ name }) => name)

  /** Everybody it is for: the chips, and what still stands in the field. */
  const everyone = (): Recipient[] | string => {
    if (typed.trim() === '') return recipients.length === 0 ? t('share_to_nobody') : recipients
    const pending = recipientOf(typed, sharing.people, thing?.issuer)
    if (!pending) return t('share_bad_address', { text: typed.trim() })
    return recipients.some(({ key }) => key === pending.key) ? recipients : [...recipients, pending]
  }

  const send = async (to: Thing, whom: Recipient[], terms: Terms): Promise<void> => {
    setBusy(true)
    setTrouble(undefined)
    setTyped('')
    const left = await shareWithEach(to, whom, terms)
    setBusy(false)
    changed()
    if (left.failed !== undefined) {
      setRecipients(left.recipients)
      return setTrouble(left.failed)
    }
    toast({ text: t('shared_done', { thing: thingName(to, texts), person: texts.list(whom.map(({ name }) => name)) }) })
    onClose()
  }

  const submit = (event: Event): void => {
    event.preventDefault()
    const whom = everyone()
    if (isBusy) return
    if (!thing) setTrouble({ text: t('share_pick_thing') })
    else if (typeof whom === 'string') setTrouble({ text: whom })
    else if (time === undefined) setTrouble({ text: t('share_bad_dates') })
    else void send(thing, whom, { resource_scopes: scopes, ...time, time_zone: timeZone() })
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
      <form class="dialog-body stack-6" id="share-form" onSubmit={submit} noValidate>
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
        <CanField choices={choices} can={can} onCan={setCan} />
        <UntilField until={until} now={now} onChange={setUntil} />
        <details class="fold">
          <summary>
            <Icon name="chevron-right" small />
            {t('more_conditions')}
          </summary>
          <div class="fold-body stack-6">
            <AlsoField choices={choices} also={also} onAlso={setAlso} />
            <FromField until={until} onChange={setUntil} />
          </div>
        </details>
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
        <Outcome thing={thing} names={names} access={time && { resource_scopes: scopes, ...time }} />
        <div class="actions actions-end">
          <button class="btn btn-quiet" type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button class="btn btn-main" type="submit" form="share-form" disabled={isBusy}>
            {t('share')}
          </button>
        </div>
      </footer>
    </Dialog>
  )
}

/** What would be in force: said anew with every choice. */
const Outcome = ({ thing, names, access }: { thing: Thing | undefined; names: readonly string[]; access: SharedAccess | undefined }) => {
  const { texts, now } = usePage()
  const missing = (): Key => {
    if (thing === undefined) return 'share_pick_thing'
    return names.length === 0 ? 'share_to_nobody' : 'share_pick_day'
  }
  const bold = { person: <strong>{texts.list(names)}</strong>, thing: <strong>{thingName(thing, texts)}</strong> }
  return (
    <p aria-live="polite">
      {thing !== undefined && names.length > 0 && access !== undefined ? (
        <>{sentence(access, bold, texts, now)}.</>
      ) : (
        <span class="soft">{texts.t(missing())}</span>
      )}
    </p>
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
const shareWithEach = async (
  thing: Thing,
  recipients: readonly Recipient[],
  terms: Terms,
): Promise<{ recipients: Recipient[]; failed?: Trouble }> => {
  for (const [index, { person }] of recipients.entries()) {
    const answer = await ask({ kind: 'share', issuer: thing.issuer, request: { resource_id: thing.id, person, ...terms } })
    if (!answer.ok) return { recipients: recipients.slice(index), failed: { code: answer.code, detail: answer.detail } }
  }
  return { recipients: [] }
}
