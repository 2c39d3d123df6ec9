// kill -9 at random points, many times over, while eight share, stop, register, delete, redeem and claim (DESIGN 3, RUNTIME 5). After
// every restart: object and record agree, all that was answered is there, nothing that was stopped came back, every redeemed ticket is
// spent, the chain of the activity is whole and tells each thing once, and the story goes on.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { registerApp } from '../support/actors.ts'
import { stage } from '../support/claims.ts'
import { compareWithActivity, compareWithBook, openCrowd, seeded, storyGoesOn } from '../support/crowd.ts'
import { ownAs } from '../support/server.ts'
import { verifyState } from '../support/verify-state.ts'
import { REPORTS } from '../tools/rings.ts'

const ROUNDS = Number(process.env.KILLS ?? 100)
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000))

const turns = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left--) await new Promise((next) => setImmediate(next))
}

describe('RUNTIME 5: kill -9, many times', () => {
  it(`LF-06: ${ROUNDS} kills at random points lose nothing and bring nothing back (SEED=${SEED})`, async () => {
    const as = await ownAs()
    const s = await stage(as)
    const random = seeded(SEED)
    const crowd = await openCrowd(s, random)
    const restarts: number[] = []
    const kill = async (): Promise<void> => {
      const begin = performance.now()
      await as.kill()
      restarts.push(performance.now() - begin)
    }
    const seen = { fences: 0, outboxes: 0, whole: 0 }
    for (let round = 1; round <= ROUNDS; round++) {
      // An app may have two hundred codes an hour mailed.
      if (round % 20 === 0) s.app = await registerApp(as)
      await crowd.run(10 + Math.floor(random() * 80), async () => {
        await turns(Math.floor(random() * 40))
        await kill()
      })
      const reports = verifyState(as.state)
      expect(
        reports.flatMap(({ differences }) => differences),
        `after kill ${round}`,
      ).toEqual([])
      const summary = reports.map((report) => report.summary).join()
      if (summary.includes('fence')) seen.fences += 1
      if (summary.includes('on the way')) seen.outboxes += 1
      if (!/fence|on the way/.test(summary)) seen.whole += 1
      expect(await compareWithBook(s, crowd), `after kill ${round}`).toEqual([])
      expect(compareWithActivity(as.state, crowd), `after kill ${round}`).toEqual([])
      if (round % 5 === 0) await storyGoesOn(s)
      // Now and then the next kill comes before anybody has asked for anything.
      if (random() < 0.2) await kill()
    }
    const reports = verifyState(as.state)
    expect(reports.flatMap(({ differences }) => differences)).toEqual([])
    restarts.sort((a, b) => a - b)
    const numbers = {
      kills: restarts.length,
      seed: SEED,
      acknowledged: crowd.book.acknowledged,
      found: seen,
      restart_ms: { median: Math.round(restarts[restarts.length >> 1] ?? 0), longest: Math.round(restarts.at(-1) ?? 0) },
    }
    mkdirSync(REPORTS, { recursive: true })
    writeFileSync(join(REPORTS, 'kill-matrix.json'), JSON.stringify(numbers, undefined, 2))
    // A matrix that never hits a change on its way proves little.
    if (ROUNDS >= 50) expect(seen.fences).toBeGreaterThan(0)
    await as.stop()
  }, 1_800_000)
})
