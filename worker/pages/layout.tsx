// The two frames of the server's pages: one card for one step, and a bar with a wide page. `render` makes a document of a view.
import type { Child } from 'hono/jsx'
import { type Language, translate } from './messages.ts'
import { Logo } from './parts.tsx'
import { paths } from './paths.ts'

/** What every view needs besides its own props. */
export type PageContext = {
  lang: Language
  /** Host of the issuer, as people should see it in the address bar. */
  host: string
  /** Name under "Run by". */
  operator?: string | undefined
}

type Frame = {
  page: PageContext
  /** Becomes the document's title; the view itself has the h1. */
  title: string
  /** Names of page scripts under /assets/. */
  scripts?: readonly string[] | undefined
  /** Without scripts the page is loaded anew after so many seconds. */
  reloadAfter?: number | undefined
  /** The page leaves for this address by itself. */
  refreshTo?: string | undefined
  children: Child
}

const Head = ({ page, title, scripts = [], reloadAfter, refreshTo }: Omit<Frame, 'children'>) => (
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="referrer" content="no-referrer" />
    {refreshTo !== undefined && <meta http-equiv="refresh" content={`0;url=${refreshTo}`} />}
    {reloadAfter !== undefined && (
      <noscript>
        <meta http-equiv="refresh" content={String(reloadAfter)} />
      </noscript>
    )}
    <title>{title === page.host ? title : `${title} · ${page.host}`}</title>
    <link rel="icon" href={paths.asset('logo.svg')} type="image/svg+xml" />
    <link rel="stylesheet" href={paths.asset('tokens.css')} />
    <link rel="stylesheet" href={paths.asset('base.css')} />
    {scripts.map((name) => (
      <script type="module" src={paths.asset(name)} />
    ))}
  </head>
)

const Brand = ({ page }: { page: PageContext }) => (
  <a class="brand" href={paths.home}>
    <Logo />
    {page.host}
  </a>
)

/** One column, one card, one step. The line above the card is the host, since that is what a person should check. */
export const FocusFrame = ({ page, children, ...head }: Frame) => {
  const { t } = translate(page.lang)
  return (
    <html lang={page.lang}>
      <Head page={page} {...head} />
      <body class="focus">
        <header class="focus-head">
          <Brand page={page} />
        </header>
        <main class="focus-main">
          <div class="card stack-6">{children}</div>
        </main>
        <footer class="focus-foot">
          <a href={paths.home}>{t('frame.about')}</a>
          <a href={paths.proofs}>{t('proofs.title')}</a>
          {page.operator !== undefined && page.operator !== '' && (
            <span class="end">{t('frame.operator', { operator: page.operator })}</span>
          )}
        </footer>
      </body>
    </html>
  )
}

/** A bar with the host and a wide page below it. `end` stands at the right of the bar. */
export const WideFrame = ({ page, children, end, mainClass, ...head }: Frame & { end?: Child; mainClass: string }) => {
  const { t } = translate(page.lang)
  return (
    <html lang={page.lang}>
      <Head page={page} {...head} />
      <body>
        <header class={mainClass.includes('home') ? 'bar bar-clear' : 'bar'}>
          <Brand page={page} />
          <div class="bar-end">{end}</div>
        </header>
        <main class={mainClass}>{children}</main>
        {page.operator !== undefined && page.operator !== '' && (
          <footer class="home-foot">
            <span>{t('frame.operator', { operator: page.operator })}</span>
          </footer>
        )}
      </body>
    </html>
  )
}

/**
 * A view and its props -> the complete HTML document, doctype included; for `c.html()`.
 * Escapes everything; throws only what the view throws.
 */
export const render = <Props,>(view: (props: Props) => { toString(): string }, props: Props): string =>
  `<!doctype html>${view(props).toString()}`
