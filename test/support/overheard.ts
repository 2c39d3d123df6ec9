// Listens to all HTTP of a test and keeps what must not be found at rest: tokens, tickets, codes, secrets, cookies, whoever sent them.
// Nothing is changed on the way.

/** Members, parameters and fields whose values are secrets. */
const SECRET = new Set([
  'access_token',
  'refresh_token',
  'id_token',
  'ticket',
  'code',
  'code_verifier',
  'client_secret',
  'pre-authorized_code',
  'claim_token',
  'credential',
  'c_nonce',
  'csrf',
  'request',
  'response',
  'recovery_code',
])

export type Overheard = {
  /** Secrets by where they were seen. */
  secrets: Map<string, string>
  stop: () => void
}

const inJson = (value: unknown, add: (name: string, text: string) => void): void => {
  if (Array.isArray(value)) for (const one of value) inJson(one, add)
  else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value)) {
      if (typeof member === 'string') add(name, member)
      else inJson(member, add)
    }
}

const inParams = (text: string, add: (name: string, value: string) => void): void => {
  for (const [name, value] of new URLSearchParams(text)) add(name, value)
}

const inHtml = (text: string, add: (name: string, value: string) => void): void => {
  for (const [tag] of text.matchAll(/<input\b[^>]*>/gi)) {
    const name = /\bname="([^"]*)"/.exec(tag)?.[1]
    const value = /\bvalue="([^"]*)"/.exec(tag)?.[1]
    if (name !== undefined && value !== undefined) add(name, value)
  }
  for (const [, query] of text.matchAll(/href="[^"?]*\?([^"]*)"/g)) inParams((query ?? '').replaceAll('&amp;', '&'), add)
  const recovery = /<output class="secret"[^>]*>([^<]+)</.exec(text)?.[1]
  if (recovery !== undefined) add('recovery_code', recovery)
}

const inText = (text: string, type: string, add: (name: string, value: string) => void): void => {
  if (type.includes('json')) inJson(JSON.parse(text || 'null'), add)
  else if (type.includes('html')) inHtml(text, add)
  else if (type.includes('form')) inParams(text, add)
}

/** Begins to listen to `fetch` of this process. */
export const overhear = (): Overheard => {
  const real = globalThis.fetch
  const secrets = new Map<string, string>()
  const add = (name: string, value: string): void => {
    // Shorter ones are mailed codes and empty fields; the test names those itself.
    if (SECRET.has(name) && value.length >= 16) secrets.set(value, name)
  }
  globalThis.fetch = async (input, init) => {
    const request = new Headers(init?.headers)
    if (typeof init?.body === 'string') inText(init.body, request.get('content-type') ?? 'json', add)
    inParams(String(input).split('?')[1] ?? '', add)
    const basic = /^Basic (.+)$/.exec(request.get('authorization') ?? '')?.[1]
    if (basic !== undefined) secrets.set(basic, 'basic credentials')
    const proof = request.get('dpop')
    if (proof !== null) secrets.set(proof, 'dpop proof')
    const answer = await real(input, init)
    for (const line of answer.headers.getSetCookie()) {
      const [name, value = ''] = (line.split(';')[0] ?? '').split('=')
      if (value.length >= 16) secrets.set(value, `cookie ${name}`)
    }
    inParams(answer.headers.get('location')?.split('?')[1] ?? '', add)
    inText(await answer.clone().text(), answer.headers.get('content-type') ?? '', add)
    return answer
  }
  return {
    secrets,
    stop: () => {
      globalThis.fetch = real
    },
  }
}
