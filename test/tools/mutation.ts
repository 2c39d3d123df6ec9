// `npm run test:mutation [-- file[:line-line] ...]`: makes small mistakes in the rules' engine, one by one, and runs its tests against each. Prints what
// no test noticed and the share of mistakes that were noticed; those that change nothing are listed with the reason in
// test/policy/equivalent-mutants.json and do not count. Takes long; not part of `npm test`.
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Stryker } from '@stryker-mutator/core'
import { ROOT } from './build.ts'
import { REPORTS } from './rings.ts'

/** POLICY 7: of what could be noticed at all. */
const WANTED = 95

/** `line`: the source line in which it begins; `why` it makes no difference. */
type Equivalent = { file: string; line: string; original: string; replacement: string; why: string }
type Options = NonNullable<ConstructorParameters<typeof Stryker>[0]>
type Place = { line: number; column: number }
type Mistake = { file: string; line: number; text: string; original: string; replacement: string; status: string }

const equivalents = JSON.parse(readFileSync(join(ROOT, 'test/policy/equivalent-mutants.json'), 'utf8')) as Equivalent[]

/** As they were when it began. */
const sources = new Map<string, string>()

/** The text between two places of a file, both counted from one. */
const textAt = (file: string, start: Place, end: Place): string => {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line)
  const last = lines.length - 1
  return lines.map((line, n) => line.slice(n === 0 ? start.column - 1 : 0, n === last ? end.column - 1 : undefined)).join('\n')
}

const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim()

const isEquivalent = (mistake: Mistake): boolean =>
  equivalents.some(
    ({ file, line, original, replacement }) =>
      file === mistake.file &&
      line === mistake.text &&
      squeezed(original) === squeezed(mistake.original) &&
      squeezed(replacement) === squeezed(mistake.replacement),
  )

const run = async (places: readonly string[]): Promise<Mistake[]> => {
  for (const file of places.map((place) => place.replace(/:.*/, ''))) sources.set(join(ROOT, file), readFileSync(join(ROOT, file), 'utf8'))
  const stryker = new Stryker({
    mutate: [...places],
    testRunner: 'in-process',
    plugins: [join(ROOT, 'test/tools/mutation-runner.ts')],
    // Modules stay in memory.
    maxTestRunnerReuse: 100,
    coverageAnalysis: 'perTest',
    concurrency: 1,
    tempDirName: '.build/stryker',
    ignorePatterns: ['/.build', '/.wrangler', '/.latchkey', '/extension', '/test/report', '/test/pictures', '/test/vectors'],
    reporters: ['telling', process.stdout.isTTY ? 'progress' : 'progress-append-only'],
    timeoutMS: 60_000,
    disableTypeChecks: false,
    checkers: [],
    allowEmpty: true,
    logLevel: 'error' as NonNullable<Options['logLevel']>,
    // Stryker would rewrite it with an interface that TypeScript 7 does not have.
    tsconfigFile: 'none',
  })
  const results = await stryker.runMutationTest()
  return results.map(({ fileName, location, replacement, status }) => ({
    file: relative(ROOT, join(ROOT, relative(ROOT, fileName))),
    line: location.start.line,
    text: textAt(join(ROOT, relative(ROOT, fileName)), { ...location.start, column: 1 }, { ...location.start, column: 1000 }).trim(),
    original: textAt(join(ROOT, relative(ROOT, fileName)), location.start, location.end),
    replacement,
    status,
  }))
}

const wanted = process.argv.slice(2).map((text) => text.split(':') as [string, string?])
const files = globSync(['worker/policy/*.ts', 'worker/negotiation/*.ts'], { cwd: ROOT })
  .filter((file) => wanted.length === 0 || wanted.some(([text]) => file.includes(text)))
  .sort()
const places = files.flatMap((file) => {
  const lines = wanted.flatMap(([text, range]) => (file.includes(text) && range !== undefined ? [`${file}:${range}`] : []))
  return lines.length > 0 ? lines : [file]
})
const mistakes = (await run(places)).filter(({ status }) => status !== 'Ignored' && status !== 'CompileError' && status !== 'RuntimeError')
const counted = mistakes.filter((one) => !isEquivalent(one))
const unseen = counted.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
for (const { file, line, original, replacement, status } of unseen)
  console.log(
    `${file}:${line} ${status === 'NoCoverage' ? 'never run' : 'not noticed'}\n  - ${squeezed(original).slice(0, 160)}\n  + ${squeezed(replacement).slice(0, 160)}`,
  )
for (const file of files) {
  const own = counted.filter((one) => one.file === file)
  const seen = own.length - own.filter((one) => unseen.includes(one)).length
  if (own.length > 0)
    console.log(
      `${file.padEnd(32)} ${String(seen).padStart(5)} of ${String(own.length).padStart(5)}  ${((100 * seen) / own.length).toFixed(1)} %`,
    )
}
const score = counted.length === 0 ? 0 : (100 * (counted.length - unseen.length)) / counted.length
if (!existsSync(REPORTS)) mkdirSync(REPORTS, { recursive: true })
writeFileSync(join(REPORTS, 'mutation.json'), JSON.stringify({ at: new Date().toISOString(), score, files, mistakes }, undefined, 2))
const gone =
  wanted.length > 0 ? [] : equivalents.filter((one) => !mistakes.some(({ file, text }) => file === one.file && text === one.line))
for (const { file, original } of gone) console.log(`No longer there, take it off the list: ${file}: ${original}`)
console.log(
  `${counted.length - unseen.length} of ${counted.length} noticed, ${score.toFixed(1)} % (wanted: ${WANTED} %); ${mistakes.length - counted.length} make no difference`,
)
process.exit(score >= WANTED && gone.length === 0 ? 0 : 1)
