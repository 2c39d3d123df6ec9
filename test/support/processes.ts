// Finds the workerd process of one runtime and reads what it has cost. Only Linux has /proc; elsewhere these answer undefined.
import { readdirSync, readFileSync } from 'node:fs'

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Name of the environment variable that marks the process of a runtime; Miniflare hands it on to workerd. */
export const RUNTIME_MARK = 'LATCHKEY_RUNTIME'

/** Processes whose environment carries the mark: the workerd of one runtime. */
export const pidsOf = (mark: string): number[] =>
  (process.platform === 'linux' ? readdirSync('/proc') : [])
    .filter((name) => /^\d+$/.test(name) && read(`/proc/${name}/environ`).split('\0').includes(`${RUNTIME_MARK}=${mark}`))
    .map(Number)

/** CPU time (user and system) that a process has used up to now, in seconds. */
export const cpuSeconds = (pid: number): number => {
  const stat = read(`/proc/${pid}/stat`)
  // The command name may contain spaces; the fields after its closing bracket are numbers.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100
}
