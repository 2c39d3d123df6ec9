// `npm run check`: types of every folder, lint and format, floors. Prints nothing but what is wrong, and a last line.
import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { ROOT, runQuietly } from './build.ts'

/** Every folder that says what its code may see; new ones are found by themselves. */
const projects = (): string[] =>
  globSync(['shared/**/tsconfig.json', 'worker/**/tsconfig.json', 'extension/**/tsconfig.json', 'test/**/tsconfig.json'], { cwd: ROOT })
    .filter((path) => !path.includes('node_modules'))
    .map((path) => dirname(path))
    .sort()

const steps: readonly (readonly [string, () => Promise<string>])[] = [
  ['types', () => runQuietly('tsc', ['-b', ...projects(), '--pretty', 'false'])],
  ['lint', () => runQuietly('biome', ['check', '--diagnostic-level=error', '--colors=off', '--max-diagnostics=60', '.'])],
  [
    'floors',
    () =>
      runQuietly('vitest', ['run', '--config', 'test/vitest.config.ts', '--project', 'unit', 'test/unit/floors.test.ts', '--reporter=dot']),
  ],
]

const done = await Promise.all(
  steps.map(async ([name, step]) => {
    try {
      await step()
      return undefined
    } catch (error) {
      return `${name}:\n${error instanceof Error ? error.message : error}\n`
    }
  }),
)
const problems = done.filter((problem) => problem !== undefined)
for (const problem of problems) console.log(problem)
console.log(problems.length === 0 ? `Types, lint and floors are in order.` : `${problems.length} of ${steps.length} checks failed.`)
process.exit(problems.length === 0 ? 0 : 1)
