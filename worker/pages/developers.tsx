// The developers' page: how one begins, the API as the document has it, every error code, and forms to try it on this server.
// English, since the protocol is; the frame is in the language of the reader.
import type { Child } from 'hono/jsx'
import { Examples } from './developers-examples.tsx'
import { TryIt } from './developers-try.tsx'
import { type PageContext, WideFrame } from './layout.tsx'
import { translate } from './messages.ts'
import { paths } from './paths.ts'

type Response = { description?: string; $ref?: string; content?: unknown }
export type ApiOperation = {
  operationId: string
  tags: readonly string[]
  summary: string
  description?: string
  security: readonly Readonly<Record<string, unknown>>[]
  parameters?: readonly { name: string; in: string; description: string; required: boolean }[]
  requestBody?: { content: Readonly<Record<string, { schema: unknown; example?: unknown }>> }
  responses: Readonly<Record<string, Response>>
}
/** As much of the OpenAPI document as the page shows. */
export type ApiDocument = {
  tags: readonly { name: string; description: string }[]
  paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
  components: { schemas: Readonly<Record<string, unknown>> }
  'x-errors': Readonly<Record<string, string>>
}

export type DevelopersProps = { page: PageContext; issuer: string; api: ApiDocument }

const Section = ({ id, title, children }: { id: string; title: string; children: Child }) => (
  <section class="stack-4" id={id}>
    <h2>{title}</h2>
    {children}
  </section>
)

const WHO: Readonly<Record<string, string>> = {
  protection: 'PAT',
  owner: 'owner token with DPoP',
  clientBasic: 'client authentication',
  registration: 'registration access token',
  credential: 'credential token with DPoP',
  session: 'a browser',
}

const whoMayCall = (operation: ApiOperation): string => {
  const scheme = operation.security.flatMap((one) => Object.keys(one)).find((name) => name in WHO)
  return scheme === undefined ? 'anyone' : (WHO[scheme] ?? 'anyone')
}

/** `invalid_request.invalid_scope` is how the document names a response that may carry these codes. */
const codesOf = (response: Response): string[] =>
  response.$ref?.split('/').at(-1)?.split('.') ?? [...(response.description ?? '').matchAll(/^- `(\w+)`/gm)].map((match) => match[1] ?? '')

const Codes = ({ codes }: { codes: readonly string[] }) => (
  <>
    {codes.map((code, i) => (
      <>
        {i > 0 && ', '}
        <a href={`#error-${code}`}>
          <code>{code}</code>
        </a>
      </>
    ))}
  </>
)

/** The schemas that a body or an answer refers to. */
const Schemas = ({ of }: { of: unknown }) => (
  <>
    {[...(JSON.stringify(of) ?? '').matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = ''], i) => (
      <>
        {i > 0 && ' or '}
        <a href={`#schema-${name}`}>{name}</a>
      </>
    ))}
  </>
)

const Operation = ({ method, path, operation }: { method: string; path: string; operation: ApiOperation }) => {
  const [body] = Object.entries(operation.requestBody?.content ?? {})
  return (
    <details class="fold api-operation" id={operation.operationId}>
      <summary>
        <code class="api-method">{method.toUpperCase()}</code> <code class="api-path">{path}</code>
        <span class="api-summary">{operation.summary}</span>
      </summary>
      <div class="fold-body stack-3">
        {operation.description !== undefined && <p>{operation.description}</p>}
        <dl class="facts">
          <div>
            <dt>Who may call</dt>
            <dd>{whoMayCall(operation)}</dd>
          </div>
          {operation.parameters?.map((parameter) => (
            <div>
              <dt>
                <code>{parameter.name}</code>
              </dt>
              <dd>
                {parameter.description} <span class="soft">{`${parameter.in}${parameter.required ? ', required' : ''}`}</span>
              </dd>
            </div>
          ))}
          {body !== undefined && (
            <div>
              <dt>Body</dt>
              <dd>
                <code>{body[0]}</code> <Schemas of={body[1].schema} />
              </dd>
            </div>
          )}
          {Object.entries(operation.responses).map(([status, response]) => (
            <div>
              <dt>{status}</dt>
              <dd>
                {response.$ref === undefined ? (response.description ?? '').split('\n')[0] : ''} <Schemas of={response.content} />{' '}
                <Codes codes={codesOf(response)} />
              </dd>
            </div>
          ))}
        </dl>
        {body?.[1].example !== undefined && (
          <pre class="code" tabindex={0}>
            {JSON.stringify(body[1].example, undefined, 2)}
          </pre>
        )}
      </div>
    </details>
  )
}

const Operations = ({ api }: { api: ApiDocument }) => (
  <>
    {api.tags.map((tag) => (
      <div class="stack-2">
        <h3>{tag.name}</h3>
        <p class="soft">{tag.description}</p>
        <div>
          {Object.entries(api.paths).flatMap(([path, methods]) =>
            Object.entries(methods)
              .filter(([, operation]) => operation.tags[0] === tag.name)
              .map(([method, operation]) => <Operation method={method} path={path} operation={operation} />),
          )}
        </div>
      </div>
    ))}
  </>
)

export const DevelopersPage = ({ page, issuer, api }: DevelopersProps) => {
  const { t } = translate(page.lang)
  return (
    <WideFrame
      page={page}
      title={t('home.developers')}
      mainClass="page developers"
      scripts={['developers.js']}
      end={
        <a class="btn btn-quiet btn-s" href={paths.signIn}>
          {t('sign_in.title')}
        </a>
      }
    >
      <link rel="stylesheet" href={paths.asset('developers.css')} />
      <div class="stack-8" lang="en">
        <div class="stack-4">
          <h1>For developers</h1>
          <p>
            This server speaks User-Managed Access 2.0. Its issuer is <code>{issuer}</code>; everything else is found from there.
          </p>
          <ul class="links">
            <li>
              <a href={paths.asset('protect-your-api.md')}>Protect your API in ten minutes</a>: you keep things that people share.
            </li>
            <li>
              <a href={paths.asset('open-a-shared-thing.md')}>Open a shared thing from your app</a>: you show things that others keep.
            </li>
            <li>
              <a href={paths.openApi}>openapi.json</a>: the whole API for your tools (OpenAPI 3.1). The README of the source tells the rest.
            </li>
          </ul>
        </div>
        <Section id="begin" title="Begin">
          <Examples issuer={issuer} />
        </Section>
        <Section id="try" title="Try it">
          <TryIt />
        </Section>
        <Section id="operations" title="The API">
          <Operations api={api} />
        </Section>
        <Section id="schemas" title="Schemas">
          <p>What the server validates with, as JSON Schema.</p>
          <div>
            {Object.entries(api.components.schemas).map(([name, schema]) => (
              <details class="fold api-operation" id={`schema-${name}`}>
                <summary>
                  <code class="api-path">{name}</code>
                </summary>
                <div class="fold-body">
                  <pre class="code" tabindex={0}>
                    {JSON.stringify(schema, undefined, 2)}
                  </pre>
                </div>
              </details>
            ))}
          </div>
        </Section>
        <Section id="errors" title="Errors">
          <p>
            Every refusal is JSON with <code>error</code>, a stable code, and <code>error_description</code>, a sentence for people that may
            change. What to do:
          </p>
          <dl class="facts api-errors">
            {Object.entries(api['x-errors']).map(([code, sentence]) => (
              <div id={`error-${code}`}>
                <dt>
                  <code>{code}</code>
                </dt>
                <dd>{sentence}</dd>
              </div>
            ))}
          </dl>
        </Section>
      </div>
    </WideFrame>
  )
}
