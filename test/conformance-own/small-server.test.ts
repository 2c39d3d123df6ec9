// The conformance suite against a server that is not ours and offers next to nothing: what it has is tested, what it has not is said, and a
// mistake of its own is found. For the promise that the suite is for any server.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { allCases } from '../conformance/cases/all.ts'
import { FEATURES } from '../conformance/contract.ts'
import { chosen, loadProfile } from '../conformance/main.ts'
import { asText } from '../conformance/report.ts'
import { runSuite } from '../conformance/runner.ts'
import { type SmallServer, startSmallServer } from '../support/small-server.ts'

const profile = await loadProfile('test/conformance/profiles/small.mjs')
const features = profile.features(() => undefined)

describe('conformance of a small server', () => {
  let server: SmallServer

  beforeAll(async () => {
    server = await startSmallServer()
  })
  afterEach(() => {
    server.habits.ticketsLast = false
  })
  afterAll(() => server.stop())

  it('DESIGN 15: what it offers is tested and holds; the matrix tells what it does not offer, with its own reasons', async () => {
    const result = await runSuite({ url: server.issuer, profile, cases: allCases })
    const titles = (wanted: string): string[] => result.outcomes.filter((one) => one.result === wanted).map(({ title }) => title)
    expect(result.outcomes.filter((one) => one.result === 'fail').map(({ title, reason }) => `${title}: ${reason}`)).toEqual([])
    const offered = allCases.filter(({ needs }) => needs.every((feature) => features[feature] === true)).map(({ title }) => title)
    expect(titles('pass').sort()).toEqual(offered.sort())
    expect(offered.length).toBeGreaterThan(180)
    expect(titles('not offered')).toHaveLength(allCases.length - offered.length)
    const text = asText(result)
    // A section of which it has nothing, one of which it has a part, and one that it has whole.
    expect(text).toMatch(/^UMA Grant 3\.3\.3 +0 +\d+$/m)
    expect(text).toMatch(/^UMA Grant 3\.3\.4 +\d+ +\d+$/m)
    expect(text).toMatch(/^UMA FedAuthz 3\.2 +\d+ *$/m)
    const told = text.slice(text.indexOf('Not offered:'))
    const reasons = new Set(
      allCases.flatMap(({ needs }) => needs.flatMap((one) => (features[one] === true ? [] : [features[one]])).slice(0, 1)),
    )
    for (const reason of reasons) expect(told).toContain(`  ${reason} (`)
    expect(Object.keys(features).sort()).toEqual(Object.keys(FEATURES).sort())
  }, 60_000)

  it('DESIGN 15: a mistake of that server turns the cases red that are about it, and leaves the others as they are', async () => {
    server.habits.ticketsLast = true
    const cases = chosen(allCases, ['UMA Grant 5.5: a ticket', 'UMA FedAuthz 3.2:'])
    const { outcomes } = await runSuite({ url: server.issuer, profile, cases })
    const red = outcomes.filter(({ result }) => result === 'fail')
    expect(red.map(({ title }) => title)).toContain('UMA Grant 5.5: a ticket that brought an RPT is of no further use')
    expect(
      red.filter(({ title, reason, exchanges = [] }) => !title.startsWith('UMA Grant 5.5') || !reason || exchanges.length === 0),
    ).toEqual([])
  })
})
