// The floors of the design, held against the sources as they are, and against sources that break them.
import { readdirSync, readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { floorViolations } from '../support/floors.ts'

const root = resolve(import.meta.dirname, '../..')

const sources = (): Map<string, string> => {
  const found = new Map<string, string>()
  for (const top of ['shared', 'worker', 'extension']) {
    for (const entry of readdirSync(resolve(root, top), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue
      const path = resolve(entry.parentPath, entry.name)
      found.set(relative(root, path), readFileSync(path, 'utf8'))
    }
  }
  return found
}

const check = (path: string, source: string): string[] => floorViolations(new Map([[path, source]]))

describe('DESIGN 2: floors', () => {
  it('DESIGN 2: every file imports from its own folder or a lower floor', () => {
    expect(floorViolations(sources()).join('\n')).toBe('')
  })

  it.each([
    ['an unknown folder', 'worker/misc/a.ts', ''],
    ['an unknown folder of the wallet', 'extension/helpers/a.ts', ''],
    ['an unknown folder below shared', 'shared/extra/a.ts', ''],
    ['an import of an unknown folder', 'worker/uma/a.ts', "import { a } from '../misc/b.ts'"],
    ['up: a token looks at an endpoint', 'worker/tokens/a.ts', "import type { B } from '../oauth/token.ts'"],
    ['sideways: store looks at objects', 'worker/store/a.ts', "import { b } from '../objects/b.ts'"],
    ['sideways: UMA looks at the owner API', 'worker/uma/a.ts', "export { b } from '../owner/b.ts'"],
    ['OAuth looks at UMA', 'worker/oauth/a.ts', "export * from '../uma/b.ts'"],
    ['a lazy import', 'worker/http/a.ts', "const b = await import('../uma/b.ts')"],
    ['an import for its effect', 'worker/http/a.ts', "import '../uma/b.ts'"],
    ['an import over several lines', 'worker/http/a.ts', "import {\n  a,\n  b,\n} from '../uma/b.ts'"],
    ['the vault looks at the server', 'worker/vault/a.ts', "import { b } from '../http/b.ts'"],
    ['the server looks at the vault', 'worker/app.ts', "import { b } from './vault/b.ts'"],
    ['the protocol looks at the client', 'shared/protocol/a.ts', "import { b } from '../challenge.ts'"],
    ['shared looks at the server', 'shared/a.ts', "import { b } from '../worker/policy/b.ts'"],
    ['a view looks at the wallet', 'extension/popup/a.tsx', "import { b } from '../wallet/b.ts'"],
    ['the content script looks at the wallet', 'extension/content/a.ts', "import { b } from '../wallet/b.ts'"],
    ['the content script looks at shared', 'extension/content/a.ts', "import { b } from '../../shared/pkce.ts'"],
    ['the wallet looks at the background', 'extension/wallet/a.ts', "import { b } from '../background/b.ts'"],
    ['the wallet looks at the server', 'extension/as/a.ts', "import { b } from '../../worker/policy/b.ts'"],
    ['a page looks at hono', 'worker/pages/a.tsx', "import { Hono } from 'hono'"],
    ['the engine looks at jose', 'worker/policy/a.ts', "import { jwtVerify } from 'jose'"],
    ['the engine looks at the runtime', 'worker/negotiation/a.ts', "import { DurableObject } from 'cloudflare:workers'"],
    ['the client looks at the runtime', 'shared/a.ts', "import { env } from 'cloudflare:workers'"],
    ['the engine reads the clock', 'worker/policy/a.ts', 'const now = Date.now()'],
    ['the engine makes a date of now', 'worker/policy/a.ts', 'const now = new Date()'],
    ['the engine draws a number', 'worker/policy/a.ts', 'const x = Math.random()'],
    ['the protocol draws bytes', 'shared/protocol/a.ts', 'crypto.getRandomValues(bytes)'],
    ['a page fetches', 'worker/pages/a.tsx', "const x = await fetch('https://example.org')"],
    ['shared code fetches by itself', 'shared/a.ts', 'const x = await fetch(url)'],
  ])('DESIGN 2: refused: %s', (_why, path, source) => {
    expect(check(path, source)).toHaveLength(1)
  })

  it.each([
    ['down by two floors', 'worker/uma/a.ts', "import { b } from '../policy/b.ts'\nimport { c } from '../../shared/protocol/c.ts'"],
    ['own folder', 'worker/policy/a.ts', "import { b } from './b.ts'"],
    ['a view with its JSX', 'worker/pages/a.tsx', "import { Fragment } from 'hono/jsx'"],
    ['a view with a built script', 'worker/pages/a.ts', "import script from '../../.build/pages/a.js'"],
    ['shared code with a fetch that was handed in', 'shared/a.ts', 'const x = await deps.fetch(url)'],
    ['a date of a given instant', 'worker/policy/a.ts', 'const x = new Date(now)'],
    ['prose about a call', 'worker/policy/a.ts', '// never Date.now() here\n/* nor fetch(url) */'],
    ['an address in a string', 'worker/policy/a.ts', "const x = 'https://example.org' // fine"],
    ['the content script and its messages', 'extension/content/a.ts', "import { m } from '../messages.ts'"],
    ['texts of the same part', 'extension/ui/a.ts', "import en from '../_locales/en/messages.json'"],
    ['a build configuration', 'worker/pages/client/vite.config.ts', "import { defineConfig } from 'vite'"],
  ])('DESIGN 2: allowed: %s', (_why, path, source) => {
    expect(check(path, source)).toEqual([])
  })
})
