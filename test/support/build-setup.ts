// Vitest global set-up of the rings that run what was built: builds what is out of date, so that no test sees yesterday's bundle.
import { build, present } from '../tools/build.ts'

export const setup = async (): Promise<void> => {
  await build(present().filter((part) => part !== 'extension'))
}
