// The matrix of the conformance suite in a few lines, for the end of its ring.
import { existsSync, readFileSync } from 'node:fs'
import { SUITE_REPORT } from './rings.ts'

type Row = { section: string; pass: number; fail: number; notOffered: number }

/** What a section stands under: the two UMA specifications by name, the rest together. */
const groupOf = (section: string): string => /^UMA \w+/.exec(section)?.[0] ?? 'OAuth RFCs'

/** One line for each group; none if the suite has left no report. */
export const suiteSummary = (file = SUITE_REPORT): string[] => {
  if (!existsSync(file)) return []
  const { matrix } = JSON.parse(readFileSync(file, 'utf8')) as { matrix: Row[] }
  const sums = new Map<string, Row>()
  for (const { section, pass, fail, notOffered } of matrix) {
    const name = groupOf(section)
    const sum = sums.get(name) ?? { section: name, pass: 0, fail: 0, notOffered: 0 }
    sums.set(name, { section: name, pass: sum.pass + pass, fail: sum.fail + fail, notOffered: sum.notOffered + notOffered })
  }
  return [...sums.values()].map(({ section, pass, fail, notOffered }) =>
    `${section.padEnd(12)} ${String(pass).padStart(5)} pass ${fail > 0 ? `${String(fail).padStart(4)} fail` : ''}${notOffered > 0 ? `  ${notOffered} not offered` : ''}`.trimEnd(),
  )
}
