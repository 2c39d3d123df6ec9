// Assertions that say in one sentence what was expected and what came.
import type { Answer } from './http.ts'

export class CaseFailed extends Error {}
/** Thrown by a case that finds out on the way that the server does not offer what it tests. */
export class NotOffered extends Error {}

export const fail = (sentence: string): never => {
  throw new CaseFailed(sentence)
}
/** `claim` must be true; `sentence` says what is. */
export function ok(claim: unknown, sentence: string): asserts claim {
  if (!claim) fail(sentence)
}

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)))

/** Deep equality of JSON values; the order of members does not matter. */
export const same = (actual: unknown, expected: unknown, what: string): void => {
  if (canonical(actual) !== canonical(expected)) fail(`${what}: ${text(actual)} instead of ${text(expected)}`)
}
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  ) ?? 'undefined'

/** Same members, whatever the order. */
export const sameSet = (actual: readonly string[], expected: readonly string[], what: string): void =>
  same([...actual].sort(), [...expected].sort(), what)

const brief = (answer: Pick<Answer, 'text'>): string => answer.text.replace(/\s+/g, ' ').slice(0, 300)

/** The status is one of these; answers the answer. */
export const status = <A extends Pick<Answer, 'status' | 'text'>>(answer: A, wanted: number | readonly number[], what: string): A => {
  const list = typeof wanted === 'number' ? [wanted] : wanted
  if (!list.includes(answer.status)) fail(`${what}: status ${answer.status} instead of ${list.join(' or ')}: ${brief(answer)}`)
  return answer
}

export const isJson = (answer: Answer, what: string): Answer => {
  const type = answer.headers.get('content-type') ?? ''
  ok(/^application\/([\w.-]+\+)?json\b/i.test(type), `${what}: Content-Type is ${type || 'absent'} and not JSON`)
  return answer
}
export const isNoStore = (answer: Answer, what: string): Answer => {
  ok(/\bno-store\b/i.test(answer.headers.get('cache-control') ?? ''), `${what}: Cache-Control is not no-store`)
  return answer
}

/** RFC 6749 5.2: status, JSON, `error`, no-store; and none of the members that only success has. Several codes: any of them. */
export const refused = (answer: Answer, wanted: number | readonly number[], code: string | readonly string[], what: string): Answer => {
  status(answer, wanted, what)
  isJson(answer, what)
  const codes = typeof code === 'string' ? [code] : code
  if (!codes.includes(String(answer.json.error))) fail(`${what}: error is ${text(answer.json.error)} instead of ${codes.join(' or ')}`)
  ok(answer.json.access_token === undefined, `${what}: a refusal carries an access token`)
  return isNoStore(answer, what)
}

/** Refused for good: 400 with this code, and no ticket (UMA Grant 3.3.6). */
export const isFinal = (answer: Answer, code: string | readonly string[], what: string): Answer => {
  refused(answer, code === 'request_denied' ? 403 : 400, code, what)
  ok(answer.json.ticket === undefined, `${what}: the error carries a ticket`)
  return answer
}

/** No token came, whatever the reason; and it was a refusal, not a failure of the server. */
export const notGranted = (answer: Answer, what: string): Answer => {
  ok(answer.json.access_token === undefined, `${what}: a token was granted`)
  ok(answer.status >= 400 && answer.status < 500, `${what}: status ${answer.status} is no refusal: ${brief(answer)}`)
  return answer
}

/** need_info with a ticket never seen before; answers that ticket. */
export const needInfo = (answer: Answer, presented: string, what: string): string => {
  refused(answer, 403, 'need_info', what)
  const { ticket } = answer.json
  ok(typeof ticket === 'string' && ticket !== '', `${what}: need_info has no ticket`)
  ok(ticket !== presented, `${what}: the ticket is the one that was presented`)
  return ticket
}

/** 200 with an access token; answers the token. */
export const granted = (answer: Answer, what: string): string => {
  status(answer, 200, what)
  const token = answer.json.access_token
  ok(typeof token === 'string' && token !== '', `${what}: no access_token`)
  return token
}
