// The command: node main.ts --url <issuer> [--profile file.mjs] [--only text]... [--level must|should|good] [--jobs n] [--report out.json] [--markdown file.md]
// Every other --name value is for the profile. Ends with 0 only if something passed and nothing failed.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { allCases } from './cases/all.ts'
import type { Profile } from './contract.ts'
import type { Case, Level } from './lib/case.ts'
import { asJson, asMarkdown, asText } from './report.ts'
import { runSuite } from './runner.ts'

const LEVELS: readonly Level[] = ['must', 'should', 'good']

/** `--name value` pairs; a name may come several times. Throws for anything else. */
export const readArguments = (words: readonly string[]): Map<string, string[]> => {
  const read = new Map<string, string[]>()
  for (let at = 0; at < words.length; at += 2) {
    const [name = '', value] = words.slice(at, at + 2)
    if (!/^--[a-z-]+$/.test(name) || value === undefined)
      throw new Error(`I do not understand "${name}${value === undefined ? '' : ` ${value}`}".`)
    read.set(name.slice(2), [...(read.get(name.slice(2)) ?? []), value])
  }
  return read
}

/** The profile in a file; `profiles/latchkey.mjs` unless told. */
export const loadProfile = async (file?: string): Promise<Profile> => {
  const path = file === undefined ? join(import.meta.dirname, 'profiles/latchkey.mjs') : resolve(file)
  const module = (await import(pathToFileURL(path).href)) as { profile?: Profile }
  if (module.profile === undefined) throw new Error(`${path} exports no "profile".`)
  return module.profile
}

/** Cases whose title contains one of the texts, or that cover one of them as an id; all if there is none. */
export const chosen = (cases: readonly Case[], only: readonly string[], level: Level = 'good'): Case[] =>
  cases.filter(
    (one) =>
      LEVELS.indexOf(one.level) <= LEVELS.indexOf(level) &&
      (only.length === 0 || only.some((text) => one.title.includes(text) || one.ids.includes(text))),
  )

/** Puts a table where a file has room for it: between the lines `<!-- matrix -->` and `<!-- end -->`. Throws if it has none. */
const putTable = (file: string, table: string): void => {
  const text = readFileSync(file, 'utf8')
  const before = text.indexOf('<!-- matrix -->\n')
  const after = text.indexOf('<!-- end -->', before)
  if (before < 0 || after < 0) throw new Error(`${file} has no lines "<!-- matrix -->" and "<!-- end -->".`)
  writeFileSync(file, `${text.slice(0, before)}<!-- matrix -->\n${table}\n${text.slice(after)}`)
}

/** Runs the suite as the command line says and prints the report; answers the exit code. */
export const conformance = async (words: readonly string[]): Promise<number> => {
  const given = readArguments(words)
  const one = (name: string): string | undefined =>
    given.get(name)?.at(-1) ?? process.env[`CONFORMANCE_${name.toUpperCase().replaceAll('-', '_')}`]
  const url = one('url')
  if (url === undefined) throw new Error('Say which server: --url <issuer>')
  const level = (one('level') ?? 'good') as Level
  if (!LEVELS.includes(level)) throw new Error(`--level is one of ${LEVELS.join(', ')}.`)
  const cases = chosen(allCases, given.get('only') ?? [], level)
  if (cases.length === 0) throw new Error('No case fits --only.')
  const profile = await loadProfile(one('profile'))
  const result = await runSuite({ url, profile, cases, jobs: Number(one('jobs') ?? 6), option: one })
  console.log(asText(result))
  const report = one('report')
  if (report !== undefined) writeFileSync(report, `${JSON.stringify(asJson(result, profile.name), undefined, 2)}\n`)
  const markdown = one('markdown')
  if (markdown !== undefined) putTable(markdown, asMarkdown(result))
  const has = (wanted: string): boolean => result.outcomes.some((outcome) => outcome.result === wanted)
  return has('pass') && !has('fail') ? 0 : 1
}

if (import.meta.main) {
  try {
    process.exitCode = await conformance(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 2
  }
}
