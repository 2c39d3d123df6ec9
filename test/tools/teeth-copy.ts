// Patches that break one defence each (test/teeth), and the copy of the sources in which they are tried.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ROOT } from './build.ts'
import type { Ring } from './rings.ts'

/** What a patch says of itself above the first `---`. */
export type Tooth = {
  name: string
  path: string
  /** What the mistake would mean. */
  breaks: string
  /** A ring of tests, or the conformance suite. */
  ring: Ring | 'conformance'
  /** Test files, as Vitest filters them. */
  tests: string[]
  /** Titles that must turn red. */
  red: string[]
}

export const toothFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.patch'))
    .sort()
    .map((name) => join(folder, name))

/** Throws for a patch that does not say what it breaks and who notices. */
export const readPatch = (path: string): Tooth => {
  const head = (readFileSync(path, 'utf8').split(/^--- /m)[0] ?? '').split('\n')
  const all = (name: string): string[] => head.flatMap((line) => (line.startsWith(`${name}: `) ? line.slice(name.length + 2) : []))
  const [breaks, ring] = [all('Breaks')[0], all('Ring')[0]]
  const tooth = { name: basename(path, '.patch'), path, tests: all('Tests'), red: all('Red') }
  if (breaks === undefined || ring === undefined) throw new Error(`${path} needs the lines "Breaks:" and "Ring:".`)
  if (ring === 'conformance' && tooth.red.length === 0) throw new Error(`${path} names no case ("Red:").`)
  return { ...tooth, breaks, ring: ring as Tooth['ring'] }
}

/** Copies what git knows, and what is new and not ignored; packages are linked. */
export const makeCopy = (copy: string): void => {
  rmSync(copy, { recursive: true, force: true })
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0')
  for (const file of files) {
    if (!file || file === 'node_modules' || !existsSync(join(ROOT, file)) || file.startsWith('test/report/')) continue
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    cpSync(join(ROOT, file), join(copy, file))
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
}
