// A database with all its tables, kept by the first server of a ring and copied by those that follow: asking D1 for it statement by
// statement takes longer than the start of the runtime itself.
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { d1File, withCopy } from './state-files.ts'

/** Copies the template into a state folder that has nothing yet. Answers whether there was one. */
export const useTemplate = (template: string, state: string): boolean => {
  const from = d1File(template)
  if (from === undefined) return false
  const to = join(state, from.slice(template.length))
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
  return true
}

/** Keeps the database of a server that has just started; the first of several that do so at once wins. */
export const keepTemplate = (template: string, state: string): void => {
  const from = d1File(state)
  if (from === undefined || existsSync(template)) return
  // Made beside and moved, so that nobody copies half of it.
  const beside = `${template}-${process.pid}`
  const file = join(beside, from.slice(state.length))
  mkdirSync(dirname(file), { recursive: true })
  withCopy(from, (database) => database.exec(`VACUUM INTO '${file}'`))
  try {
    renameSync(beside, template)
  } catch {
    rmSync(beside, { recursive: true, force: true })
  }
}
