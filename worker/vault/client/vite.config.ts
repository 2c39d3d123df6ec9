// Builds what the vault's pages load to .build/vault-client, which assets.ts imports as text: run it before the vault is bundled.
// No hashes: the names stand in assets.ts. Style sheet and drawings are those of all surfaces.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const drawings: Plugin = {
  name: 'vault-drawings',
  generateBundle() {
    for (const name of ['icons.svg', 'logo.svg']) {
      this.emitFile({ type: 'asset', fileName: name, source: readFileSync(here(`../../pages/assets/${name}`)) })
    }
  },
}

export default defineConfig({
  root: here('.'),
  publicDir: false,
  plugins: [drawings],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: here('../../../.build/vault-client'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    rolldownOptions: {
      input: { app: here('main.tsx'), open: here('open.ts') },
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name].js', assetFileNames: 'app[extname]' },
    },
  },
})
