// Builds the page scripts to .build/pages/<name>.js, which assets.ts imports as text: run it before the server is bundled.
// No hashes: the names are in assets.ts; what the scripts share is an entry of its own, so that its name is fixed too.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: here('.'),
  publicDir: false,
  build: {
    outDir: here('../../../.build/pages'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    rolldownOptions: {
      input: { claims: here('claims.ts'), copy: here('copy.ts'), page: here('page.ts'), passkey: here('passkey.ts') },
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      preserveEntrySignatures: 'exports-only',
    },
  },
})
