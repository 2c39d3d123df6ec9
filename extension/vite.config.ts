// Builds the wallet into .build/extension/<browser>: `vite build -c extension/vite.config.ts [--mode firefox]`.
// Pages and background are modules; the content script is one classic file, since a page's isolated world loads no modules.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build, defineConfig, type InlineConfig, type Plugin } from 'vite'
import { manifest, type Target } from './manifest.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const version = (JSON.parse(readFileSync(here('../package.json'), 'utf8')) as { version: string }).version

const shared = (target: Target): InlineConfig => ({
  root: here('.'),
  configFile: false,
  publicDir: false,
  logLevel: 'warn',
  resolve: { alias: { 'webextension-polyfill': here('browser.ts') } },
  define: { __VERSION__: JSON.stringify(version), __PORTS__: JSON.stringify(target === 'chrome') },
  build: { outDir: here(`../.build/extension/${target}`), target: 'es2024', minify: false, sourcemap: false },
})

/** Puts manifest, catalogues and pictures beside the bundles, then builds the content script into the same folder. */
const parts = (target: Target): Plugin => ({
  name: 'wallet-parts',
  generateBundle() {
    const add = (fileName: string, source: string | Uint8Array): void => void this.emitFile({ type: 'asset', fileName, source })
    add('manifest.json', JSON.stringify(manifest(target, version), null, 2))
    for (const locale of readdirSync(here('_locales'))) {
      add(`_locales/${locale}/messages.json`, readFileSync(here(`_locales/${locale}/messages.json`)))
    }
    for (const icon of readdirSync(here('icons'))) add(`icons/${icon}`, readFileSync(here(`icons/${icon}`)))
    for (const picture of ['icons.svg', 'logo.svg']) add(picture, readFileSync(here(`../worker/pages/assets/${picture}`)))
  },
  async closeBundle() {
    const base = shared(target)
    await build({
      ...base,
      build: {
        ...base.build,
        emptyOutDir: false,
        lib: { entry: here('content/bridge.ts'), formats: ['iife'], name: 'latchkeyBridge', fileName: () => 'content/bridge.js' },
      },
    })
  },
})

export default defineConfig(({ mode }) => {
  const target: Target = mode === 'firefox' ? 'firefox' : 'chrome'
  const base = shared(target)
  return {
    ...base,
    plugins: [parts(target)],
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      ...base.build,
      emptyOutDir: true,
      modulePreload: { polyfill: false },
      rollupOptions: {
        input: {
          background: here('background/index.ts'),
          popup: here('popup.html'),
          dashboard: here('dashboard.html'),
          consent: here('consent.html'),
        },
        output: { entryFileNames: '[name].js', chunkFileNames: 'parts/[name].js', assetFileNames: 'parts/[name][extname]' },
      },
    },
  }
})
