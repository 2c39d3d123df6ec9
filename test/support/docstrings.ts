// What the docstring of an exported function must say, checked as text: that it is there, what goes in and what comes out, which section it
// serves, what happens when it cannot, in which unit times are. Whether it is true is for readers.

export type Documented = { file: string; name: string; signature: string; doc: string }

const EXPORTED = /^export (?:async )?function (\w+)|^export const (\w+)(?:: [^=\n]+)? = (?:async )?(?:<[^>]*>)?\(/gm

/** The signature as far as the body: up to a line that ends with `{` or `=>`, or the end of the line. */
const signatureAt = (source: string, at: number): string => /^[\s\S]*?(?:\{|=>|;)[ ]*$/m.exec(source.slice(at))?.[0] ?? ''

/** The block comment that ends directly above. */
const docAbove = (source: string, at: number): string => /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(source.slice(0, at))?.[1] ?? ''

/** Exported functions of one source. Overloads and re-exports are not looked at. */
export const documentedIn = (file: string, source: string): Documented[] =>
  [...source.matchAll(EXPORTED)].map((match) => ({
    file,
    name: match[1] ?? match[2] ?? '',
    signature: signatureAt(source, match.index),
    doc: docAbove(source, match.index)
      .replace(/\s*\n\s*\* ?/g, ' ')
      .trim(),
  }))

const SECTION =
  /(?:UMA Grant|UMA FedAuthz|RFC \d{4}|OpenID\w*|DESIGN|POLICY|CLAIMS|EXTENSION|UX|Fetch)(?: [\w-]+)*? (?:appendix [A-Z]|\d[\d.]*)/
const FAILURE = /\b(?:nothing|undefined|reject|throw|never|fail|unreachable|refuse|false|invalid|error|reason|cannot|unread)/i
const TIMES = /\b(?:now|seconds|exp|expires\w*|interval|timeout)\b\s*[?:]/

const PAIRS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' }

const depthAt = (text: string): number =>
  [...text.replaceAll('=>', '')].reduce((depth, sign) => depth + (sign === '<' ? 1 : sign === '>' ? -1 : 0), 0)

/** The parameters of a signature as they are written, and the type that comes out as far as it is written. */
const partsOf = (signature: string): { parameters: string[]; result: string } => {
  // What stands between `<` and `>` before it are type parameters.
  const start = [...signature].findIndex((sign, at) => sign === '(' && depthAt(signature.slice(0, at)) === 0)
  const parameters: string[] = ['']
  const open: string[] = []
  for (let at = start + 1; at < signature.length; at++) {
    const sign = signature[at] ?? ''
    const isArrow = sign === '>' && signature[at - 1] === '='
    if (open.length === 0 && sign === ')') {
      const result = signature.slice(at + 1).replace(/(?:\{|=>|;)\s*$/, '')
      return { parameters: parameters.map((one) => one.trim()).filter((one) => one !== ''), result: result.replace(/^\s*:/, '').trim() }
    }
    if (open.at(-1) === sign && !isArrow) open.pop()
    else if (PAIRS[sign] !== undefined) open.push(PAIRS[sign])
    if (open.length === 0 && sign === ',') parameters.push('')
    else parameters.push(`${parameters.pop() ?? ''}${sign}`)
  }
  return { parameters: [], result: '' }
}

/** What a parameter is called: one name, or those of its members that are taken out of it. */
const namesOf = (parameter: string): string[] => {
  const members = /^\{([^}]*)\}/.exec(parameter)?.[1]
  const written = members === undefined ? [parameter] : members.split(',')
  return written.map((one) => /^[\s.]*(\w+)/.exec(one)?.[1] ?? '').filter((name) => name !== '')
}

/** Said by its name: after `@param`, or as `name` in the text. */
const isSaid = (doc: string, name: string): boolean => new RegExp(`@param ${name}\\b|\`${name}\\b`).test(doc)

/** What is missing in a docstring; nothing when it is complete. */
export const gapsOf = ({ doc, signature }: Documented): string[] => {
  const gaps: string[] = []
  if (doc.length < 20) return ['has no docstring']
  if (!SECTION.test(doc)) gaps.push('names no section')
  const canFail = /\): (?:Promise<|[^={]*\| undefined)|async function/.test(signature)
  if (canFail && !FAILURE.test(doc)) gaps.push('does not say what happens when it cannot')
  if (TIMES.test(signature) && !/second/i.test(doc)) gaps.push('does not say that times are seconds')
  return gaps
}

/** What the docstring of a function that others call does not say of what goes in and what comes out. */
export const unsaidOf = ({ doc, signature }: Documented): string[] => {
  const { parameters, result } = partsOf(signature)
  const unsaid = parameters.map(namesOf).filter((names) => !names.some((name) => isSaid(doc, name)))
  const isSilent = !/^(?:Promise<)?void\b/.test(result) && !doc.includes('@returns')
  return [...unsaid.map((names) => `does not say what ${names.join(', ')} is`), ...(isSilent ? ['does not say what comes out'] : [])]
}

/** Files that an entry passes on as they are. */
export const passedOn = (source: string): string[] => [...source.matchAll(/^export \* from '\.\/([^']+)'/gm)].map(([, file = '']) => file)

/** Names that an entry hands out: its own exports, and what it passes on by name. */
export const handedOut = (source: string): string[] => [
  ...[...source.matchAll(/^export (?:type )?\{([^}]*)\} from/gm)].flatMap(([, names = '']) =>
    names
      .split(',')
      .map((name) => name.replace(/^\s*type\s/, '').trim())
      .filter((name) => name !== ''),
  ),
  ...[...source.matchAll(/^export (?:async )?(?:type|const|function) (\w+)/gm)].map(([, name = '']) => name),
]

/** Names of one source above which a docstring stands; a type that is read off a schema has the schema's. */
export const describedIn = (source: string): string[] => {
  const exported = [...source.matchAll(/^export (?:async )?(?:type|const|function) (\w+)(?: = v\.InferOutput<typeof (\w+)>)?/gm)]
  const own = exported.filter((match) => /\*\/\s*$/.test(source.slice(0, match.index))).map(([, name = '']) => name)
  return [...own, ...exported.filter(([, , schema]) => schema !== undefined && own.includes(schema)).map(([, name = '']) => name)]
}
