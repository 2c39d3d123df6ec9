// What the docstring of an exported function must say, checked as text: that it is there, which section it serves, what happens when it
// cannot, in which unit times are. Whether it is true is for readers.

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
