// The catalogue of cases and the tool that tells who covers it: ids that exist, results that count.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allCases } from '../conformance/cases/all.ts'
import { CATALOGUE, WITHOUT } from '../conformance/catalogue.ts'
import { asLine, asMarkdown, coverageOf, coversOf } from '../tools/coverage.ts'

const report = (...tests: [string, string][]) => ({
  testResults: [{ name: 'x.test.ts', assertionResults: tests.map(([status, fullName]) => ({ status, fullName })) }],
})

describe('DESIGN 15: the catalogue', () => {
  it('DESIGN 15: cases of the suite name ids that exist, and reasons belong to ids', () => {
    const groups = new Set(Object.keys(CATALOGUE).map((id) => id.slice(0, 2)))
    const named = allCases.flatMap(({ ids }) => ids).filter((id) => groups.has(id.slice(0, 2)) && /^[A-Z]{2}-\d/.test(id))
    expect([...new Set([...named, ...Object.keys(WITHOUT)])].filter((id) => CATALOGUE[id] === undefined)).toEqual([])
  })

  it('DESIGN 15: only tests that passed cover what their titles name, each id once a test', () => {
    const said = report(['passed', 'a: b (UG-01), UG-02 and UG-01'], ['failed', 'c [UG-03]'], ['skipped', 'd [UG-05]'])
    expect(coversOf(said).map(([id]) => id)).toEqual(['UG-01', 'UG-02'])
  })

  it('DESIGN 15: rings that did not run, or left nothing, cover nothing; what is open is told', () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-coverage-'))
    const suite = join(folder, 'uma.json')
    writeFileSync(join(folder, 'unit.json'), JSON.stringify(report(['passed', 'one [CA-13]'])))
    writeFileSync(join(folder, 'workerd.json'), JSON.stringify(report(['passed', 'two [UG-09]'])))
    writeFileSync(suite, JSON.stringify({ covers: { 'UG-01': ['three'], 'G-1': ['three'] } }))
    const some = coverageOf(['unit', 'browser'], folder, suite)
    expect([...some.covered.keys()]).toEqual(['CA-13'])
    const more = coverageOf(['unit', 'workerd', 'conformance'], folder, suite)
    rmSync(folder, { recursive: true })
    expect([more.missing.includes('UG-09'), more.missing.includes('LF-18'), more.without.includes('LF-18')]).toEqual([false, false, true])
    expect(asLine(more)).toContain(`3 of ${Object.keys(CATALOGUE).length} ids covered`)
    expect(asMarkdown(more)).toContain('| UG-01 | ')
    expect(asMarkdown(more)).toContain('conformance suite: three')
  })
})
