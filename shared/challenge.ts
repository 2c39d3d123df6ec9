// WWW-Authenticate, read and written (RFC 9110 11.6.1, UMA Grant 3.2.1): several challenges in one header, in any order.
// Reading never throws: a header that is not well formed yields the challenges that could be read before the flaw.

/** One challenge. Names of parameters are in lower case; a repeated parameter keeps its first value. */
export type Challenge = { scheme: string; token68?: string; parameters: Map<string, string> }

/** UMA Grant 3.2.1: what a client needs to go on. `realm` is for people. */
export type UmaChallenge = { realm?: string; asUri: string; ticket: string }

const TOKEN = /[!#$%&'*+.^_`|~\w-]+/y
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const SPACE = /[ \t]*/y
const COMMAS = /[ \t,]*/y

/** Matches `pattern` (sticky) at `at`; the end of the match and its groups, or nothing. */
function read(pattern: RegExp, text: string, at: number): { end: number; match: RegExpExecArray } | undefined {
  pattern.lastIndex = at
  const match = pattern.exec(text)
  return match === null ? undefined : { end: pattern.lastIndex, match }
}

const skip = (pattern: RegExp, text: string, at: number): number => read(pattern, text, at)?.end ?? at

/** Reads `name=value` at `at`; a value is a token or a quoted string. */
function readParameter(text: string, at: number): { name: string; value: string; end: number } | undefined {
  const name = read(TOKEN, text, at)
  if (name === undefined) return undefined
  const equals = skip(SPACE, text, name.end)
  if (text[equals] !== '=') return undefined
  const start = skip(SPACE, text, equals + 1)
  const quoted = read(QUOTED, text, start)
  if (quoted !== undefined)
    return { name: name.match[0].toLowerCase(), value: (quoted.match[1] ?? '').replace(/\\(.)/g, '$1'), end: quoted.end }
  const token = read(TOKEN, text, start)
  return token === undefined ? undefined : { name: name.match[0].toLowerCase(), value: token.match[0], end: token.end }
}

/** Reads a scheme at `at`, and the token68 that may follow it instead of parameters. */
function readScheme(text: string, at: number): { challenge: Challenge; end: number } | undefined {
  const scheme = read(TOKEN, text, at)
  if (scheme === undefined) return undefined
  const challenge: Challenge = { scheme: scheme.match[0], parameters: new Map() }
  const next = skip(SPACE, text, scheme.end)
  const token68 = next > scheme.end && readParameter(text, next) === undefined ? read(TOKEN68, text, next) : undefined
  if (token68 !== undefined) challenge.token68 = token68.match[0]
  return { challenge, end: token68?.end ?? next }
}

/**
 * Reads the value of a `WWW-Authenticate` header (several header lines joined by commas, as `Headers.get` gives them).
 * @returns challenges in their order; schemes as written (compare without regard to case, RFC 9110 11.1)
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  let at = skip(COMMAS, header, 0)
  while (at < header.length) {
    const parameter = readParameter(header, at)
    const scheme = parameter === undefined ? readScheme(header, at) : undefined
    const parameters = challenges.at(-1)?.parameters
    if (scheme !== undefined) challenges.push(scheme.challenge)
    else if (parameter === undefined || parameters === undefined) break
    else if (!parameters.has(parameter.name)) parameters.set(parameter.name, parameter.value)
    at = skip(COMMAS, header, scheme?.end ?? parameter?.end ?? header.length)
  }
  return challenges
}

/**
 * The UMA challenges of a header; one per authorization server may stand there.
 * UMA Grant 3.2.2: without `as_uri` and `ticket` a client cannot go on, so a challenge that lacks one of them is left out.
 * @param header value of `WWW-Authenticate`, as `Headers.get` gives it
 * @returns challenges in their order; none where there is no header, or none that could be read. Never throws.
 */
export function findUmaChallenges(header: string | null): UmaChallenge[] {
  return parseChallenges(header ?? '').flatMap(({ scheme, parameters }) => {
    const [asUri, ticket, realm] = [parameters.get('as_uri'), parameters.get('ticket'), parameters.get('realm')]
    if (scheme.toLowerCase() !== 'uma' || !asUri || !ticket) return []
    return [{ asUri, ticket, ...(realm === undefined ? {} : { realm }) }]
  })
}

const quote = (text: string): string => `"${text.replace(/[^\t\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`

/** Prints a challenge (RFC 9110 11.6.1) with quoted parameters; parameters that are undefined and characters that a header cannot carry are left out. */
export function formatChallenge(scheme: string, parameters: Record<string, string | undefined>): string {
  const printed = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quote(value)}`]))
  return printed.length === 0 ? scheme : `${scheme} ${printed.join(', ')}`
}

/** UMA Grant 3.2.1: `UMA realm="...", as_uri="...", ticket="..."` */
export const formatUmaChallenge = ({ realm, asUri, ticket }: UmaChallenge): string =>
  formatChallenge('UMA', { realm, as_uri: asUri, ticket })
