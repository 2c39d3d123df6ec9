// Applies worker/store/migrations/*.sql to a local D1, and keeps the same book (`d1_migrations`) as `wrangler d1 migrations apply`.
// Each file and its entry in the book are one batch, so a file is applied wholly or not at all.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Statement<S> = { bind: (...values: unknown[]) => S; all: () => Promise<{ results: unknown[] }> }
type Database<S> = { prepare: (sql: string) => S; batch: (statements: S[]) => Promise<unknown> }

const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|;|\b(?:begin|case|end)\b/gi

/** Cuts a script into statements: comments go, strings stay whole, a trigger's BEGIN ... END stays together. */
export const splitStatements = (script: string): string[] => {
  const statements: string[] = []
  let current = ''
  let depth = 0
  let from = 0
  for (const match of script.matchAll(TOKEN)) {
    const token = match[0]
    current += script.slice(from, match.index)
    from = match.index + token.length
    if (token.startsWith('--') || token.startsWith('/*')) {
      current += ' '
      continue
    }
    if (token === ';' && depth === 0) {
      statements.push(current.trim())
      current = ''
      continue
    }
    current += token
    if (/^(begin|case)$/i.test(token)) depth++
    if (/^end$/i.test(token)) depth--
  }
  statements.push((current + script.slice(from)).trim())
  return statements.filter((statement) => statement !== '')
}

/**
 * Brings a database up to date.
 * @returns the names of the files that were applied now; throws what D1 says, with the file's name in front
 */
export const migrate = async <S extends Statement<S>>(database: Database<S>, folder: string): Promise<string[]> => {
  await database
    .prepare(
      'CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)',
    )
    .all()
  const { results } = await database.prepare('SELECT name FROM d1_migrations').all()
  const applied = new Set((results as { name: string }[]).map(({ name }) => name))
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql') && !applied.has(name))
    .sort()
  for (const name of files) {
    const statements = splitStatements(readFileSync(join(folder, name), 'utf8')).map((sql) => database.prepare(sql))
    const entry = database.prepare('INSERT INTO d1_migrations (name) VALUES (?1)').bind(name)
    try {
      await database.batch([...statements, entry])
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : error}`)
    }
  }
  return files
}
