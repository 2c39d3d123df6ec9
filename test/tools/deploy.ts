// `npm run deploy` and `npm run deploy:vault`: brings the remote database up to date, then uploads the worker. Migrations are named by
// their binding, so that the same command works in everybody's account.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { unstable_readConfig } from 'wrangler'
import { ROOT, type WorkerName, WRANGLER } from './build.ts'

const name = (process.argv[2] ?? 'as') as WorkerName
const rest = process.argv.slice(3)
const config = WRANGLER[name]
if (config === undefined) {
  console.error(`Deploy what? as or vault, not "${name}".`)
  process.exit(2)
}

const wrangler = (...args: string[]): void => {
  const done = spawnSync(join(ROOT, 'node_modules/.bin/wrangler'), [...args, '-c', config], { cwd: ROOT, stdio: 'inherit' })
  if (done.status !== 0) process.exit(done.status ?? 1)
}

const isDryRun = rest.includes('--dry-run')
for (const { binding, migrations_dir } of unstable_readConfig({ config }, { hideWarnings: true }).d1_databases) {
  if (migrations_dir && !isDryRun) wrangler('d1', 'migrations', 'apply', binding, '--remote')
}
wrangler('deploy', ...rest)
process.exit(0)
