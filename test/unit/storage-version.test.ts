// What a server does about stored state of another version, step by step.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { broughtForward, judge, STORAGE_VERSION, stamped, stepsFrom, type Versioned } from '../../worker/storage/version.ts'
import { MIGRATIONS } from '../../worker/store/version.ts'
import { splitStatements } from '../support/migrations.ts'
import { ROOT } from '../tools/build.ts'

const FOLDER = join(ROOT, 'worker/store/migrations')

describe('DESIGN 3: storage versions', () => {
  it.each([
    ['the same', { newest: 5, last: 5 }, { kind: 'current' }],
    ['an older one', { newest: 3, last: 3 }, { kind: 'forward', from: 3 }],
    ['one step ahead: it still reads it', { newest: 6, last: 6 }, { kind: 'back' }],
    ['one step ahead, and we have written since', { newest: 6, last: 5 }, { kind: 'current' }],
    ['a step back was taken from here', { newest: 5, last: 4 }, { kind: 'forward', from: 4 }],
    ['two steps ahead', { newest: 7, last: 7 }, { kind: 'too_new', found: 7 }],
    ['two steps ahead, whoever has written since', { newest: 7, last: 5 }, { kind: 'too_new', found: 7 }],
  ] as const)('DESIGN 3: version 5 finds %s', (_name, stored, verdict) => {
    expect(judge(stored, 5)).toEqual(verdict)
  })

  it('DESIGN 3: the newest version is never forgotten', () => {
    expect(stamped({ newest: 6, last: 6 }, 5)).toEqual({ newest: 6, last: 5 })
    expect(stamped({ newest: 3, last: 3 }, 5)).toEqual({ newest: 5, last: 5 })
  })

  it('DESIGN 3: steps run in order, each once', () => {
    const steps = { 1: 'a', 2: 'b', 4: 'd' }
    expect(stepsFrom(steps, 1, 5)).toEqual(['a', 'b', 'd'])
    expect(stepsFrom(steps, 4, 5)).toEqual(['d'])
    expect(stepsFrom(steps, 5, 5)).toEqual([])
  })

  it('DESIGN 3: a stored value is brought forward, and after a step back again, to the same', () => {
    type Value = Versioned & { a: number; b?: number }
    const steps = { 1: (value: Value): Value => ({ b: 0, ...value }) }
    const first = broughtForward<Value>({ a: 1 }, steps, 2)
    expect(first).toEqual({ value: { a: 1, b: 0, version: { newest: 2, last: 2 } }, isNew: true })
    expect(broughtForward(first?.value as Value, steps, 2)?.isNew).toBe(false)
    const back = broughtForward(first?.value as Value, {}, 1)
    expect(back?.value.version).toEqual({ newest: 2, last: 1 })
    expect(broughtForward(back?.value as Value, steps, 2)).toEqual(first)
    expect(broughtForward<Value>({ a: 1, version: { newest: 9, last: 9 } }, steps, 2)).toBeUndefined()
  })

  it('DESIGN 3: migrations of D1 end with the version of their release, in order, and only add', () => {
    const versions = readdirSync(FOLDER)
      .sort()
      .map((name) => readFileSync(join(FOLDER, name), 'utf8'))
      .slice(1)
      .map((script) => {
        expect(script).not.toMatch(/\b(DROP|RENAME)\b/i)
        return Number(
          /'version', '(\d+)'|SET v = '(\d+)' WHERE k = 'version'/
            .exec(splitStatements(script).at(-1) ?? '')
            ?.slice(1)
            .find(Boolean),
        )
      })
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    expect(versions.at(-1)).toBe(STORAGE_VERSION)
  })

  it('DESIGN 4: /health asks for every migration that there is', () => {
    expect(
      readdirSync(FOLDER)
        .filter((name) => name.endsWith('.sql'))
        .sort(),
    ).toEqual([...MIGRATIONS])
  })
})
