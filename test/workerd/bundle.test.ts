// What is deployed is what was built, and nothing of the tests is in it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BUILD, ROOT } from '../tools/build.ts'

const textOf = (folder: string): string =>
  readdirSync(join(BUILD, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.map'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')

describe.each(['as', 'vault'])('TESTS C2: the bundle of the %s', (name) => {
  it('TESTS C2: holds no path, clock or fault of the tests', () => {
    const text = textOf(name)
    expect(text.length).toBeGreaterThan(10_000)
    for (const word of ['__test', 'runAlarmForTest', 'setClockOffset', 'faultyEnv']) expect(text).not.toContain(word)
  })

  it('RUNTIME 0: imports nothing of Node', () => {
    // The one module of code; beside it lies text (guides, among others, which show programs for Node).
    const code = readFileSync(join(BUILD, name, 'index.js'), 'utf8')
    expect(code).not.toMatch(/^\s*(?:import|export)\b[^\n]*["']node:|\brequire\(["']node:|\bimport\(["']node:/m)
  })

  it('DESIGN 7 I6: invocation logs are off, since they hold addresses of requests', () => {
    const config = readFileSync(join(ROOT, name === 'as' ? 'wrangler.toml' : 'worker/vault/wrangler.toml'), 'utf8')
    expect(config).toMatch(/^invocation_logs = false$/m)
  })
})
