// A screen of its own for browser tests, where the machine has Xvfb: permission prompts can be answered only in a window (EXTENSION 1).
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const has = (command: string): boolean =>
  (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, command)))

const screenOf = (child: ChildProcess): Promise<string> =>
  new Promise((done, failed) => {
    child.once('error', failed)
    child.once('exit', (code) => failed(new Error(`Xvfb ended with code ${code}`)))
    // -displayfd: Xvfb takes a free number and writes it down when it is ready.
    child.stdio[3]?.once('data', (text: Buffer) => done(`:${text.toString().trim()}`))
  })

/** Starts a screen and names it, or undefined where there is no Xvfb; `stop` ends it. */
export const startDisplay = async (): Promise<{ display: string | undefined; stop: () => void }> => {
  if (process.platform !== 'linux' || !has('Xvfb')) return { display: undefined, stop: () => {} }
  const child = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1360x960x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const display = await screenOf(child)
  child.removeAllListeners('exit')
  return { display, stop: () => void child.kill() }
}
