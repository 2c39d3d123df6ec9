// Servers of earlier storage versions as test vectors: the bundle that the last commit of a version deploys, minified and compressed, so
// that a step back can be taken for real. Its tables need no migration: it runs on state that a later server has written.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { ROOT, type WorkerConfig } from '../tools/build.ts'
import type { Module, Source } from './modules.ts'

export const serverFolder = (version: number): string => join(ROOT, `test/vectors/server-v${version}`)
const fileOf = (version: number): string => join(serverFolder(version), 'server.json.br')

type Packed = { config: WorkerConfig; modules: { type: Module['type']; path: string; contents: string }[] }

/** Packs a bundle as test/vectors/server-v<version>/; answers its size. What it is bound to loses every path of this machine. */
export const packServer = (version: number, { config, modules }: Source): number => {
  const { rootPath: _, ...workerOptions } = config.workerOptions
  const packed: Packed = {
    config: { name: config.name, migrationsDir: undefined, workerOptions },
    modules: modules.map(({ type, path, contents }) => {
      if (typeof contents !== 'string') throw new Error(`${path} is no text`)
      return { type, path, contents }
    }),
  }
  const text = JSON.stringify(packed)
  if (text.includes(ROOT)) throw new Error(`something names ${ROOT}`)
  const bytes = brotliCompressSync(text, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: text.length },
  })
  mkdirSync(serverFolder(version), { recursive: true })
  writeFileSync(fileOf(version), bytes)
  return bytes.byteLength
}

/** The server of the last commit that wrote a storage version. Throws if nobody packed it (test/tools/make-server.ts). */
export const unpackServer = (version: number): Source => {
  const { config, modules } = JSON.parse(brotliDecompressSync(readFileSync(fileOf(version))).toString()) as Packed
  return { config, modules }
}
