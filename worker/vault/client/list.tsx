// "Your files": drop zone, what is on its way, and the files with their previews.
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { FileView, Overview } from '../domain.ts'
import { abortUpload, hideNames, overview as loadOverview } from './api.ts'
import { Bar, hostOf, Icon, Notice, Preview, ReconnectActions, ToastLine, useToast } from './parts.tsx'
import { DropZone, sortFiles, UploadList } from './upload-list.tsx'
import { createUploadQueue, type Upload } from './uploads.ts'
import { kindWords, say, sizeWords, whenWords } from './words.ts'

function VisitLine({ file }: { file: FileView }) {
  if (file.registration === 'waiting') return <span class="row-meta">{say('list.not_ready')}</span>
  const { lastVisit } = file
  if (lastVisit === undefined) return <span class="row-meta">{say('list.only_you')}</span>
  const when = whenWords(lastVisit.at)
  return <span class="row-meta">{say(lastVisit.kind === 'refused' ? 'list.refused' : 'list.opened', { when })}</span>
}

const Tile = ({ file }: { file: FileView }) => (
  <li>
    <a class="tile" href={`/things/${file.id}`}>
      <span class="tile-view">
        <Preview file={file} />
      </span>
      <span>
        <span class="row-title two-lines">{file.name}</span>
        <span class="row-meta">
          {kindWords(file.type)} · {sizeWords(file.size)}
        </span>
      </span>
      <span class="tile-foot">
        <Icon name={file.registration === 'waiting' ? 'clock' : file.lastVisit === undefined ? 'lock' : 'eye'} small />
        <VisitLine file={file} />
      </span>
    </a>
  </li>
)

function Files({ files, query }: { files: readonly FileView[]; query: string }) {
  const wanted = query.trim().toLocaleLowerCase()
  const found = wanted === '' ? files : files.filter((file) => file.name.toLocaleLowerCase().includes(wanted))
  if (files.length === 0) {
    return (
      <div class="empty">
        <Icon name="file" />
        <h2>{say('list.empty')}</h2>
        <p class="soft">{say('list.empty_hint')}</p>
      </div>
    )
  }
  if (found.length === 0) return <p class="soft">{say('list.none_found')}</p>
  return (
    <ul class="tiles" aria-label={say('list.files')}>
      {found.map((file) => (
        <Tile key={file.id} file={file} />
      ))}
    </ul>
  )
}

const NamesChoice = ({ overview, onChange }: { overview: Overview; onChange: (hide: boolean) => void }) => (
  <label class="check">
    <input type="checkbox" checked={overview.hidesNames} onChange={(event) => onChange(event.currentTarget.checked)} />
    <span>
      {say('list.hide_names', { host: hostOf(overview.server) })}
      <span class="check-note">{say('list.hide_names_hint')}</span>
    </span>
  </label>
)

export function ListPage() {
  const [overview, setOverview] = useState<Overview>()
  const [uploads, setUploads] = useState<Upload[]>([])
  const [query, setQuery] = useState('')
  const [toast, setToast] = useToast()
  const reload = useCallback(() => {
    loadOverview().then(setOverview, () => setToast({ text: say('app.offline'), action: { label: say('app.try_again'), run: reload } }))
  }, [])
  const queue = useMemo(
    () =>
      createUploadQueue(setUploads, (name) => {
        setToast({ text: say('upload.done', { name }) })
        reload()
      }),
    [reload],
  )
  useEffect(reload, [reload])
  // A file that its server does not know yet is looked at again; the vault tries by itself.
  const isWaiting = overview?.files.some((file) => file.registration === 'waiting') === true
  useEffect(() => {
    if (!isWaiting) return undefined
    const timer = setInterval(reload, 5000)
    return () => clearInterval(timer)
  }, [isWaiting, reload])
  // Leaving while something is sent would interrupt it.
  useEffect(() => {
    if (uploads.every((upload) => upload.state === 'failed')) return undefined
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [uploads])
  const addFiles = useCallback(
    (files: File[]) => {
      const { fit, tooBig } = sortFiles(files)
      const first = tooBig[0]
      if (first !== undefined) setToast({ text: say('upload.too_big', { name: first.name, limit: '20 GB' }) })
      queue.add(fit)
    },
    [queue],
  )
  const chooseNames = (hide: boolean): void => {
    hideNames(hide).then(reload, reload)
  }
  const dropLeft = (id: string): void => {
    abortUpload(id).then(reload, reload)
  }
  return (
    <>
      <Bar server={overview?.server ?? ''} />
      <main class="page">
        <div class="page-head">
          <h1>{say('app.files')}</h1>
          <search class="search page-search">
            <Icon name="search" />
            <input
              class="input"
              type="search"
              aria-label={say('list.search_label')}
              placeholder={say('list.search')}
              value={query}
              onInput={(event) => setQuery(event.currentTarget.value)}
            />
          </search>
        </div>
        {overview?.connected === false && (
          <Notice>
            <p>{say('list.disconnected', { host: hostOf(overview.server) })}</p>
            <ReconnectActions server={overview.server} />
          </Notice>
        )}
        <DropZone onFiles={addFiles} />
        <UploadList running={uploads} left={overview?.uploads ?? []} queue={queue} onDropLeft={dropLeft} />
        {overview && <Files files={overview.files} query={query} />}
        {overview && <NamesChoice overview={overview} onChange={chooseNames} />}
      </main>
      <ToastLine toast={toast} />
    </>
  )
}
