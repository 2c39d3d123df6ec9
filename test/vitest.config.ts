// The four rings (and the long ones) as projects of one Vitest. Rings of the runtime share two cores, so they run few files at a time.
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

const root = resolve(import.meta.dirname, '..')
const ring = (name: string, options: object = {}) => ({
  test: {
    name,
    root,
    include: [`test/${name}/**/*.test.{ts,tsx}`],
    environment: 'node',
    // Tests leave nothing behind in globals, and a process of its own for each file costs more than it finds.
    isolate: false,
    fileParallelism: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    retry: 0,
    ...options,
  },
})

export default defineConfig({
  root,
  // Vitest's cache belongs with what is built, not into node_modules.
  cacheDir: resolve(root, '.build/vitest'),
  esbuild: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'hono/jsx' } },
  test: {
    projects: [
      ring('unit', { fileParallelism: true, testTimeout: 10_000 }),
      ring('workerd'),
      ring('two-workers'),
      ring('browser', { testTimeout: 60_000, hookTimeout: 90_000 }),
      ring('long', { testTimeout: 600_000, hookTimeout: 120_000 }),
    ],
  },
})
