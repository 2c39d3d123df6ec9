// Small parts that both pages use.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { UNDO_SECONDS } from '../domain.ts'
import { shapeOf } from '../media.ts'
import { contentUrl } from './api.ts'
import { say } from './words.ts'

export const Icon = ({ name, small = false }: { name: string; small?: boolean }) => (
  <svg class={small ? 'icon icon-s' : 'icon'} aria-hidden="true">
    <use href={`/assets/icons.svg#i-${name}`} />
  </svg>
)

const hostOf = (address: string): string => (URL.canParse(address) ? new URL(address).host : address)

export const Bar = ({ server }: { server: string }) => (
  <header class="bar">
    <a class="brand" href="/">
      <svg class="logo" aria-hidden="true">
        <use href="/assets/icons.svg#logo" />
      </svg>
      {location.host}
    </a>
    <div class="bar-end">
      {server !== '' && <span class="soft small wide-only">{hostOf(server)}</span>}
      <form method="post" action="/sign-out" class="inline-form">
        <button class="btn btn-quiet btn-s" type="submit">
          {say('app.sign_out')}
        </button>
      </form>
    </div>
  </header>
)

/** Pictures up to this size are their own preview. */
const PREVIEW_BYTES = 8_000_000

/** What stands in a tile: the picture itself, a sheet of paper, or the drawing of its kind. */
export function Preview({ file }: { file: { id: string; name: string; type: string; size: number } }) {
  const shape = shapeOf(file.type)
  if (shape === 'image' && file.size <= PREVIEW_BYTES) return <img src={contentUrl(file.id)} alt="" loading="lazy" decoding="async" />
  if (shape === 'image') return <Icon name="image" />
  const ending = /\.([a-z0-9]{1,5})$/i.exec(file.name)?.[1]
  return <span class="sheet">{ending?.toUpperCase()}</span>
}

export type Toast = { text: string; action?: { label: string; run: () => void } }

/** Shows a toast for a while; with something to do in it, as long as it can be done. */
export function useToast(): [Toast | undefined, (toast: Toast) => void] {
  const [toast, setToast] = useState<Toast>()
  useEffect(() => {
    if (toast === undefined) return undefined
    const timer = setTimeout(() => setToast(undefined), toast.action === undefined ? 5000 : UNDO_SECONDS * 1000)
    return () => clearTimeout(timer)
  }, [toast])
  return [toast, setToast]
}

/** `role="status"`: read out when it changes. An empty one stays in the page so that its first words are heard. */
export const ToastLine = ({ toast }: { toast: Toast | undefined }) => (
  <div role="status">
    {toast && (
      <div class="toast">
        <span>{toast.text}</span>
        {toast.action && (
          <button class="btn btn-s" type="button" onClick={toast.action.run}>
            {toast.action.label}
          </button>
        )}
      </div>
    )}
  </div>
)

export const Notice = ({ children }: { children: ComponentChildren }) => (
  <div class="notice" role="note">
    <Icon name="alert" />
    <div>{children}</div>
  </div>
)

/** Connect again, or take the files to another server. Both are forms: they lead away. */
export const ReconnectActions = ({ server }: { server: string }) => (
  <div class="actions">
    <form method="post" action="/sign-in" class="inline-form">
      <input type="hidden" name="server" value={server} />
      <input type="hidden" name="move" value="1" />
      <button class="btn btn-s" type="submit">
        {say('list.connect_again')}
      </button>
    </form>
    <a class="btn btn-s btn-quiet" href="/connect">
      {say('list.other_server')}
    </a>
  </div>
)

export { hostOf }
