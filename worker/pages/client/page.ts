// What the page scripts share: reading data attributes, saying how it went, JSON to our own server. Never writes markup.

/** The value of a data attribute, or nothing said. */
export const said = (part: HTMLElement, name: string): string => part.dataset[name] ?? ''

/** Puts a sentence into the part's live region, so that a screen reader hears it. */
export const say = (part: HTMLElement, sentence: string): void => {
  const status = part.querySelector<HTMLElement>('[role=status]')
  if (status) status.textContent = sentence
}

/**
 * Posts JSON to our own origin and returns the JSON answer, nothing for a 204.
 * @throws Error for anything but 2xx with JSON, a missing network included; the text is for the console, not for people.
 */
export const post = async (path: string, csrf: string, body: unknown, signal?: AbortSignal): Promise<unknown> => {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf': csrf },
    body: JSON.stringify(body),
    credentials: 'same-origin',
    redirect: 'error',
    signal: signal ?? null,
  })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return response.status === 204 ? undefined : response.json()
}

/** A member of our own server's answer that must be text. @throws Error if it is not */
export const textIn = (answer: unknown, name: string): string => {
  const value: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined
  if (typeof value !== 'string') throw new Error(`no ${name} in the answer`)
  return value
}

/** Goes on to a path that the server named; only within this origin. */
export const goOn = (next: string): void => {
  const url = new URL(next, location.href)
  if (url.origin !== location.origin) throw new Error('next leaves this origin')
  location.assign(url.href)
}

/** Runs one thing at a time for a button: it rests until the thing is over. */
export const onClick = (button: HTMLButtonElement, run: () => Promise<void>): void => {
  button.addEventListener('click', () => {
    if (button.disabled) return
    button.disabled = true
    void run().finally(() => {
      button.disabled = false
    })
  })
}

/** True for what browsers throw when the person closed the dialog or took too long, or when we gave up ourselves. */
export const isCancelled = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError')
