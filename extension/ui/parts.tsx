// Small pieces that all pages of the wallet use: icons, round people, paper things, square services, notices.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { WalletErrorCode } from '../errors.ts'
import { useTexts } from './context.ts'
import { plain } from './words.ts'

export type IconName =
  | 'activity'
  | 'alert'
  | 'arrow-left'
  | 'block'
  | 'check'
  | 'chevron-right'
  | 'download'
  | 'edit'
  | 'external'
  | 'eye'
  | 'file'
  | 'image'
  | 'inbox'
  | 'key'
  | 'lock'
  | 'mail'
  | 'plug'
  | 'plus'
  | 'proof'
  | 'search'
  | 'settings'
  | 'share'
  | 'undo'
  | 'user'
  | 'user-plus'
  | 'x'

export const Icon = ({ name, small }: { name: IconName; small?: boolean }) => (
  <svg class={small ? 'icon icon-s' : 'icon'} aria-hidden="true">
    <use href={`/icons.svg#i-${name}`} />
  </svg>
)

export const Logo = () => (
  <svg class="logo" aria-hidden="true">
    <use href="/icons.svg#logo" />
  </svg>
)

/** "bob.k@work.example" -> BK, "Inês Duarte" -> ID */
const initials = (name: string): string => {
  const words =
    plain(name)
      .split('@')[0]
      ?.split(/[\s._-]+/)
      .filter(Boolean) ?? []
  return [words.at(0), words.length > 1 ? words.at(-1) : undefined].map((word) => word?.[0]?.toLocaleUpperCase() ?? '').join('')
}

/** A person keeps one of five tints, by the address. */
const tint = (text: string): string => {
  let sum = 0
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 5
  return sum === 0 ? '' : ` p${sum + 1}`
}

export const Avatar = ({ name, size }: { name: string | undefined; size?: 's' | 'l' }) => (
  <span class={`avatar${name === undefined ? ' avatar-unknown' : tint(name)}${size ? ` avatar-${size}` : ''}`} aria-hidden="true">
    {name === undefined ? '?' : initials(name)}
  </span>
)

export const ServiceMark = ({ name }: { name: string }) => (
  <span class="service" aria-hidden="true">
    {[...plain(name)][0]?.toLocaleUpperCase() ?? ''}
  </span>
)

const PICTURES = /\.(jpe?g|png|gif|webp|avif|heic|svg)$/i

export const Thumb = ({ name }: { name: string | undefined }) => (
  <span class="thumb thumb-icon">
    <Icon name={name !== undefined && PICTURES.test(name) ? 'image' : 'file'} />
  </span>
)

export const Empty = ({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) => (
  <div class="card empty">
    <Icon name={icon} />
    <p>
      <strong>{title}</strong>
    </p>
    {children}
  </div>
)

export const Notice = ({ icon = 'alert', children }: { icon?: IconName; children: ComponentChildren }) => (
  <div class="notice">
    <Icon name={icon} />
    <div class="stack-2">{children}</div>
  </div>
)

/** What went wrong, with the exact reason folded away. */
export const ErrorText = ({ code, detail, id }: { code: WalletErrorCode; detail?: string | undefined; id?: string }) => {
  const { t, error } = useTexts()
  return (
    <div class="stack-2" id={id} role="alert">
      <p class="field-error">
        <Icon name="alert" />
        <span>{error(code)}</span>
      </p>
      {detail !== undefined && detail !== '' && (
        <details class="fold">
          <summary>
            <Icon name="chevron-right" small />
            {t('details')}
          </summary>
          <p class="fold-body small soft">
            <code>{detail}</code>
          </p>
        </details>
      )}
    </div>
  )
}

/** A real modal dialog: opens with the component, Escape closes, focus goes back to where it was. */
export const Dialog = ({ labelledBy, onClose, children }: { labelledBy: string; onClose: () => void; children: ComponentChildren }) => {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog ref={element} class="dialog" aria-labelledby={labelledBy} onClose={onClose}>
      {children}
    </dialog>
  )
}

/** For the few things that cannot be undone. The safe button has the focus. */
export const Confirm = (props: { title: string; text: string; action: string; onConfirm: () => void; onClose: () => void }) => {
  const { t } = useTexts()
  return (
    <Dialog labelledBy="confirm-title" onClose={props.onClose}>
      <div class="card-body stack-4">
        <h2 id="confirm-title">{props.title}</h2>
        <p>{props.text}</p>
        <div class="actions actions-end">
          <button class="btn btn-quiet" type="button" autofocus onClick={props.onClose}>
            {t('cancel')}
          </button>
          <button class="btn btn-stop" type="button" onClick={props.onConfirm}>
            {props.action}
          </button>
        </div>
      </div>
    </Dialog>
  )
}

/** Placeholder of a list that takes longer than a blink. */
export const Skeleton = ({ label }: { label: string }) => (
  <ul class="card list" aria-label={label} aria-busy="true">
    {[0, 1, 2].map((row) => (
      <li class="row" key={row}>
        <span class="thumb skeleton" />
        <div class="stack-2">
          <span class="skeleton skeleton-line" />
          <span class="skeleton skeleton-line skeleton-short" />
        </div>
        <span />
      </li>
    ))}
  </ul>
)
