// What a guest sees: that something is private and how to go on, the thing itself, or what to do when it is not to be seen.
// Until access is granted nothing is told of the thing or its owner.
import { actionWords } from '../../../shared/policy-words.ts'
import { shapeOf } from '../media.ts'
import type { TextKey } from '../texts/index.ts'
import type { PageProps } from './layout.tsx'
import { Document, FocusPage, Icon, Logo } from './layout.tsx'

/** How an attempt ended, when the guest comes back to the link. */
export const OUTCOMES = ['denied', 'cancelled', 'failed', 'expired'] as const
export type Outcome = (typeof OUTCOMES)[number]

const ACTION_OF = (link: string): string => `/f/${link}/open`

/** The link without permission: goes on by itself (script) or by the button; after an attempt only by the button. */
export const OpenPage = ({
  say,
  lang,
  host,
  link,
  server,
  outcome,
}: PageProps & { link: string; server: string; outcome: Outcome | undefined }) => {
  const title = outcome === undefined ? say('guest.private') : say(`guest.${outcome}_title` satisfies TextKey)
  const text = outcome === undefined ? say('guest.lead', { host: server }) : say(`guest.${outcome}` satisfies TextKey)
  return (
    <FocusPage
      lang={lang}
      host={host}
      title={outcome === undefined ? say('guest.opening') : title}
      {...(outcome === undefined ? { script: 'open.js' } : {})}
    >
      <div class="stack-3">
        <h1>{title}</h1>
        <p class="sentence sentence-s" role="status">
          {text}
        </p>
      </div>
      <form method="post" action={ACTION_OF(link)} id="open">
        <button class="btn btn-main btn-wide" type="submit">
          {outcome === undefined ? say('guest.go', { host: server }) : say('guest.again')}
        </button>
      </form>
    </FocusPage>
  )
}

/** The owner was asked (UMA Grant 3.3.6, request_submitted): looks again by itself. */
export const WaitingPage = ({ say, lang, host, link, interval }: PageProps & { link: string; interval: number }) => (
  <FocusPage lang={lang} host={host} title={say('guest.waiting_title')} refresh={{ seconds: Math.max(5, interval), url: `/f/${link}` }}>
    <div class="stack-3">
      <h1>{say('guest.waiting_title')}</h1>
      <p class="sentence sentence-s" role="status">
        {say('guest.waiting')}
      </p>
    </div>
    <a class="btn btn-wide" href={`/f/${link}`}>
      {say('guest.look_again')}
    </a>
  </FocusPage>
)

type MessageProps = PageProps & { title: TextKey; text: TextKey; again?: string; refresh?: boolean }

/** Nothing to show, and why. `again` is where the button leads. */
export const MessagePage = ({ say, lang, host, title, text, again }: MessageProps) => (
  <FocusPage lang={lang} host={host} title={say(title)}>
    <div class="stack-3">
      <h1>{say(title)}</h1>
      <p class="sentence sentence-s">{say(text)}</p>
    </div>
    {again !== undefined && (
      <a class="btn btn-main btn-wide" href={again}>
        {say('guest.again')}
      </a>
    )}
  </FocusPage>
)

type ThingProps = PageProps & { link: string; name: string; type: string; scopes: readonly string[]; server: string }

const Content = ({ say, link, name, type }: ThingProps) => {
  const source = `/f/${link}/content`
  const label = say('guest.content', { name })
  switch (shapeOf(type)) {
    case 'image':
      return <img class="guest-media" src={source} alt={name} />
    case 'video':
      // biome-ignore lint/a11y/useMediaCaption: an owner's own film; captions are in it or nowhere
      return <video class="guest-media" src={source} controls preload="metadata" aria-label={label} />
    case 'audio':
      // biome-ignore lint/a11y/useMediaCaption: an owner's own recording; nobody wrote captions for it
      return <audio class="guest-sound" src={source} controls preload="metadata" aria-label={label} />
    case 'pdf':
      // Chromium's viewer: the paper without its tools; "full screen" has them.
      return <iframe class="guest-frame" src={`${source}#toolbar=0&navpanes=0&view=FitH`} title={label} />
    case 'text':
      return <iframe class="guest-frame" src={source} title={label} />
    default:
      return (
        <div class="empty">
          <Icon name="file" />
          <p>{say('guest.no_preview')}</p>
          <a class="btn btn-main" href={source}>
            {say('guest.open_here')}
          </a>
        </div>
      )
  }
}

export const ThingPage = (props: ThingProps) => {
  const { say, lang, host, link, name, type, scopes, server } = props
  const mayDownload = scopes.includes('download')
  const isShown = shapeOf(type) !== 'other'
  return (
    <Document lang={lang} title={name} bodyClass="guest-page-body">
      <header class="bar guest-bar">
        <a class="brand" href="/" aria-label={host}>
          <Logo />
        </a>
        <div class="guest-name">
          <h1 class="row-title one-line">{name}</h1>
          <p class="row-meta">
            {scopes.join() === 'view' ? say('guest.view_only') : say('guest.can', { actions: actionWords(scopes, lang) })}
          </p>
        </div>
        <div class="bar-end">
          {isShown && (
            <a class="btn btn-s wide-only" href={`/f/${link}/content`}>
              {say('guest.full')}
            </a>
          )}
          {mayDownload && (
            <a class="btn btn-s" href={`/f/${link}/content?download=1`}>
              <Icon name="download" small />
              {say('guest.download')}
            </a>
          )}
        </div>
      </header>
      <main class="guest">
        <Content {...props} />
      </main>
      <footer class="guest-foot">
        <span>{say('guest.let_in', { host: server })}</span>
      </footer>
    </Document>
  )
}

export const ErrorPage = ({ say, lang, host, text, detail }: PageProps & { text: string; detail?: string }) => (
  <FocusPage lang={lang} host={host} title={say('error.page')}>
    <div class="stack-3">
      <h1>{say('error.title')}</h1>
      <p class="sentence sentence-s">{text}</p>
    </div>
    <a class="btn btn-main btn-wide" href="/">
      {say('error.home')}
    </a>
    {detail !== undefined && (
      <details class="fold">
        <summary>
          <Icon name="chevron-right" small />
          {say('error.details')}
        </summary>
        <p class="fold-body">
          <code>{detail}</code>
        </p>
      </details>
    )}
  </FocusPage>
)
