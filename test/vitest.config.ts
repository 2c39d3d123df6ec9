// The rings (and the long one) as projects of one Vitest. Rings that run workers or a browser do one or two files at a time,
// because everything shares two cores.
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

const root = resolve(import.meta.dirname, '..')

type Options = { maxWorkers?: number; testTimeout?: number; hookTimeout?: number; setup?: string; folder?: string }

const ring = (name: string, { maxWorkers = 2, testTimeout = 20_000, hookTimeout = 60_000, setup, folder = name }: Options = {}) => ({
  test: {
    name,
    root,
    include: [`test/${folder}/**/*.test.{ts,tsx}`],
    environment: 'node' as const,
    // Tests leave nothing behind in globals; a process and a runtime of its own for each file would cost more than they find.
    isolate: false,
    maxWorkers,
    testTimeout,
    hookTimeout,
    retry: 0,
    ...(setup && { globalSetup: [resolve(root, 'test/support', setup)] }),
  },
  oxc: { jsx: { runtime: 'automatic' as const, importSource: 'hono/jsx' } },
  // The wallet's modules meet a browser in memory; outside an extension the polyfill refuses to load.
  resolve: { alias: { 'webextension-polyfill': resolve(root, 'test/support/fake-browser.ts') } },
})

export default defineConfig({
  root,
  // What Vitest keeps belongs with what is built.
  cacheDir: resolve(root, '.build/vitest'),
  test: {
    projects: [
      ring('unit', { testTimeout: 10_000 }),
      ring('policy', { testTimeout: 60_000 }),
      ring('conformance', { setup: 'build-setup.ts', folder: 'conformance-own' }),
      ring('workerd', { setup: 'build-setup.ts' }),
      ring('record', { setup: 'build-setup.ts' }),
      ring('two-workers', { setup: 'build-setup.ts' }),
      ring('browser', { maxWorkers: 1, testTimeout: 90_000, hookTimeout: 90_000, setup: 'browser-setup.ts' }),
      ring('long', { maxWorkers: 1, testTimeout: 600_000, hookTimeout: 120_000, setup: 'browser-setup.ts' }),
    ],
  },
})
