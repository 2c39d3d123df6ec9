// The frame of every page of the vault. Views only: props in, HTML out. No inline style and no inline script (the policy forbids both).
import type { Child, PropsWithChildren } from 'hono/jsx'
import type { Language, Say } from '../texts/index.ts'

export type PageProps = { say: Say; lang: Language /** The vault's own host. */; host: string }

export const render = (page: Child): string => `<!doctype html>${String(page)}`

export const Icon = ({ name, small = false }: { name: string; small?: boolean }) => (
  <svg class={small ? 'icon icon-s' : 'icon'} aria-hidden="true">
    <use href={`/assets/icons.svg#i-${name}`} />
  </svg>
)

export const Logo = () => (
  <svg class="logo" aria-hidden="true">
    <use href="/assets/icons.svg#logo" />
  </svg>
)

type DocumentProps = PropsWithChildren<{
  lang: Language
  title: string
  bodyClass?: string
  script?: string
  /** Where the page goes on by itself, and after how many seconds. */
  refresh?: { seconds: number; url: string }
}>

export const Document = ({ lang, title, bodyClass, script, refresh, children }: DocumentProps) => (
  <html lang={lang}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      {refresh && <meta http-equiv="refresh" content={`${refresh.seconds};url=${refresh.url}`} />}
      <title>{title}</title>
      <link rel="icon" href="/assets/logo.svg" type="image/svg+xml" />
      <link rel="stylesheet" href="/assets/app.css" />
      {script && <script type="module" src={`/assets/${script}`} />}
    </head>
    <body class={bodyClass}>{children}</body>
  </html>
)

/** One step at a time: signing in, errors, what a guest has to do. */
export const FocusPage = ({ host, children, ...document }: DocumentProps & { host: string }) => (
  <Document {...document} bodyClass="focus">
    <header class="focus-head">
      <a class="brand" href="/">
        <Logo />
        {host}
      </a>
    </header>
    <main class="focus-main">
      <div class="card stack-6">{children}</div>
    </main>
    <footer class="focus-foot" />
  </Document>
)

export const Problem = ({ id, text }: { id: string; text: string | undefined }) =>
  text === undefined ? null : (
    <p class="field-error" id={id} role="alert">
      <Icon name="alert" small />
      {text}
    </p>
  )
