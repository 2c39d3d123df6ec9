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
