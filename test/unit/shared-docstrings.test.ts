// Every function that shared/ hands out says what it is for, which section it serves, how it fails, and the unit of its times.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describedIn, documentedIn, gapsOf, handedOut } from '../support/docstrings.ts'

const SHARED = resolve(import.meta.dirname, '../../shared')
const sources = readdirSync(SHARED, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(SHARED, file), 'utf8') }))
const functions = sources.flatMap(({ file, text }) => documentedIn(file, text))

const gaps = (source: string): string[] => documentedIn('a.ts', source).flatMap(gapsOf)

describe('STYLE 4: docstrings of what others install', () => {
  it('STYLE 4: every exported function of shared/ has a complete one', () => {
    expect(functions.length).toBeGreaterThan(40)
    expect(functions.flatMap((one) => gapsOf(one).map((gap) => `${one.file}: ${one.name} ${gap}`)).join('\n')).toBe('')
  })

  it.each(['uma-client.ts', 'resource-server.ts'])('STYLE 4: every type, too, that %s hands out', (entry) => {
    const described = new Set(sources.flatMap(({ text }) => describedIn(text)))
    const names = handedOut(sources.find(({ file }) => file === entry)?.text ?? '')
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((name) => !described.has(name))).toEqual([])
  })

  it('STYLE 4: a type is found out, and one that is read off a schema has its words', () => {
    const source = '/** RFC 1 1: a. */\nexport const a = v.string()\nexport type A = v.InferOutput<typeof a>\nexport type B = string\n'
    expect([handedOut(source), describedIn(source)]).toEqual([
      ['a', 'A', 'B'],
      ['a', 'A'],
    ])
    expect(handedOut("export { type A, b } from './a.ts'\nexport type { C } from './c.ts'\n")).toEqual(['A', 'b', 'C'])
  })

  it.each([
    ['none', 'export function a(): void {\n}', 'has no docstring'],
    ['a comment that is none', '// RFC 6749 6: makes an a\nexport function a(): void {\n}', 'has no docstring'],
    ['one of somebody else', '/** RFC 6749 6: makes a b of it */\nconst b = 1\nexport const a = (): void => {\n}', 'has no docstring'],
    ['no section', '/** Makes an a out of a b. */\nexport function a(): void {\n}', 'names no section'],
    [
      'no failure',
      '/** Makes an a (RFC 6749 6). */\nexport async function a(): Promise<string> {\n}',
      'does not say what happens when it cannot',
    ],
    [
      'no unit',
      '/** Makes an a (RFC 6749 6), throws. */\nexport const a = (now: number): string =>\n  b',
      'does not say that times are seconds',
    ],
  ])('STYLE 4: found out: %s', (_what, source, gap) => {
    expect(gaps(source)).toEqual([gap])
  })
})
