// `npm run test:teeth`: makes each mistake of bites.ts in a copy of the sources and runs the tests that should notice. A mistake that no
// test notices is a failure of the tests. Long: each bite of the workerd ring also builds. `npm run test:teeth -- record` bites only where
// a file's or a promise's name has that in it.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BITES, type Bite } from './bites.ts'
import { BUILD, QUIET_ENV, ROOT } from './build.ts'

const copy = join(BUILD, 'teeth')

const makeCopy = (): void => {
  rmSync(copy, { recursive: true, force: true })
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0')
  for (const file of files) {
    if (!file || !existsSync(join(ROOT, file))) continue
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    cpSync(join(ROOT, file), join(copy, file))
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
}

type Outcome = 'noticed' | 'NOT NOTICED' | 'does not apply'

type Tests = Pick<Bite, 'ring' | 'tests'>
type Report = { testResults: { assertionResults: { status: string; fullName: string }[] }[] }

/** Names of the tests that fail in the copy as it stands; undefined if none was run at all. */
const failingTests = ({ ring, tests }: Tests): Set<string> | undefined => {
  const report = join(copy, 'teeth.json')
  rmSync(report, { force: true })
  spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/vitest.config.ts',
      '--project',
      ring,
      '--reporter=json',
      `--outputFile=${report}`,
      ...(tests ? [tests] : []),
    ],
    { cwd: copy, env: { ...process.env, ...QUIET_ENV, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' }, stdio: 'ignore' },
  )
  if (!existsSync(report)) return undefined
  const all = (JSON.parse(readFileSync(report, 'utf8')) as Report).testResults.flatMap(({ assertionResults }) => assertionResults)
  return all.length === 0 ? undefined : new Set(all.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName))
}

const known = new Map<string, Set<string>>()

/** Tests that fail without any mistake prove nothing; they are run once and left out. */
const failingAnyway = (tests: Tests): Set<string> => {
  const key = `${tests.ring} ${tests.tests ?? ''}`
  const names = known.get(key) ?? failingTests(tests) ?? new Set()
  known.set(key, names)
  return names
}

const bite = (one: Bite): Outcome => {
  const path = join(copy, one.file)
  const source = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (source.split(one.find).length !== 2) return 'does not apply'
  const anyway = failingAnyway(one)
  writeFileSync(
    path,
    source.replace(one.find, () => one.put),
  )
  try {
    return [...(failingTests(one) ?? [])].some((name) => !anyway.has(name)) ? 'noticed' : 'NOT NOTICED'
  } finally {
    writeFileSync(path, source)
  }
}

makeCopy()
let failed = 0
const [wanted = ''] = process.argv.slice(2)
const bites = BITES.filter(({ breaks, file, tests }) => `${breaks} ${file} ${tests}`.includes(wanted))
for (const one of bites) {
  const begin = performance.now()
  const outcome = bite(one)
  if (outcome !== 'noticed') failed++
  console.log(`${outcome.padEnd(14)} ${((performance.now() - begin) / 1000).toFixed(0).padStart(3)} s  ${one.file}: ${one.breaks}`)
}
rmSync(copy, { recursive: true, force: true })
console.log(`${bites.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
