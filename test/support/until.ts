// Waits for something that happens by itself and tells nobody: a row in a file, a process that is gone.

/** Asks again and again, with a breath in between, until it is so. Rejects after `seconds`. */
export const until = async (isSo: () => boolean | Promise<boolean>, seconds = 15): Promise<void> => {
  const end = performance.now() + seconds * 1000
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`it was not so within ${seconds} s: ${isSo}`)
    await new Promise((next) => setTimeout(next, 20))
  }
}
