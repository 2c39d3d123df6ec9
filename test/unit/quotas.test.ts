// Quotas: how configuration becomes numbers, and counting by the minute.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MinuteCounts, QUOTA_DEFAULTS, quotasOf } from '../../worker/objects/quotas.ts'
import { ROOT } from '../tools/build.ts'

describe('DESIGN 3: quotas are configuration with defaults', () => {
  it.each([
    ['nothing', undefined, {}],
    ['a table', { people_per_owner: 5 }, { people_per_owner: 5 }],
    ['its JSON', '{"people_per_owner": 5}', { people_per_owner: 5 }],
    ['no limit', { people_per_owner: 0 }, { people_per_owner: Number.MAX_SAFE_INTEGER }],
    [
      'what is no number, negative or broken: the default',
      { people_per_owner: '5', policies_per_owner: -1, connections_per_owner: 1.5 },
      {},
    ],
    ['what is no JSON', '{people', {}],
    ['names that nobody knows', { people: 5 }, {}],
  ])('DESIGN 3: %s', (_name, given, changed) => {
    expect(quotasOf({ QUOTAS: given })).toEqual({ ...QUOTA_DEFAULTS, ...changed })
  })

  it('DESIGN 3: wrangler.toml tells the defaults', () => {
    const told = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8').matchAll(/^# (\w+_\w+) = (\d+)$/gm)
    expect(Object.fromEntries([...told].map(([, name, value]) => [name, Number(value)]))).toEqual(QUOTA_DEFAULTS)
  })

  it('RFC 6585 4: a minute has room for so many of each, and the wait ends with it', () => {
    const counts = new MinuteCounts(2)
    expect([counts.take('a', 60), counts.take('a', 61), counts.take('a', 70), counts.take('b', 70)]).toEqual([
      undefined,
      undefined,
      50,
      undefined,
    ])
    expect(counts.take('a', 120)).toBeUndefined()
  })
})
