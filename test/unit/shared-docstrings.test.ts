// Every function that shared/ hands out says what it is for, which section it serves, how it fails, and the unit of its times; those of the
// two kits also what goes in and what comes out.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describedIn, documentedIn, gapsOf, handedOut, passedOn, unsaidOf } from '../support/docstrings.ts'

const SHARED = resolve(import.meta.dirname, '../../shared')
const sources = readdirSync(SHARED, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(SHARED, file), 'utf8') }))
const functions = sources.flatMap(({ file, text }) => documentedIn(file, text))

const textOf = (entry: string): string => sources.find(({ file }) => file === entry)?.text ?? ''
/** What somebody who installs the package can call. */
const namesOf = (entry: string): string[] => [entry, ...passedOn(textOf(entry))].flatMap((file) => handedOut(textOf(file)))

const gaps = (source: string): string[] => documentedIn('a.ts', source).flatMap(gapsOf)

describe('STYLE 4: docstrings of what others install', () => {
  it('STYLE 4: every exported function of shared/ has a complete one', () => {
    expect(functions.length).toBeGreaterThan(40)
    expect(functions.flatMap((one) => gapsOf(one).map((gap) => `${one.file}: ${one.name} ${gap}`)).join('\n')).toBe('')
  })

  it.each(['uma-client.ts', 'resource-server.ts'])('STYLE 4: every type, too, that %s hands out', (entry) => {
    const described = new Set(sources.flatMap(({ text }) => describedIn(text)))
    const names = namesOf(entry)
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((name) => !described.has(name))).toEqual([])
  })

  it.each(['uma-client.ts', 'resource-server.ts'])('STYLE 4: what goes in and what comes out of each function of %s', (entry) => {
    const names = namesOf(entry)
    const called = functions.filter(({ name }) => names.includes(name))
    expect(called.length).toBeGreaterThan(10)
    expect(called.flatMap((one) => unsaidOf(one).map((gap) => `${one.file}: ${one.name} ${gap}`)).join('\n')).toBe('')
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

  it('STYLE 4: found out: a parameter nobody speaks of, and an outcome', () => {
    const unsaid = (source: string): string[] => documentedIn('a.ts', source).flatMap(unsaidOf)
    const signature =
      'export async function a<T extends (x: X) => Y>(b: string, { c, d }: C = {}, e = () => 1): Promise<{ f: string }> {\n}'
    expect(unsaid(`/** Makes an a of the b. */\n${signature}`)).toEqual([
      'does not say what b is',
      'does not say what c, d is',
      'does not say what e is',
      'does not say what comes out',
    ])
    expect(unsaid(`/** Makes an a.\n * @param b a b\n * @param e an e; not \`bc\`\n * @returns it, with \`d\` */\n${signature}`)).toEqual(
      [],
    )
    expect(unsaid('/** Makes an a of `bc`. */\nexport const a = async <T,>(b: Map<T, B>): Promise<void> => {\n}')).toEqual([
      'does not say what b is',
    ])
    expect(passedOn("export * from './b.ts'\n")).toEqual(['b.ts'])
  })
})
