// Forms that send requests to this server from the reader's browser (client/developers.ts). Nothing is kept; without script they are hidden.
import type { Child } from 'hono/jsx'

const REGISTRATION = `{
  "client_name": "My shelf",
  "client_uri": "https://shelf.example",
  "redirect_uris": ["https://shelf.example/connected"]
}`

/** Calls of the protection API that need a token and nothing else, or a body that can be typed. */
const CALLS = [
  ['GET /uma/resource', 'List resources'],
  ['POST /uma/resource', 'Register a resource'],
  ['POST /uma/permission', 'Get a ticket'],
  ['POST /introspect', 'Introspect a token'],
] as const

type Form = { id: string; title: string; about: string; button: string; method: string; path: string; children?: Child }

const Form = ({ id, title, about, button, method, path, children }: Form) => (
  <form class="card card-body stack-4" id={id} data-try={`${method} ${path}`} hidden>
    <h3>{title}</h3>
    <p class="soft">{about}</p>
    {children}
    <div>
      <button class="btn" type="submit">
        {button}
      </button>
    </div>
    <div role="status" class="stack-2">
      <p class="small" data-status hidden />
      <pre class="code" tabindex={0} data-answer hidden />
    </div>
  </form>
)

export const TryIt = () => (
  <>
    <noscript>
      <p>The forms need JavaScript; the examples above do the same.</p>
    </noscript>
    <Form
      id="try-discovery"
      title="Discovery"
      about="What this server can do and where."
      button="Get the document"
      method="GET"
      path="/.well-known/uma2-configuration"
    />
    <Form
      id="try-register"
      title="Registration"
      about="This makes a real client. The answer holds its secret, once."
      button="Register"
      method="POST"
      path="/register"
    >
      <div class="field">
        <label class="label" for="try-metadata">
          Metadata (JSON)
        </label>
        <textarea class="input api-input" id="try-metadata" name="body" rows={6} spellcheck={false}>
          {REGISTRATION}
        </textarea>
      </div>
    </Form>
    <Form
      id="try-call"
      title="A protected call"
      about="With a PAT of yours, as Bearer. It goes to this server and nowhere else."
      button="Send"
      method="GET"
      path="/uma/resource"
    >
      <div class="field">
        <label class="label" for="try-token">
          Access token
        </label>
        <input class="input" id="try-token" name="token" type="password" autocomplete="off" spellcheck={false} />
      </div>
      <div class="field">
        <label class="label" for="try-which">
          Call
        </label>
        <select class="input" id="try-which" name="call">
          {CALLS.map(([call, words]) => (
            <option value={call}>{`${call} · ${words}`}</option>
          ))}
        </select>
      </div>
      <div class="field">
        <label class="label" for="try-body">
          Body
        </label>
        <textarea class="input api-input" id="try-body" name="body" rows={4} spellcheck={false} />
        <p class="hint">JSON; for introspection a form: token=…</p>
      </div>
    </Form>
  </>
)
