// What a run came to: a matrix by section of the specification for people, and JSON that maps each case to the ids it covers.
import { sectionOf } from './lib/case.ts'
import type { Outcome, RunResult } from './runner.ts'

type Row = { section: string; pass: number; fail: number; notOffered: number }

const RANK: readonly string[] = ['UMA Grant', 'UMA FedAuthz']

/** Sections in reading order: the two specifications first, then by name; numbers as numbers. */
const bySection = (a: string, b: string): number => {
  const rank = (section: string): number => {
    const at = RANK.findIndex((name) => section.startsWith(name))
    return at < 0 ? RANK.length : at
  }
  return rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true })
}

export const matrixOf = (outcomes: readonly Outcome[]): Row[] => {
  const rows = new Map<string, Row>()
  for (const { title, result } of outcomes) {
    const section = sectionOf(title)
    const row = rows.get(section) ?? { section, pass: 0, fail: 0, notOffered: 0 }
    rows.set(section, row)
    if (result === 'pass') row.pass++
    else if (result === 'fail') row.fail++
    else row.notOffered++
  }
  return [...rows.values()].sort((a, b) => bySection(a.section, b.section))
}

const line = (cells: readonly (string | number)[], width: number): string =>
  [String(cells[0]).padEnd(width), ...cells.slice(1).map((cell) => String(cell).padStart(12))].join('')

const indented = (text: string): string =>
  text
    .split('\n')
    .map((one) => `      ${one}`)
    .join('\n')

/** The whole report as text: matrix, what is not offered and why, what failed and what was said. */
export const asText = ({ issuer, outcomes, seconds }: RunResult): string => {
  const rows = matrixOf(outcomes)
  const width = Math.max(12, ...rows.map(({ section }) => section.length)) + 2
  const sum = (key: 'pass' | 'fail' | 'notOffered'): number => rows.reduce((total, row) => total + row[key], 0)
  const reasons = new Map<string, number>()
  for (const { result, reason } of outcomes) if (result === 'not offered') reasons.set(reason ?? '', (reasons.get(reason ?? '') ?? 0) + 1)
  const failed = outcomes.filter(({ result }) => result === 'fail')
  return [
    `UMA 2.0 conformance of ${issuer}`,
    '',
    line(['', 'pass', 'fail', 'not offered'], width),
    ...rows.map((row) => line([row.section, row.pass, row.fail || '', row.notOffered || ''], width)),
    line(['', sum('pass'), sum('fail'), sum('notOffered')], width),
    ...(reasons.size > 0 ? ['', 'Not offered:', ...[...reasons].map(([reason, count]) => `  ${reason} (${count})`)] : []),
    ...failed.flatMap(({ title, level, reason, exchanges = [] }) => [
      '',
      `FAILED (${level}) ${title}`,
      `  ${reason}`,
      ...exchanges.flatMap(({ request, response }) => [`    > ${indented(request).trim()}`, `    < ${indented(response).trim()}`]),
    ]),
    '',
    `${sum('pass')} passed, ${sum('fail')} failed, ${sum('notOffered')} not offered, in ${seconds.toFixed(1)} s`,
  ].join('\n')
}

/** `UMA Grant 3.3.6` stays, `RFC 7591 3.2.2` becomes `RFC 7591`. */
const chapterOf = (section: string): string => (section.startsWith('UMA') ? section : section.replace(/ [\d.]+$/, ''))

/** The matrix as a table for a README: UMA by section, the others by document. */
export const asMarkdown = ({ outcomes }: Pick<RunResult, 'outcomes'>): string => {
  const rows = matrixOf(outcomes.map((one) => ({ ...one, title: `${chapterOf(sectionOf(one.title))}:` })))
  const cells = ({ section, pass, fail, notOffered }: Row): string => `| ${section} | ${pass} | ${fail || ''} | ${notOffered || ''} |`
  const sum = (key: 'pass' | 'fail' | 'notOffered'): number => rows.reduce((total, row) => total + row[key], 0)
  const all: Row = { section: 'all', pass: sum('pass'), fail: sum('fail'), notOffered: sum('notOffered') }
  return ['| | pass | fail | not offered |', '|---|---|---|---|', ...[...rows, all].map(cells)].join('\n')
}

/** The JSON report. `covers`: each id with the cases that cover it and passed. */
export const asJson = ({ issuer, outcomes, seconds }: RunResult, profile: string): object => {
  const covers: Record<string, string[]> = {}
  for (const { ids, title, result } of outcomes) {
    if (result !== 'pass') continue
    for (const id of ids) covers[id] = [...(covers[id] ?? []), title]
  }
  const sorted = Object.entries(covers).sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
  return {
    issuer,
    profile,
    at: new Date().toISOString(),
    seconds,
    matrix: matrixOf(outcomes),
    covers: Object.fromEntries(sorted),
    cases: outcomes,
  }
}
