// `node test/tools/bootstrap.mjs make-server <version>`: packs the server as it is built now, minified, as test/vectors/server-v<version>/.
// Run once for each storage version, by the last commit that writes it, before the number is raised; never overwrites.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleOf } from '../support/modules.ts'
import { packServer, serverFolder } from '../support/packed-server.ts'
import { BUILD, build, runQuietly, type WorkerConfig, WRANGLER } from './build.ts'

const version = Number(process.argv[2])
const isThere = existsSync(serverFolder(version))
if (!Number.isInteger(version) || version < 1 || isThere) {
  console.error(isThere ? `test/vectors/server-v${version} is there already.` : 'Which storage version?')
  process.exit(2)
}
await build(['as']) // writes what the bundle is bound to
const folder = mkdtempSync(join(tmpdir(), 'latchkey-server-'))
try {
  await runQuietly('wrangler', ['deploy', '--dry-run', '--minify', '-c', WRANGLER.as, '--outdir', folder])
  const config = JSON.parse(readFileSync(join(BUILD, 'as.json'), 'utf8')) as WorkerConfig
  console.log(`test/vectors/server-v${version}: ${packServer(version, { config, modules: bundleOf(folder) })} bytes`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)
