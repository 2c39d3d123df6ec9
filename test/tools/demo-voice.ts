// How the demo tells an HTTP exchange: what goes out, what comes back, and what it means. Secrets are shown shortened.
import { type Answer, type Call, call } from '../support/http.ts'

const isColour = process.stdout.isTTY && process.env.NO_COLOR === undefined
const paint = (code: number, text: string): string => (isColour ? `\u001b[${code}m${text}\u001b[0m` : text)
const bold = (text: string): string => paint(1, text)
const dim = (text: string): string => paint(2, text)

const WIDTH = 100

/** Cuts text into lines of the page's width. */
const wrapped = (text: string, indent: string): string => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line && line.length + word.length + 1 > WIDTH - indent.length) {
      lines.push(line)
      line = ''
    }
    line = line ? `${line} ${word}` : word
  }
  return [...lines, line].map((one) => `${indent}${one}`).join('\n')
}

/** Long opaque values with their middle left out. */
export const short = (text: string): string =>
  text.replace(/[\w~+=-]{28,}(\.[\w~+=-]{8,})*/g, (value) => `${value.slice(0, 10)}…${value.slice(-4)}`)

let chapter = 0

/** A new step of the story. */
export const title = (text: string): void => console.log(`\n${bold(`${++chapter}. ${text}`)}`)

/** What an exchange means, in plain words. */
export const say = (text: string): void => console.log(wrapped(text, '   '))

const line = (arrow: string, text: string): void => console.log(`   ${dim(arrow)} ${text}`)

/** Members of a request that are worth showing. */
const requestLines = (options: Call): string[] => [
  ...(options.bearer !== undefined ? [`Authorization: ${options.dpop ? 'DPoP' : 'Bearer'} ${short(options.bearer)}`] : []),
  ...(options.basic ? ['Authorization: Basic … (the client proves who it is)'] : []),
  ...(options.dpop ? ['DPoP: … (signed with the key that the token is bound to)'] : []),
  ...(options.form ? Object.entries(options.form).map(([name, value]) => `${name} = ${short(String(value))}`) : []),
  ...(options.json !== undefined ? [short(JSON.stringify(options.json))] : []),
]

const SHOWN_HEADERS = ['www-authenticate', 'location', 'warning', 'content-type']

const answerLines = (answer: Answer): string[] => {
  const headers = SHOWN_HEADERS.flatMap((name) => {
    const value = answer.headers.get(name)
    return value === null || (name === 'content-type' && answer.status >= 300) ? [] : [`${name}: ${short(value)}`]
  })
  const type = answer.headers.get('content-type') ?? ''
  const body = type.includes('json')
    ? [short(JSON.stringify(answer.json))]
    : type.includes('html') || !answer.text
      ? []
      : [short(answer.text.slice(0, 90).replace(/\s+/g, ' '))]
  return [...headers, ...body]
}

/** Makes a call and tells it. `only` names the members of a JSON answer that are shown. */
export const told = async (url: string, options: Call = {}, only?: readonly string[]): Promise<Answer> => {
  const method = options.method ?? (options.form !== undefined || options.json !== undefined ? 'POST' : 'GET')
  line('->', `${bold(method)} ${short(url)}`)
  for (const text of requestLines(options)) line('  ', text)
  const answer = await call(url, options)
  tellAnswer(only ? { ...answer, json: Object.fromEntries(Object.entries(answer.json).filter(([name]) => only.includes(name))) } : answer)
  return answer
}

const tellAnswer = (answer: Answer): void => {
  line('<-', bold(String(answer.status)))
  for (const text of answerLines(answer)) line('  ', text.length > 300 ? `${text.slice(0, 300)}…` : text)
}

/** A step in a browser: a page was opened or a form sent. */
export const tellPage = (what: string, page: { status: number; url: string }): void => {
  line('->', what)
  line('<-', `${bold(String(page.status || 'leaves to'))} ${short(page.url)}`)
}
