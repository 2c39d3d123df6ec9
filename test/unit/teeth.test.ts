// Broken variants (test/teeth) say what they break and who notices; what they name exists. Whether it notices is `npm run test:teeth`.
import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { allCases } from '../conformance/cases/all.ts'
import { ROOT } from '../tools/build.ts'
import { readPatch, toothFiles } from '../tools/teeth-copy.ts'

const teeth = toothFiles(join(ROOT, 'test/teeth')).map(readPatch)

/** Files that a patch changes. */
const changed = (path: string): string[] => [...readFileSync(path, 'utf8').matchAll(/^\+\+\+ b\/(.+)$/gm)].map(([, file = '']) => file)

describe('broken variants', () => {
  it('DESIGN 15: a patch names a ring with tests that exist, or cases of the conformance suite that exist', () => {
    const titles = new Set(allCases.map(({ title }) => title))
    const wrong = teeth.flatMap(({ name, ring, tests, red }) => [
      ...(ring === 'conformance' ? red.filter((title) => !titles.has(title)) : []),
      ...tests.filter((filter) => globSync(`${filter}*`, { cwd: ROOT }).length === 0),
      ...(ring !== 'conformance' && tests.length === 0 ? [`${name} names no tests`] : []),
    ])
    expect(wrong).toEqual([])
  })

  it('DESIGN 15: a patch changes files that exist', () => {
    const gone = teeth.flatMap(({ path }) => changed(path)).filter((file) => !existsSync(join(ROOT, file)))
    expect(gone).toEqual([])
  })

  it('DESIGN 15: a patch applies to the sources as they are; who moves them moves the patch along', async () => {
    const applies = promisify(execFile)
    const stale = await Promise.all(
      teeth.map(({ name, path }) =>
        applies('git', ['apply', '-C1', '--check', path], { cwd: ROOT }).then(
          () => [],
          () => [name],
        ),
      ),
    )
    expect(stale.flat()).toEqual([])
  }, 30_000)

  it('DESIGN 15: each conformance case is shown to fail', () => {
    const red = new Set(teeth.flatMap((one) => one.red))
    expect(allCases.map(({ title }) => title).filter((title) => !red.has(title))).toEqual([])
  })
})
