// Once an isolate: does the record have a form that this server knows? While D1 does not answer nobody knows, and the server runs:
// whoever needs D1 will hear of it.
import { within } from '../objects/record.ts'
import { refuseTooNew } from '../objects/versions.ts'
import { judge, STORAGE_VERSION } from '../storage/version.ts'
import { recordVersion } from '../store/version.ts'

/** Milliseconds that the first request of an isolate waits for D1. */
const PATIENCE = 1000

let isKnown = false

/** Undefined once it is known. Throws StorageTooNew, each time anew, on a record of two or more versions ahead. */
export function checkRecord(env: Pick<Env, 'DB'>): Promise<void> | undefined {
  return isKnown ? undefined : check(env)
}

async function check(env: Pick<Env, 'DB'>): Promise<void> {
  const found = await within(recordVersion(env.DB), PATIENCE).catch(() => undefined)
  if (found !== undefined && judge({ newest: found, last: found }).kind === 'too_new') refuseTooNew('record', found)
  if (found !== undefined && found < STORAGE_VERSION) {
    console.error(JSON.stringify({ event: 'storage_too_old', what: 'record', found, known: STORAGE_VERSION }))
  }
  isKnown = true
}
