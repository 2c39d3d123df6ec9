// The frame in which the script of the file list runs, with the texts of its language.
import { raw } from 'hono/html'
import { TEXTS } from '../texts/index.ts'
import type { PageProps } from './layout.tsx'
import { Document, Logo } from './layout.tsx'

/** JSON inside HTML: `<` could end the element. */
const embedded = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c')

export const AppPage = ({ say, lang, host }: PageProps) => (
  <Document lang={lang} title={say('app.files')} script="app.js">
    <div id="app">
      <header class="bar">
        <a class="brand" href="/">
          <Logo />
          {host}
        </a>
      </header>
      <main class="page">
        <noscript>
          <p>{say('app.no_script')}</p>
        </noscript>
      </main>
    </div>
    <script type="application/json" id="texts">
      {raw(embedded({ lang, texts: TEXTS[lang] }))}
    </script>
  </Document>
)
