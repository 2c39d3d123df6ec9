// `npm run test:all`: all rings and what takes longer (test/long: fuzzing, kill matrices, all screens).
import { RINGS } from './rings.ts'
import { runRings } from './test.ts'

await runRings([...RINGS, 'long'])
