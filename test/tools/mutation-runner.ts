// Runs the tests of the rules' engine for Stryker, in its own process and without Vitest: all modules are loaded anew for each mistake, in a
// few milliseconds, so that nothing is remembered from the one before. The quickest tests come first, and first with few runs of each property.
import { globSync, readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { MutantResult } from '@stryker-mutator/api/core'
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin'
import type { Reporter } from '@stryker-mutator/api/report'
import type { DryRunResult, MutantRunOptions, MutantRunResult, TestRunner } from '@stryker-mutator/api/test-runner'
import { customMatchers, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect'
import * as chai from 'chai'

// How long decisions take, and how rules are told, are other questions.
const FILES = ['test/policy/*.test.ts', 'test/unit/policy/*.test.ts', 'test/unit/negotiation.test.ts']
/** Of the runs of each property: most mistakes are noticed at once, the others have to get past more. */
const SHARES = [0.01, 0.1]

type Test = { id: string; run: () => unknown }
type Namespace = { activeMutant?: string; currentTestId?: string; hitCount?: number; hitLimit?: number; mutantCoverage?: object }
type Told = { id: string; error: unknown; spent: number }

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin)
;(chai.expect as unknown as { extend: (to: unknown, matchers: object) => void }).extend(chai.expect, customMatchers)

let collected: Test[] = []
const path: string[] = []
const add = (title: string, run: () => unknown): void => void collected.push({ id: [...path, title].join(' > '), run })
const filled = (title: string, row: unknown): string =>
  (Array.isArray(row) ? row : [row]).reduce<string>((text, one) => text.replace(/%[sdo]/, String(one)), title)
const each = (rows: readonly unknown[]) => (title: string, run: (...row: unknown[]) => unknown) => {
  for (const [n, row] of rows.entries()) add(`${filled(title, row)} ${n}`, () => (Array.isArray(row) ? run(...row) : run(row)))
}
const group = (title: string, define: () => void): void => {
  path.push(title)
  define()
  path.pop()
}
const describe = Object.assign(group, {
  each: (rows: readonly unknown[]) => (title: string, define: (...row: unknown[]) => void) => {
    for (const [n, row] of rows.entries()) group(`${filled(title, row)} ${n}`, () => (Array.isArray(row) ? define(...row) : define(row)))
  },
})
const it = Object.assign(
  (title: string, first: unknown, second?: unknown) => add(title, (typeof second === 'function' ? second : first) as () => unknown),
  { each },
)
// What the tests know as 'vitest'.
Object.assign(globalThis, { __vitest: { describe, it, test: it, expect: chai.expect } })

let generation = 0
const sources = new Map<string, string>()
const isOurs = (url: string): boolean => url.startsWith(`${pathToFileURL(process.cwd()).href}/`) && !url.includes('/node_modules/')

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier === 'vitest') return { url: 'vitest:', format: 'module', shortCircuit: true }
    const found = next(specifier, context)
    return isOurs(found.url) && !found.url.includes('?') ? { ...found, url: `${found.url}?${generation}` } : found
  },
  load: (url, context, next) => {
    if (url === 'vitest:')
      return { format: 'module', source: 'export const { describe, it, test, expect } = globalThis.__vitest', shortCircuit: true }
    if (!isOurs(url) || !/\.ts\?/.test(url)) return next(url, context)
    const file = fileURLToPath(url)
    const source = sources.get(file) ?? stripTypeScriptTypes(readFileSync(file, 'utf8'))
    sources.set(file, source)
    return { format: 'module', source, shortCircuit: true }
  },
})

const load = async (share: number): Promise<Test[]> => {
  generation++
  process.env.LATCHKEY_SHARE_OF_RUNS = String(share)
  collected = []
  for (const file of globSync(FILES, { exclude: ['**/speed.test.ts', '**/sentence.test.ts'] }).sort())
    await import(pathToFileURL(resolve(file)).href)
  return collected
}

const tried = async ({ id, run }: Test): Promise<Told> => {
  const begin = performance.now()
  try {
    await run()
    return { id, error: undefined, spent: performance.now() - begin }
  } catch (error) {
    return { id, error: error ?? new Error('threw nothing'), spent: performance.now() - begin }
  }
}

/** The tests of worker/policy in this process. */
class InProcess implements TestRunner {
  #spent = new Map<string, number>()
  readonly #namespace: Namespace

  constructor() {
    const holder = globalThis as { __stryker__?: Namespace }
    holder.__stryker__ ??= {}
    this.#namespace = holder.__stryker__
  }

  capabilities() {
    return { reloadEnvironment: true }
  }

  async dryRun(): Promise<DryRunResult> {
    const told: Told[] = []
    for (const test of await load(SHARES[0] ?? 1)) {
      this.#namespace.currentTestId = test.id
      told.push(await tried(test))
    }
    delete this.#namespace.currentTestId
    this.#spent = new Map(told.map(({ id, spent }) => [id, spent]))
    const tests = told.map(({ id, error, spent }) =>
      error === undefined
        ? { id, name: id, status: 0, timeSpentMs: spent }
        : { id, name: id, status: 1, timeSpentMs: spent, failureMessage: String(error) },
    )
    return { status: 'complete', tests, mutantCoverage: this.#namespace.mutantCoverage } as unknown as DryRunResult
  }

  async mutantRun({ activeMutant, testFilter, hitLimit }: MutantRunOptions): Promise<MutantRunResult> {
    const space = this.#namespace
    space.activeMutant = activeMutant.id
    const told = await this.#against(testFilter, hitLimit).catch((error: unknown) => ({ id: 'loading', error, spent: 0, tests: 0 }))
    const isEndless = hitLimit !== undefined && (space.hitCount ?? 0) > hitLimit
    if (isEndless) return { status: 'timeout' } as MutantRunResult
    if (told.error === undefined) return { status: 'survived', nrOfTests: told.tests } as MutantRunResult
    return {
      status: 'killed',
      killedBy: [told.id],
      failureMessage: String(told.error).slice(0, 500),
      nrOfTests: told.tests,
    } as MutantRunResult
  }

  async #against(testFilter: readonly string[] | undefined, hitLimit: number | undefined): Promise<Told & { tests: number }> {
    let tests = 0
    for (const share of SHARES) {
      // A fresh count for each round: the second does ten times as much.
      this.#namespace.hitCount = 0
      if (hitLimit !== undefined) this.#namespace.hitLimit = hitLimit * (share / (SHARES[0] ?? share))
      const wanted = (await load(share)).filter(({ id }) => testFilter?.includes(id) ?? true)
      for (const test of wanted.sort((a, b) => (this.#spent.get(a.id) ?? 0) - (this.#spent.get(b.id) ?? 0))) {
        tests++
        const told = await tried(test)
        if (told.error !== undefined) return { ...told, tests }
      }
    }
    return { id: '', error: undefined, spent: 0, tests }
  }
}

/** Tells at once what no test noticed. */
class Telling implements Reporter {
  onMutantTested({ fileName, location, replacement, status }: Readonly<MutantResult>): void {
    if (status !== 'Survived' && status !== 'NoCoverage') return
    console.log(`${status} ${relative(process.cwd(), fileName)}:${location.start.line}:${location.start.column} -> ${replacement}`)
  }
}

export const strykerPlugins = [
  declareClassPlugin(PluginKind.TestRunner, 'in-process', InProcess),
  declareClassPlugin(PluginKind.Reporter, 'telling', Telling),
]
