// Every npm script goes through here: installs what is missing, then runs test/tools/<name>.ts with Node 24. Plain JavaScript
// without a dependency, because it has to run on a fresh clone with whatever Node (20 or newer) the machine has.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const [name, ...rest] = process.argv.slice(2)

const stop = (sentence, detail = '') => {
  process.stderr.write(`${sentence}\n${detail.trim() ? `${detail.trim().split('\n').slice(-20).join('\n')}\n` : ''}`)
  process.exit(1)
}

const quietly = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'pipe'], ...options })

/** True if npm wrote its own lock file after the repository's was last changed, and for the same packages. */
const isInstalled = () => {
  const own = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(own)) return false
  if (statSync(own).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs) return true
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const found = JSON.parse(readFileSync(own, 'utf8')).packages
  return Object.entries(wanted).every(([path, entry]) => path === '' || entry.optional || found[path]?.version === entry.version)
}

const install = () => {
  if (isInstalled()) return
  if (process.stderr.isTTY) process.stderr.write('Installing packages (once, half a minute) ...\n')
  const command = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  // A broken half of an earlier try must not look like a whole one.
  rmSync(join(root, 'node_modules/.package-lock.json'), { force: true })
  const done = quietly(command, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { shell: process.platform === 'win32' })
  if (done.error) stop(`npm could not be started: ${done.error.message}`)
  if (done.status !== 0) stop('npm ci failed, so nothing can run. What npm said:', `${done.stdout}\n${done.stderr}`)
}

/** Node 24 from node_modules where the registry has a build for this machine, else the Node that runs this, if it is new enough. */
const nodeBinary = () => {
  const own = join(root, 'node_modules/.bin/node')
  if (existsSync(own)) return own
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 2)) return process.execPath
  return stop(
    `No Node 24 for ${process.platform}-${process.arch} came with the packages. Please run this with Node 24 (here: ${process.version}).`,
  )
}

const has = (command) => (process.env.PATH ?? '').split(':').some((folder) => folder && existsSync(join(folder, command)))

/** Chromium, a virtual display and a keyboard for the browser ring; from the system's packages where that is allowed. */
const browserTools = () => {
  const chromium = process.env.CHROMIUM ? [] : ['chromium']
  const wanted = [...chromium, 'Xvfb', 'xdotool'].filter((command) => !has(command))
  if (wanted.length === 0 || process.platform !== 'linux') return
  const packages = wanted.map((command) => (command === 'Xvfb' ? 'xvfb' : command))
  const list = packages.join(', ')
  if (!has('apt-get')) stop(`The browser tests need ${list}, and this machine has no apt-get. Please install them and run this again.`)
  if (process.getuid?.() !== 0) stop(`The browser tests need ${list}. Please run: sudo apt-get install ${packages.join(' ')}`)
  if (process.stderr.isTTY) process.stderr.write(`Installing ${list} for the browser tests (once) ...\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args) => quietly('apt-get', ['-q', '-y', ...args], { env })
  if (apt('install', '--no-install-recommends', ...packages).status === 0) return
  apt('update')
  const done = apt('install', '--no-install-recommends', ...packages)
  if (done.status !== 0)
    stop(`The browser tests need ${list}, and apt-get could not install them. What it said:`, `${done.stdout}\n${done.stderr}`)
}

const run = () => {
  const env = { ...process.env }
  env.PATH = `${join(root, 'node_modules/.bin')}:${env.PATH ?? ''}`
  // Quiet and offline: no banner, no metrics, no lookup of the request's place on earth (RUNTIME 1).
  Object.assign(env, {
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    X_LOCAL_OBSERVABILITY: 'false',
    X_LOCAL_EXPLORER: 'false',
  })
  const child = spawn(nodeBinary(), ['--disable-warning=ExperimentalWarning', join(root, `test/tools/${name}.ts`), ...rest], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  // A terminal sends Ctrl-C to the whole group; a service manager sends its signal to this process alone.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void child.kill(signal))
  // npm does not hand a signal on to us; when it is gone, so is whoever wanted this to run.
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500).unref()
  child.on('error', (error) => stop(`Could not start Node: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

if (!name || !/^[a-z-]+$/.test(name) || !existsSync(join(root, `test/tools/${name}.ts`))) stop(`Unknown tool: ${name ?? '(none)'}`)
install()
const wantsBrowser = (name === 'test' && (rest.length === 0 || rest.includes('browser'))) || name === 'test-all'
if (wantsBrowser) browserTools()
run()
