// `npm run test:teeth [-- text ...] [--jobs n]`: makes each mistake of test/teeth/*.patch in a copy of the sources and runs the tests that
// should notice; with texts, only patches whose name holds one of them. Several copies at a time, one for each core unless told.
// A mistake that nobody notices is a failure of the tests.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { BUILD, ROOT } from './build.ts'
import { makeCopy, readPatch, type Tooth, toothFiles } from './teeth-copy.ts'
import { endRuns, passing, ran } from './teeth-run.ts'

type Outcome = { kind: 'noticed' | 'does not apply' } | { kind: 'NOT NOTICED' | 'does not run'; by: string[] }

const COPIES = join(BUILD, 'teeth')

// Outside of any repository, so that paths are those of the copy.
const git = (copy: string, args: readonly string[], file: string): boolean =>
  spawnSync('git', [...args, file], { cwd: copy, env: { ...process.env, GIT_CEILING_DIRECTORIES: COPIES }, stdio: 'ignore' }).status === 0

const words = process.argv.slice(2)
const at = words.indexOf('--jobs')
const jobs = at < 0 ? Math.min(availableParallelism(), 4) : Number(words.splice(at, 2)[1])
const teeth = toothFiles(join(ROOT, 'test/teeth'))
  .filter((path) => words.length === 0 || words.some((text) => path.includes(text)))
  .map(readPatch)
const suite = { ring: 'conformance', tests: [], red: teeth.filter(({ ring }) => ring === 'conformance').flatMap(({ red }) => red) } as const

const bite = async (copy: string, tooth: Tooth): Promise<Outcome> => {
  const unbroken = await passing(copy, tooth.ring === 'conformance' ? suite : tooth)
  if (!git(copy, ['apply', '-C1'], tooth.path)) return { kind: 'does not apply' }
  try {
    const { failed, said } = await ran(copy, tooth)
    if (failed === undefined) return { kind: 'does not run', by: said.trim().split('\n').slice(-8) }
    // Each test that the patch names must turn red; if it names none, any that was green before.
    const missed = tooth.red.filter((title) => !failed.has(title) || !unbroken.has(title))
    const isNoticed = tooth.red.length > 0 ? missed.length === 0 : [...failed].some((name) => unbroken.has(name))
    return isNoticed ? { kind: 'noticed' } : { kind: 'NOT NOTICED', by: missed.map((title) => `not turned red: ${title}`) }
  } finally {
    git(copy, ['apply', '-C1', '--reverse'], tooth.path)
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    endRuns()
    process.exit(130)
  })
}

rmSync(COPIES, { recursive: true, force: true })
const begun = performance.now()
let failed = 0
let next = 0
const work = async (_: unknown, index: number): Promise<void> => {
  const copy = join(COPIES, String(index))
  makeCopy(copy)
  for (let tooth = teeth[next++]; tooth !== undefined; tooth = teeth[next++]) {
    const begin = performance.now()
    const outcome = await bite(copy, tooth)
    if (outcome.kind !== 'noticed') failed++
    console.log(
      `${outcome.kind.padEnd(14)} ${((performance.now() - begin) / 1000).toFixed(0).padStart(3)} s  ${tooth.name}: ${tooth.breaks}`,
    )
    if ('by' in outcome) for (const line of outcome.by) console.log(`${' '.repeat(22)}${line}`)
  }
}
await Promise.all(Array.from({ length: Math.min(jobs, teeth.length) }, work))
console.log(`${teeth.length - failed} passed, ${failed} failed, in ${((performance.now() - begun) / 60_000).toFixed(1)} min`)
process.exit(failed === 0 && teeth.length > 0 ? 0 : 1)
