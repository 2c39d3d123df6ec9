// `npm run test:teeth [-- text ...]`: makes each mistake of test/teeth/*.patch in a copy of the sources and runs the tests that should notice;
// with texts, only patches whose name holds one of them. A mistake that nobody notices is a failure of the tests.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { BUILD, ROOT } from './build.ts'
import { makeCopy, readPatch, type Tooth, toothFiles } from './teeth-copy.ts'
import { failures, passing } from './teeth-run.ts'

type Outcome = { kind: 'noticed' } | { kind: 'NOT NOTICED'; by: string[] } | { kind: 'does not apply' } | { kind: 'does not build' }

const copy = join(BUILD, 'teeth')

// Outside of any repository, so that paths are those of the copy.
const git = (args: readonly string[], file: string): boolean =>
  spawnSync('git', [...args, file], { cwd: copy, env: { ...process.env, GIT_CEILING_DIRECTORIES: BUILD }, stdio: 'ignore' }).status === 0

const wanted = process.argv.slice(2)
const teeth = toothFiles(join(ROOT, 'test/teeth'))
  .filter((path) => wanted.length === 0 || wanted.some((text) => path.includes(text)))
  .map(readPatch)
const suite = { ring: 'conformance', tests: [], red: teeth.filter(({ ring }) => ring === 'conformance').flatMap(({ red }) => red) } as const

const bite = (tooth: Tooth): Outcome => {
  const unbroken = passing(copy, tooth.ring === 'conformance' ? suite : tooth)
  if (!git(['apply', '-C1'], tooth.path)) return { kind: 'does not apply' }
  try {
    const failed = failures(copy, tooth)
    if (failed === undefined) return { kind: 'does not build' }
    // Each test that the patch names must turn red; if it names none, any that was green before.
    const missed = tooth.red.filter((title) => !failed.has(title) || !unbroken.has(title))
    const isNoticed = tooth.red.length > 0 ? missed.length === 0 : [...failed].some((name) => unbroken.has(name))
    return isNoticed ? { kind: 'noticed' } : { kind: 'NOT NOTICED', by: missed }
  } finally {
    git(['apply', '-C1', '--reverse'], tooth.path)
  }
}

makeCopy(copy)
let failed = 0
for (const tooth of teeth) {
  const begin = performance.now()
  const outcome = bite(tooth)
  if (outcome.kind !== 'noticed') failed++
  console.log(`${outcome.kind.padEnd(14)} ${((performance.now() - begin) / 1000).toFixed(0).padStart(3)} s  ${tooth.name}: ${tooth.breaks}`)
  if (outcome.kind === 'NOT NOTICED') for (const title of outcome.by) console.log(`${' '.repeat(22)}not turned red: ${title}`)
}
console.log(`${teeth.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 && teeth.length > 0 ? 0 : 1)
