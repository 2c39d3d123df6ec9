// With whom: addresses as chips; a known person by name. Enter, comma or leaving the field makes a chip.
import { useRef, useState } from 'preact/hooks'
import type { PolicyRequest } from '../../shared/protocol/owner-api.ts'
import type { Person } from '../messages.ts'
import { useTexts } from '../ui/context.ts'
import { Avatar, Icon } from '../ui/parts.tsx'
import { plain } from '../ui/words.ts'

export type Recipient = { key: string; name: string; person: PolicyRequest['person'] }

const ADDRESS = /^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;.]+$/

/** An address, or the name or address of somebody known at this server; undefined when it is neither. */
export const recipientOf = (typed: string, people: readonly Person[], issuer: string | undefined): Recipient | undefined => {
  const text = plain(typed).trim().replace(/[,;]$/, '')
  const known = people.find(
    (person) =>
      person.issuer === issuer && [person.email, person.name].some((name) => name?.toLocaleLowerCase() === text.toLocaleLowerCase()),
  )
  if (known) return { key: known.email ?? known.id, name: known.email ?? known.name ?? known.id, person: { id: known.id } }
  return ADDRESS.test(text) ? { key: text.toLocaleLowerCase(), name: text, person: { email: text } } : undefined
}

type RecipientsProps = {
  recipients: readonly Recipient[]
  people: readonly Person[]
  issuer: string | undefined
  typed: string
  onTyped: (text: string) => void
  onChange: (recipients: Recipient[]) => void
}

export const Recipients = ({ recipients, people, issuer, typed, onTyped, onChange }: RecipientsProps) => {
  const { t } = useTexts()
  const field = useRef<HTMLInputElement>(null)
  const [isWrong, setWrong] = useState(false)
  const add = (): boolean => {
    const recipient = recipientOf(typed, people, issuer)
    setWrong(recipient === undefined && typed.trim() !== '')
    if (!recipient) return false
    if (!recipients.some(({ key }) => key === recipient.key)) onChange([...recipients, recipient])
    onTyped('')
    return true
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    // Enter adds a chip; with an empty field it submits the form, as everywhere.
    if ((event.key === 'Enter' && typed.trim() !== '') || event.key === ',' || event.key === ';') {
      event.preventDefault()
      add()
    }
    if (event.key === 'Backspace' && typed === '') onChange(recipients.slice(0, -1))
  }
  return (
    <div class="field">
      <label class="label" for="share-with">
        {t('share_with')}
      </label>
      <div class="input chosen">
        {recipients.map(({ key, name }) => (
          <span class="chip" key={key}>
            <Avatar name={name} size="s" />
            <span class="chip-text">{name}</span>
            <button
              type="button"
              aria-label={t('share_remove', { person: name })}
              onClick={() => {
                onChange(recipients.filter((other) => other.key !== key))
                field.current?.focus()
              }}
            >
              <Icon name="x" small />
            </button>
          </span>
        ))}
        <input
          ref={field}
          id="share-with"
          type="text"
          inputMode="email"
          autocomplete="off"
          autofocus
          list="share-people"
          value={typed}
          aria-describedby={isWrong ? 'share-with-error share-with-hint' : 'share-with-hint'}
          aria-invalid={isWrong}
          onInput={({ currentTarget }) => {
            setWrong(false)
            onTyped(currentTarget.value)
          }}
          onKeyDown={onKeyDown}
          onBlur={add}
        />
        <datalist id="share-people">
          {people
            .filter((person) => person.issuer === issuer)
            .map(({ id, email, name }) => (
              <option key={id} value={email ?? name ?? ''}>
                {name}
              </option>
            ))}
        </datalist>
      </div>
      {isWrong && (
        <p class="field-error" id="share-with-error" role="alert">
          <Icon name="alert" />
          <span>{t('share_bad_address', { text: typed.trim() })}</span>
        </p>
      )}
      <p class="hint" id="share-with-hint">
        {t('share_with_hint')}
      </p>
    </div>
  )
}
