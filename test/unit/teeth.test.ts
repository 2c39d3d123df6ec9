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

/** Cases that no patch names, with the reason. */
const WITHOUT: Readonly<Record<string, string>> = {
  'RFC 7591 3.2.2: metadata with an array is refused': 'the schema has no place for one',
  'RFC 9700 2.1: a redirect URI with a tab inside is not the registered one':
    'refused with all others by any-redirect, which takes what is a URI',
  'RFC 9700 2.1: a redirect URI with an end of line is not the registered one': 'the same',
  'RFC 9700 2.1: a redirect URI with no scheme is not the registered one': 'the same',
  'UMA Grant 3.3.2: a claims redirect URI with a relative reference is not the registered one': 'leads back to the server itself',
  'UMA FedAuthz 5.1.1: what an RPT rests on is not told to the resource server': 'the server does not know it when it answers',
  'UMA Grant 3.3.5: a PCT does not tell what was shown': 'the same',
  'UMA Grant 5.1: the interaction of one browser is closed to another': 'the interaction is in the cookie of the browser',
  'UMA Grant 5.1: what one person showed in a browser does not count for the next': 'the same',
}

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

  it('DESIGN 15: each conformance case is shown to fail, but for those with a reason', () => {
    const red = new Set(teeth.flatMap((one) => one.red))
    expect(
      allCases
        .map(({ title }) => title)
        .filter((title) => !red.has(title))
        .sort(),
    ).toEqual(Object.keys(WITHOUT).sort())
  })
})
