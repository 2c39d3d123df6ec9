// Which test covers which id of the catalogue (test/conformance/catalogue.ts): read from the reports of the rings, so only tests that ran
// and passed count. Vitest's tests carry ids in their titles, cases of the conformance suite in its own report.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { CATALOGUE, WITHOUT } from '../conformance/catalogue.ts'
import { ROOT } from './build.ts'
import { REPORTS, RINGS, type Ring, SUITE_REPORT } from './rings.ts'

type RingReport = { testResults: { name: string; assertionResults: { status: string; fullName: string }[] }[] }
type SuiteReport = { covers: Record<string, string[]> }
export type Coverage = { covered: Map<string, string[]>; missing: string[]; without: string[] }

const ID = /\b(?:UG|FA|IN|CA|AZ|CR|TK|CT|CI|OW|EX|PO|HT|LF)-\d\d\b/g

const readJson = <T>(file: string): T | undefined => (existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined)

/** What the passed tests of a report say they cover: id and `file: title`. */
export const coversOf = (report: RingReport): [string, string][] =>
  report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'passed')
      .flatMap(({ fullName }) =>
        [...new Set(fullName.match(ID))].map((id): [string, string] => [id, `${relative(ROOT, name)}: ${fullName}`]),
      ),
  )

/** What the reports of these rings cover together. A ring without a report covers nothing. */
export const coverageOf = (rings: readonly Ring[], folder = REPORTS, suite = SUITE_REPORT): Coverage => {
  const covered = new Map<string, string[]>()
  const add = (id: string, test: string): void => void covered.set(id, [...(covered.get(id) ?? []), test])
  if (rings.includes('conformance'))
    for (const [id, titles] of Object.entries(readJson<SuiteReport>(suite)?.covers ?? {}))
      for (const title of titles) add(id, `conformance suite: ${title}`)
  for (const ring of rings) {
    const report = readJson<RingReport>(join(folder, `${ring}.json`))
    // The ring repeats the suite's titles, which name sections only; the suite's report is the one that knows the ids.
    for (const [id, test] of report === undefined ? [] : coversOf(report)) add(id, test)
  }
  const open = Object.keys(CATALOGUE).filter((id) => !covered.has(id))
  return { covered, missing: open.filter((id) => WITHOUT[id] === undefined), without: open.filter((id) => WITHOUT[id] !== undefined) }
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The report for people: each id, what has to hold, and the tests; many of one id are counted. */
export const asMarkdown = ({ covered }: Coverage): string =>
  [
    '# Coverage of the catalogue',
    '',
    'Made from the results of the last run; `test/conformance/catalogue.ts` has the ids.',
    '',
    '| id | what has to hold | tests |',
    '|---|---|---|',
    ...Object.entries(CATALOGUE).map(([id, says]) => {
      const tests = covered.get(id) ?? []
      const shown = tests.slice(0, 6).map(cell)
      if (tests.length > shown.length) shown.push(`and ${tests.length - shown.length} more`)
      const told = shown.length > 0 ? shown.join('<br>') : `**none**${WITHOUT[id] === undefined ? '' : `: ${WITHOUT[id]}`}`
      return `| ${id} | ${cell(says)} | ${told} |`
    }),
    '',
  ].join('\n')

/** One line for the end of a run. */
export const asLine = ({ missing, without }: Coverage): string => {
  const all = Object.keys(CATALOGUE).length
  const parts = [`catalogue: ${all - missing.length - without.length} of ${all} ids covered`]
  if (without.length > 0) parts.push(`${without.length} cannot be tested here: ${without.join(' ')}`)
  if (missing.length > 0) parts.push(`not: ${missing.join(' ')}`)
  return parts.join('; ')
}

/** Writes test/report/coverage.md from what these rings reported; answers the line for the terminal. */
export const writeCoverage = (rings: readonly Ring[]): string => {
  const coverage = coverageOf(rings)
  mkdirSync(REPORTS, { recursive: true })
  writeFileSync(join(REPORTS, 'coverage.md'), asMarkdown(coverage))
  return asLine(coverage)
}

if (import.meta.main) console.log(writeCoverage([...RINGS, 'long']))
