// The conformance suite against our own server: it runs once, and each case is a test. Cases that the profile does not offer are no tests;
// that each has a reason is one. Its report lies in test/report/uma.json for those that read results.
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allCases } from '../conformance/cases/all.ts'
import { sectionOf } from '../conformance/lib/case.ts'
import { loadProfile } from '../conformance/main.ts'
import { asJson } from '../conformance/report.ts'
import { type Outcome, runSuite } from '../conformance/runner.ts'
import { serveForConformance } from '../support/conformance.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { REPORTS, SUITE_REPORT } from '../tools/rings.ts'

const profile = await loadProfile()
const features = profile.features(() => 'given below')
const offered = allCases.filter(({ needs }) => needs.every((feature) => features[feature] === true))

let as: Running
const outcomes = new Map<string, Outcome>()

beforeAll(async () => {
  as = await ownAs()
  const { options, stop } = await serveForConformance(as)
  const option = (name: string): string | undefined => (options as Record<string, string>)[name]
  const result = await runSuite({ url: options.url, profile, cases: allCases, option })
  stop()
  mkdirSync(REPORTS, { recursive: true })
  writeFileSync(SUITE_REPORT, JSON.stringify(asJson(result, profile.name), undefined, 2))
  for (const outcome of result.outcomes) outcomes.set(outcome.title, outcome)
}, 120_000)

afterAll(async () => {
  await as.stop()
})

const told = ({ reason, exchanges = [] }: Outcome): string =>
  [reason, ...exchanges.flatMap(({ request, response }) => [`> ${request}`, `< ${response}`])].join('\n')

describe('conformance', () => {
  it.each(offered.map(({ title }) => title))('%s', (title) => {
    const outcome = outcomes.get(title)
    if (outcome?.result !== 'pass') expect.fail(outcome === undefined ? 'the case did not run' : told(outcome))
  })

  it('DESIGN 15: a case that is not offered says why, and begins with its section like all others', () => {
    const others = [...outcomes.values()].filter(({ result }) => result === 'not offered')
    expect(others.filter(({ reason }) => (reason ?? '').length < 10)).toEqual([])
    expect(allCases.filter(({ title }) => !/^(UMA (Grant|FedAuthz)|RFC \d+) [\d.]+$/.test(sectionOf(title)))).toEqual([])
  })

  it('DESIGN 15: no two cases have the same title', () => {
    const titles = allCases.map(({ title }) => title)
    expect(titles.filter((title, at) => titles.indexOf(title) !== at)).toEqual([])
  })
})
