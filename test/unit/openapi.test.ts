// The API document says what the server answers to, all of it and nothing else, and every code that the sources can answer with.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runnerImport } from 'vite'
import { beforeAll, describe, expect, it } from 'vitest'
import { openApiDocument, operations } from '../../worker/openapi/document.ts'
import { ERRORS } from '../../worker/openapi/errors.ts'
import { ROOT } from '../tools/build.ts'

/** The URL table, read in Node: what the bundle carries as text, and the runtime's own modules, are empty here. */
const mountedRoutes = async (): Promise<{ method: string; path: string }[]> => {
  const stand = {
    name: 'outside-the-bundle',
    enforce: 'pre' as const,
    resolveId: (id: string) =>
      /\.(css|svg|txt)$|\/\.build\/pages\//.test(id) ? '\0text' : id.startsWith('cloudflare:') ? '\0runtime' : undefined,
    load: (id: string) =>
      id === '\0text' ? "export default ''" : id === '\0runtime' ? 'export class DurableObject {}\nexport const env = {}' : undefined,
  }
  const { module } = await runnerImport<{ app: { routes: { method: string; path: string }[] } }>(join(ROOT, 'worker/app.ts'), {
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    plugins: [stand],
    oxc: { jsx: { runtime: 'automatic', importSource: 'hono/jsx' } },
  })
  return module.app.routes.filter(({ method }) => method !== 'ALL')
}

const sources = (): string[] =>
  ['worker', 'shared/protocol']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => /\.tsx?$/.test(path) && !/worker\/(vault|pages|openapi)\//.test(path))
    .map((path) => readFileSync(path, 'utf8'))

/** Codes as the sources write them: OAuthError('code', PageError('kind', 'code', and `refuse` of authorization requests. */
const thrown = (text: string): string[] => [
  ...[...text.matchAll(/new OAuthError\(\s*'(\w+)'/g)].map((match) => match[1] ?? ''),
  ...[...text.matchAll(/new PageError\(\s*'\w+',\s*'(\w+)'/g)].map((match) => match[1] ?? ''),
  ...[...text.matchAll(/refuse\(\s*'(\w+)'/g)].map((match) => match[1] ?? ''),
]

describe('DESIGN 4: the API document', () => {
  let mounted: string[]
  beforeAll(async () => {
    mounted = (await mountedRoutes()).map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`)
  })

  it('DESIGN 4: nothing that the server answers to is undocumented, and nothing is documented that is not there', () => {
    const documented = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    expect(new Set(documented).size).toBe(documented.length)
    expect([...new Set(mounted)].sort()).toEqual([...documented].sort())
  })

  it('RFC 6585 4, RFC 9110 15.6.4: whatever passes by itself says in the document that it tells when', () => {
    const document = openApiDocument() as { components: { responses: Record<string, { headers?: Record<string, unknown> }> } }
    const passing = operations.flatMap(({ id, replies, errors }) =>
      [429, 503].flatMap((status) => (errors[status] === undefined || status in replies ? [] : [{ id, name: errors[status].join('.') }])),
    )
    expect(passing.length).toBeGreaterThan(50)
    expect(passing.filter(({ name }) => document.components.responses[name]?.headers?.['Retry-After'] === undefined)).toEqual([])
  })

  it('OpenAPI 3.1: every operation has an id of its own, every reference leads somewhere, every name in a path is a parameter', () => {
    const document = JSON.stringify(openApiDocument())
    const parsed = JSON.parse(document) as Record<string, Record<string, Record<string, unknown>>>
    expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length)
    for (const [, section = '', name = ''] of document.matchAll(/"#\/components\/(\w+)\/([\w.]+)"/g))
      expect(Object.keys(parsed.components?.[section] ?? {})).toContain(name)
    for (const { path, parameters = [] } of operations) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(names)
    }
    expect(document).not.toContain('$defs')
  })

  it('RFC 6749 5.2: every code that a source can answer with is in the table, with a sentence, and no other', () => {
    const texts = sources()
    expect(texts.flatMap(thrown).filter((code) => !(code in ERRORS))).toEqual([])
    const literals = new Set(texts.flatMap((text) => [...text.matchAll(/'(\w+)'/g)].map((match) => match[1])))
    expect(Object.keys(ERRORS).filter((code) => !literals.has(code))).toEqual([])
    for (const sentence of Object.values(ERRORS)) expect(sentence).toMatch(/^[A-Z].{20,}\.$/)
  })
})
