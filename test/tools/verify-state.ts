// `npm run verify-state [folder]`: does every owner's live copy agree with the record? One line an owner, then its differences.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { verifyState } from '../support/verify-state.ts'
import { ROOT } from './build.ts'

const given = process.argv[2]
const folder = given ? resolve(given) : join(ROOT, '.latchkey/as')
const state = existsSync(join(folder, 'as')) ? join(folder, 'as') : folder

try {
  const reports = verifyState(state)
  for (const { owner, summary, differences } of reports) {
    console.log(`${owner}  ${differences.length === 0 ? 'agrees' : 'DIFFERS'}  (${summary})`)
    for (const difference of differences) console.log(`    ${difference}`)
  }
  const wrong = reports.filter(({ differences }) => differences.length > 0).length
  console.log(
    wrong === 0
      ? `${reports.length === 1 ? '1 owner' : `${reports.length} owners`}: object and record agree`
      : `${wrong} of ${reports.length} owners differ`,
  )
  process.exit(wrong === 0 ? 0 : 1)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(2)
}
