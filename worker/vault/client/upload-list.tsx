// The drop zone, and what is on its way: running, waiting, interrupted here or in an earlier visit.
import { useEffect, useRef, useState } from 'preact/hooks'
import { MOST_BYTES, type UploadView } from '../domain.ts'
import { Icon, Preview } from './parts.tsx'
import type { Upload, UploadQueue } from './uploads.ts'
import { percentWords, say, sizeWords, timeLeftWords } from './words.ts'

/** Files from anywhere in the window; the field is for keyboards and for those who do not drag. */
export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const [isOver, setOver] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    const over = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setOver(true)
    }
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false)
    }
    const drop = (event: DragEvent): void => {
      event.preventDefault()
      setOver(false)
      onFiles([...(event.dataTransfer?.files ?? [])])
    }
    document.addEventListener('dragover', over)
    document.addEventListener('dragleave', leave)
    document.addEventListener('drop', drop)
    return () => {
      document.removeEventListener('dragover', over)
      document.removeEventListener('dragleave', leave)
      document.removeEventListener('drop', drop)
    }
  }, [onFiles])
  return (
    <form class={isOver ? 'drop drop-over' : 'drop'} ref={form}>
      <Icon name="upload" />
      <div>
        <p class="row-title">{say('list.drop')}</p>
        <p class="row-meta">{say('list.drop_hint')}</p>
      </div>
      <span>
        <input
          id="files"
          type="file"
          multiple
          onChange={(event) => {
            onFiles([...(event.currentTarget.files ?? [])])
            form.current?.reset()
          }}
        />
        <label class="btn btn-main" for="files">
          {say('list.choose')}
        </label>
      </span>
    </form>
  )
}

const tooBig = (file: File): boolean => file.size > MOST_BYTES
export const sortFiles = (files: readonly File[]): { fit: File[]; tooBig: File[] } => ({
  fit: files.filter((file) => !tooBig(file)),
  tooBig: files.filter(tooBig),
})

function progressWords(upload: Upload): string {
  const values = { done: sizeWords(upload.done), all: sizeWords(upload.size) }
  if (upload.state === 'finishing') return say('upload.finishing')
  if (upload.speed === undefined || upload.speed === 0) return say('upload.progress', values)
  return say('upload.left', { ...values, time: timeLeftWords((upload.size - upload.done) / upload.speed) })
}

const partOf = (upload: { done: number; size: number }): number => (upload.size === 0 ? 1 : upload.done / upload.size)

function UploadRow({ upload, queue }: { upload: Upload; queue: UploadQueue }) {
  const isWaiting = upload.state === 'waiting'
  const label = say(isWaiting ? 'upload.drop' : 'upload.stop', { name: upload.name })
  return (
    <li class="row">
      <span class="thumb thumb-wait">
        <Icon name="file" />
      </span>
      <div class={isWaiting ? '' : 'stack-2'}>
        <span class="up-line">
          <span class="row-title one-line">{upload.name}</span>
          {upload.state === 'sending' && <span class="row-meta tabular">{percentWords(partOf(upload))}</span>}
        </span>
        {isWaiting && <span class="row-meta">{say('upload.waiting')}</span>}
        {(upload.state === 'sending' || upload.state === 'finishing') && (
          <>
            <progress max={1} value={partOf(upload)} aria-label={upload.name} />
            <span class="row-meta tabular">{progressWords(upload)}</span>
          </>
        )}
        {upload.state === 'failed' && (
          <>
            <span class="field-error">{upload.problem ?? say('upload.failed', { percent: percentWords(partOf(upload)) })}</span>
            <button class="btn btn-s" type="button" onClick={() => queue.retry(upload.key)}>
              {say('upload.resume')}
            </button>
          </>
        )}
      </div>
      <button class="btn btn-quiet btn-icon" type="button" aria-label={label} onClick={() => queue.drop(upload.key)}>
        <Icon name="x" />
      </button>
    </li>
  )
}

/** An upload of an earlier visit: the file must be chosen again, the browser does not keep it. */
function LeftRow({ upload, onDrop }: { upload: UploadView; onDrop: (id: string) => void }) {
  const stored = upload.parts.length * upload.partSize
  const percent = percentWords(upload.size === 0 ? 0 : Math.min(1, stored / upload.size))
  return (
    <li class="row">
      <span class="thumb thumb-wait">
        <Icon name="file" />
      </span>
      <div>
        <span class="row-title one-line">{upload.name}</span>
        <span class="row-meta">{say('upload.choose_again', { percent })}</span>
      </div>
      <button
        class="btn btn-quiet btn-icon"
        type="button"
        aria-label={say('upload.stop', { name: upload.name })}
        onClick={() => onDrop(upload.id)}
      >
        <Icon name="x" />
      </button>
    </li>
  )
}

type ListProps = { running: readonly Upload[]; left: readonly UploadView[]; queue: UploadQueue; onDropLeft: (id: string) => void }

export function UploadList({ running, left, queue, onDropLeft }: ListProps) {
  // Names of what runs are not shown a second time as left over.
  const names = new Set(running.map((upload) => `${upload.name} ${upload.size}`))
  const over = left.filter((upload) => !names.has(`${upload.name} ${upload.size}`))
  if (running.length + over.length === 0) return null
  return (
    <section class="stack-4" aria-labelledby="uploading">
      <h2 id="uploading" class="hidden-label">
        {say('list.uploading')}
      </h2>
      <ul class="card list" aria-live="polite">
        {running.map((upload) => (
          <UploadRow key={upload.key} upload={upload} queue={queue} />
        ))}
        {over.map((upload) => (
          <LeftRow key={upload.id} upload={upload} onDrop={onDropLeft} />
        ))}
      </ul>
    </section>
  )
}

export { Preview }
