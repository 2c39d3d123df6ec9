// Builds the page scripts to .build/pages/<name>.js, which assets.ts imports as text: run it before the server is bundled.
// No hashes: the names are in assets.ts; what the scripts share is an entry of its own, so that its name is fixed too.
// Beside them what developers read: the API document, made here, so that the server carries a text and no generator, and the two guides.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'
import { openApiDocument } from '../../openapi/document.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const forDevelopers: Plugin = {
  name: 'for-developers',
  generateBundle() {
    const emit = (fileName: string, source: string): string => this.emitFile({ type: 'asset', fileName, source })
    emit('openapi.txt', JSON.stringify(openApiDocument()))
    for (const guide of ['protect-your-api', 'open-a-shared-thing'])
      emit(`${guide}.txt`, readFileSync(here(`../../../shared/${guide}.md`), 'utf8'))
  },
}

export default defineConfig({
  root: here('.'),
  publicDir: false,
  plugins: [forDevelopers],
  build: {
    outDir: here('../../../.build/pages'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    rolldownOptions: {
      input: {
        claims: here('claims.ts'),
        copy: here('copy.ts'),
        developers: here('developers.ts'),
        page: here('page.ts'),
        passkey: here('passkey.ts'),
      },
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      preserveEntrySignatures: 'exports-only',
    },
  },
})
