// Servers for tests. `sharedAs` is one authorization server for all files of a test process: tests use owners of their own and leave
// its clock alone. `own...` are for tests that move the clock, break the database or kill the runtime; the test stops them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Running } from './runtime.ts'
import { type Both, type BothOptions, startAs, startBoth } from './story.ts'
import { keepTemplate, useTemplate } from './template.ts'

/** Survives from file to file: Vitest evaluates modules anew, but keeps the process. */
const kept = globalThis as typeof globalThis & { latchkeyAs?: Promise<Running>; latchkeyBoth?: Promise<Both>; latchkeyTemplate?: string }

const temporaryFolder = (): string => {
  // The ring's folder goes when the ring is over; a test process may be ended before it could clean up.
  const folder = mkdtempSync(join(process.env.LATCHKEY_TEST_FOLDER ?? tmpdir(), 'latchkey-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

type Options = Omit<BothOptions, 'folder'>

/** An authorization server of this test's own, wrapped (clock, faults, kill) unless told. */
export const ownAs = async (options: Options = {}): Promise<Running> => {
  const folder = temporaryFolder()
  kept.latchkeyTemplate ??= join(process.env.LATCHKEY_TEST_FOLDER ?? temporaryFolder(), 'template')
  const template = kept.latchkeyTemplate
  const isMigrated = useTemplate(template, join(folder, 'as'))
  const as = await startAs({ wrap: true, ...options, folder, isMigrated })
  if (!isMigrated) keepTemplate(template, as.state)
  return as
}

/** Both workers of this test's own, wrapped unless told. */
export const ownBoth = (options: Options = {}): Promise<Both> => startBoth({ wrap: true, ...options, folder: temporaryFolder() })

/** The one that all tests of this process share. */
export const sharedAs = (): Promise<Running> => {
  kept.latchkeyAs ??= ownAs()
  return kept.latchkeyAs
}

/** Both workers, shared by all tests of this process. */
export const sharedBoth = (): Promise<Both> => {
  kept.latchkeyBoth ??= ownBoth()
  return kept.latchkeyBoth
}
