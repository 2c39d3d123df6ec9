// `npm run conformance -- --url <issuer> ...`: the conformance suite against a server that runs somewhere. Without --url it starts one of
// our own, and is about that one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conformance } from '../conformance/main.ts'
import { serveForConformance } from '../support/conformance.ts'
import { startAs } from '../support/story.ts'
import { build } from './build.ts'

const againstOurOwn = async (words: readonly string[]): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-conformance-'))
  await build(['as'])
  const as = await startAs({ folder, wrap: true })
  const served = await serveForConformance(as)
  try {
    return await conformance([...Object.entries(served.options).flatMap(([name, value]) => [`--${name}`, value]), ...words])
  } finally {
    served.stop()
    await as.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const words = process.argv.slice(2)
let code = 2
try {
  code = await (words.includes('--url') ? conformance(words) : againstOurOwn(words))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
}
process.exit(code)
