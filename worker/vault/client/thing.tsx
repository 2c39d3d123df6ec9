// One thing: what it is, its link, who decides about it, and the visits that the vault saw (it knows no names).
import { useEffect, useRef, useState } from 'preact/hooks'
import type { FileView, Visit } from '../domain.ts'
import { shapeOf } from '../media.ts'
import { contentUrl, deleteFile, downloadUrl, type FilePage, filePage, Refused, restoreFile } from './api.ts'
import { Bar, hostOf, Icon, Notice, ReconnectActions, type Toast, ToastLine, useToast } from './parts.tsx'
import { kindWords, say, sentenceCase, sizeWords, whenWords } from './words.ts'

function Look({ file }: { file: FileView }) {
  const source = contentUrl(file.id)
  switch (shapeOf(file.type)) {
    case 'image':
      return <img src={source} alt={file.name} />
    case 'video':
      // biome-ignore lint/a11y/useMediaCaption: a person's own film; captions are in it or nowhere
      return <video src={source} controls preload="metadata" aria-label={file.name} />
    case 'audio':
      // biome-ignore lint/a11y/useMediaCaption: a person's own recording; nobody wrote captions for it
      return <audio src={source} controls preload="metadata" aria-label={file.name} />
    case 'pdf':
      // Chromium's viewer: the paper without its tools.
      return <iframe src={`${source}#toolbar=0&navpanes=0&view=FitH`} title={file.name} />
    case 'text':
      return <iframe src={source} title={file.name} />
    default:
      return (
        <div class="empty">
          <Icon name="file" />
          <p class="soft">{say('thing.no_preview')}</p>
        </div>
      )
  }
}

function Visits({ visits }: { visits: readonly Visit[] }) {
  if (visits.length === 0) return <p class="soft small">{say('thing.no_visits')}</p>
  return (
    <ul class="list visits" aria-label={say('thing.visits')}>
      {visits.map((visit, index) => (
        <li class="row row-plain" key={`${visit.at} ${index}`}>
          <Icon name={visit.kind === 'refused' ? 'block' : visit.kind === 'downloaded' ? 'download' : 'eye'} />
          <span>{say(visit.kind === 'refused' ? 'thing.was_refused' : `thing.${visit.kind}`)}</span>
          <span class="row-meta tabular">{sentenceCase(whenWords(visit.at))}</span>
        </li>
      ))}
    </ul>
  )
}

function LinkField({
  file,
  onToast,
  field,
}: {
  file: FileView
  onToast: (toast: Toast) => void
  field: { current: HTMLInputElement | null }
}) {
  const link = `${location.origin}${file.path}`
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(link)
      onToast({ text: say('thing.copied') })
    } catch {
      // Not allowed to write there: the person can, with the link marked.
      field.current?.select()
      onToast({ text: say('thing.copy_failed') })
    }
  }
  return (
    <section class="stack-3" aria-labelledby="link">
      <h2 id="link">{say('thing.link')}</h2>
      <div class="copy">
        <input
          class="input"
          readOnly
          value={link}
          ref={field}
          aria-label={say('thing.link_label', { name: file.name })}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button class="btn" type="button" onClick={copy}>
          <Icon name="copy" />
          {say('thing.copy')}
        </button>
      </div>
      <p class="hint">{say('thing.link_hint')}</p>
    </section>
  )
}

function Who({ page }: { page: FilePage }) {
  const { file, server, connected, visits } = page
  const host = hostOf(server)
  return (
    <section class="stack-4" aria-labelledby="who">
      <div class="stack-2">
        <h2 id="who">{say('thing.who')}</h2>
        <p>{say('thing.who_text', { host })}</p>
        {file.alias !== undefined && <p class="soft small">{say('thing.alias', { host, alias: file.alias })}</p>}
      </div>
      {!connected && (
        <Notice>
          <p>{say('list.disconnected', { host })}</p>
          <ReconnectActions server={server} />
        </Notice>
      )}
      {connected && file.registration === 'waiting' && (
        <Notice>
          <p>
            {file.problem === undefined ? say('thing.waiting', { host }) : say('thing.waiting_problem', { host, problem: file.problem })}
          </p>
        </Notice>
      )}
      <p>
        <a class="btn btn-s" href={file.policyUri ?? server} rel="noopener">
          {say('thing.who_go')}
          <Icon name="external" small />
        </a>
      </p>
      <Visits visits={visits} />
    </section>
  )
}

function Actions({ page }: { page: FilePage }) {
  const [isExplained, explain] = useState(false)
  return (
    <>
      <div class="actions">
        <button
          class="btn btn-main"
          type="button"
          aria-expanded={isExplained}
          aria-controls="share-how"
          onClick={() => explain(!isExplained)}
        >
          <Icon name="share" />
          {say('thing.share')}
        </button>
        <a class="btn" href={downloadUrl(page.file.id)}>
          <Icon name="download" />
          {say('thing.download')}
        </a>
      </div>
      <p class="share-how" id="share-how" role="status" hidden={!isExplained}>
        {isExplained && say('thing.share_how', { host: hostOf(page.server) })}
      </p>
    </>
  )
}

/** What had the focus is gone with the thing, so the focus goes to the words that say so. */
function Missing({ text }: { text: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <h1 class="sentence" ref={heading} tabIndex={-1}>
      {text}
    </h1>
  )
}

export function ThingPage({ id }: { id: string }) {
  const [page, setPage] = useState<FilePage>()
  const [missing, setMissing] = useState<string>()
  const [toast, setToast] = useToast()
  const field = useRef<HTMLInputElement>(null)
  const load = (): void => {
    filePage(id).then(setPage, (error: unknown) => setMissing(error instanceof Refused ? error.message : say('app.offline')))
  }
  useEffect(load, [id])
  useEffect(() => {
    if (page !== undefined) document.title = page.file.name
  }, [page])
  // Visits and registration change while the page is open.
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && missing === undefined && load(), 5000)
    return () => clearInterval(timer)
  }, [id, missing])
  const undo = (): void => {
    restoreFile(id).then(
      () => {
        setMissing(undefined)
        setToast({ text: say('thing.restored', { name: page?.file.name ?? '' }) })
        load()
      },
      (error: Error) => setToast({ text: error.message }),
    )
  }
  const remove = (): void => {
    const name = page?.file.name ?? ''
    deleteFile(id).then(
      () => {
        setMissing(say('thing.deleted', { name }))
        setToast({ text: say('thing.deleted', { name }), action: { label: say('thing.undo'), run: undo } })
      },
      (error: Error) => setToast({ text: error.message }),
    )
  }
  return (
    <>
      <Bar server={page?.server ?? ''} />
      <main class="page">
        <nav class="small" aria-label={say('thing.where')}>
          <a class="link-act" href="/">
            <Icon name="arrow-left" small />
            {say('app.files')}
          </a>
        </nav>
        {missing !== undefined && <Missing text={missing} />}
        {missing === undefined && page !== undefined && (
          <div class="split">
            <div class="thing-view">
              <Look file={page.file} />
            </div>
            <div class="stack-8">
              <div class="stack-3">
                <h1>{page.file.name}</h1>
                <p class="soft">
                  {say('thing.added', {
                    kind: kindWords(page.file.type),
                    size: sizeWords(page.file.size),
                    when: whenWords(page.file.created),
                  })}
                </p>
              </div>
              <Actions page={page} />
              <LinkField file={page.file} onToast={setToast} field={field} />
              <Who page={page} />
              <p>
                <button class="btn btn-s btn-stop" type="button" onClick={remove}>
                  {say('thing.delete')}
                </button>
              </p>
            </div>
          </div>
        )}
      </main>
      <ToastLine toast={toast} />
    </>
  )
}
