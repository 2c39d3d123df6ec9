// Signing in and what belongs to it.
import type { PageProps } from './layout.tsx'
import { FocusPage, Icon, Problem } from './layout.tsx'

type SignInProps = PageProps & {
  server: string
  problem: string | undefined /** An owner who takes the files to another server. */
  moving: boolean
}

export const SignInPage = ({ say, lang, host, server, problem, moving }: SignInProps) => (
  <FocusPage lang={lang} host={host} title={say('sign_in.page')}>
    <div class="stack-2">
      <h1>{say(moving ? 'connect.title' : 'sign_in.title')}</h1>
      <p class="soft">{say(moving ? 'connect.lead' : 'sign_in.lead')}</p>
    </div>
    <form class="stack-4" method="post" action="/sign-in">
      <div class="field">
        <label class="label" for="server">
          {say('sign_in.server')}
        </label>
        <input
          class="input"
          id="server"
          name="server"
          type="text"
          inputmode="url"
          autocomplete="url"
          autocapitalize="none"
          spellcheck={false}
          required
          maxlength={512}
          value={server}
          placeholder="https://share.example"
          aria-invalid={problem === undefined ? undefined : 'true'}
          aria-describedby={problem === undefined ? 'server-hint' : 'server-problem server-hint'}
        />
        <Problem id="server-problem" text={problem} />
        <p class="hint" id="server-hint">
          {say('sign_in.hint')}
        </p>
      </div>
      {moving && <input type="hidden" name="move" value="1" />}
      <button class="btn btn-main btn-wide" type="submit">
        {say('sign_in.go')}
      </button>
    </form>
    <p class="small">{moving ? <a href="/">{say('error.home')}</a> : <a href="/recover">{say('sign_in.recover')}</a>}</p>
  </FocusPage>
)

/** Between the vault and somebody else's page: leads on by itself, and by a link where that is switched off. */
export const GoingPage = ({ say, lang, host, url }: PageProps & { url: string }) => {
  const target = new URL(url).host
  return (
    <FocusPage lang={lang} host={host} title={say('sign_in.going', { host: target })} refresh={{ seconds: 0, url }}>
      <h1>{say('sign_in.going', { host: target })}</h1>
      <a class="btn btn-main btn-wide" href={url}>
        {say('sign_in.go')}
        <Icon name="arrow-right" />
      </a>
    </FocusPage>
  )
}

export const RecoverPage = ({ say, lang, host, problem }: PageProps & { problem: string | undefined }) => (
  <FocusPage lang={lang} host={host} title={say('recover.page')}>
    <div class="stack-2">
      <h1>{say('recover.title')}</h1>
      <p class="soft">{say('recover.lead')}</p>
    </div>
    <form class="stack-4" method="post" action="/recover">
      <div class="field">
        <label class="label" for="code">
          {say('recover.label')}
        </label>
        <input
          class="input"
          id="code"
          name="code"
          type="text"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          required
          maxlength={100}
          placeholder="ABCDE-FGHJK-MNPQR-STUVW"
          aria-invalid={problem === undefined ? undefined : 'true'}
          aria-describedby={problem === undefined ? undefined : 'code-problem'}
        />
        <Problem id="code-problem" text={problem} />
      </div>
      <button class="btn btn-main btn-wide" type="submit">
        {say('recover.go')}
      </button>
    </form>
  </FocusPage>
)

export const CodesPage = ({ say, lang, host, codes }: PageProps & { codes: readonly string[] }) => (
  <FocusPage lang={lang} host={host} title={say('codes.page')}>
    <div class="stack-2">
      <h1>{say('codes.title')}</h1>
      <p class="soft">{say('codes.lead')}</p>
    </div>
    <ul class="codes">
      {codes.map((code) => (
        <li>
          <code>{code}</code>
        </li>
      ))}
    </ul>
    <form class="stack-3" method="post" action="/codes">
      <button class="btn btn-main btn-wide" type="submit">
        {say('codes.kept')}
      </button>
      <p class="hint">{say('codes.hint')}</p>
    </form>
  </FocusPage>
)
