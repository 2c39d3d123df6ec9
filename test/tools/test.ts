// `npm test`: all rings but the long one, each also alone (`npm run test:unit` ...). Prints what failed, the time of each ring, and as its last line
// `N passed, M failed`. Details of every test are in test/report/<ring>.json.
import { build, type Part } from './build.ts'
import { writeCoverage } from './coverage.ts'
import { BUDGET, endAll, RINGS, type Ring, runRing } from './rings.ts'
import { suiteSummary } from './suite-summary.ts'

const NEEDS: Readonly<Record<Ring, readonly Part[]>> = {
  unit: [],
  policy: [],
  conformance: ['as'],
  workerd: ['as', 'vault'],
  record: ['as', 'vault'],
  'two-workers': ['as', 'vault'],
  browser: ['as', 'vault', 'extension'],
  long: ['as', 'vault', 'extension'],
}

/** Builds what the rings need; a part that cannot be built is one failure, told in full. */
const buildFor = async (rings: readonly Ring[]): Promise<string | undefined> => {
  const parts = [...new Set(rings.flatMap((ring) => NEEDS[ring]))]
  if (parts.length === 0) return undefined
  const begin = performance.now()
  try {
    const built = await build(parts)
    if (built.length > 0) console.log(`built ${built.join(', ')}  ${((performance.now() - begin) / 1000).toFixed(1)} s`)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Runs rings one after the other, prints, and ends the process: 0 only if every test of every ring passed. */
export const runRings = async (rings: readonly Ring[]): Promise<never> => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      endAll()
      process.exit(130)
    })
  }
  let passed = 0
  let failed = 0
  const notBuilt = await buildFor(rings)
  if (notBuilt !== undefined) {
    failed++
    console.log(`\nThe build failed.\n${notBuilt}\n`)
  }
  for (const ring of rings) {
    if (notBuilt !== undefined && NEEDS[ring].length > 0) continue
    const result = await runRing(ring)
    passed += result.passed
    failed += result.failures.length
    if (result.details) console.log(`\n${result.details.trim()}\n`)
    for (const failure of result.failures) console.log(`FAILED ${failure}`)
    console.log(
      `${ring.padEnd(12)} ${String(result.passed).padStart(5)} passed ${String(result.failures.length).padStart(4)} failed  ${result.seconds.toFixed(1).padStart(6)} s of ${BUDGET[ring]} s`,
    )
    if (ring === 'conformance') for (const line of suiteSummary()) console.log(`    ${line}`)
  }
  if (RINGS.every((ring) => rings.includes(ring))) console.log(writeCoverage(rings))
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed === 0 && passed > 0 ? 0 : 1)
}

if (import.meta.main) {
  const asked = process.argv.slice(2)
  const unknown = asked.find((name) => !RINGS.includes(name as Ring))
  if (unknown !== undefined) {
    console.error(`There is no ring "${unknown}". Rings: ${RINGS.join(', ')}.`)
    process.exit(2)
  }
  await runRings(asked.length > 0 ? (asked as Ring[]) : RINGS)
}
