// How a case is written down: title by section, ids of the catalogue it covers, how binding it is, what it needs from the server.
import type { Feature } from '../contract.ts'
import type { World } from './world.ts'

/** `must` and `should` are the specification's words; `good` is good practice where it leaves room. */
export type Level = 'must' | 'should' | 'good'

export type Case = {
  /** `UMA Grant 3.3.6: what holds`: the part before the colon is the section. */
  title: string
  ids: readonly string[]
  level: Level
  needs: readonly Feature[]
  /** Runs with nothing beside it, because it moves the server's clock. */
  alone: boolean
  run: (world: World) => Promise<void>
}

type Write = (title: string, ids: string, run: Case['run'], needs?: readonly Feature[]) => Case

const writer =
  (level: Level): Write =>
  (title, ids, run, needs = []) => ({ title, ids: ids.split(' '), level, needs, alone: needs.includes('clock'), run })

export const must = writer('must')
export const should = writer('should')
export const good = writer('good')

export const sectionOf = (title: string): string => title.slice(0, title.indexOf(':'))
