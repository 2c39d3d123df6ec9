// `npm run test:all`: the four rings and what takes longer (test/long: fuzzing, kill matrices, all screens).
import { runRings } from './test.ts'

await runRings(['unit', 'workerd', 'two-workers', 'browser', 'long'])
