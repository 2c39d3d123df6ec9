// Vitest global set-up of the browser ring: both workers and the wallet are built, and there is a screen.
import { build } from '../tools/build.ts'
import { startDisplay } from './display.ts'

let stop = (): void => {}

export const setup = async (): Promise<void> => {
  await build(['as', 'vault', 'extension'])
  const screen = await startDisplay()
  if (screen.display) process.env.DISPLAY = screen.display
  stop = screen.stop
}

export const teardown = (): void => stop()
