// What a browser may do with a file that somebody uploaded: show it in place, or only save it; and under which name. Pure.

/** Media types that a browser shows without running anything of them. No SVG, no HTML, no XML: those can carry script. */
const SHOWN =
  /^(?:image\/(?:png|jpeg|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon)|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain|application\/pdf)$/

/** Types that a browser would run if it ever opened them; they go out as bytes. */
const ACTIVE =
  /^(?:text\/(?:html|xml|javascript|css)|application\/(?:xhtml\+xml|xml|javascript|x-shockwave-flash)|image\/svg\+xml|.*\+xml)$/

const FALLBACK = 'application/octet-stream'

/** The type as the uploader gave it, without parameters, in lower case; bytes when it is not a media type (RFC 9110 8.3.1). */
export function mediaType(claimed: string | null | undefined): string {
  const type = (claimed ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return type.length <= 100 && /^[a-z0-9][\w!#$&^.+-]*\/[a-z0-9][\w!#$&^.+-]*$/.test(type) ? type : FALLBACK
}

export type Shape = 'image' | 'audio' | 'video' | 'text' | 'pdf' | 'other'

/** How a page can embed it; `other` can only be saved. */
export function shapeOf(type: string): Shape {
  if (!SHOWN.test(type)) return 'other'
  if (type === 'application/pdf') return 'pdf'
  const major = type.split('/')[0]
  return major === 'image' || major === 'audio' || major === 'video' ? major : 'text'
}

/** Headers that decide what a browser does with the bytes. */
export function contentHeaders(file: { name: string; type: string }, asDownload: boolean): Record<string, string> {
  const shape = shapeOf(file.type)
  const isShown = shape !== 'other' && !asDownload
  const type = ACTIVE.test(file.type) ? FALLBACK : file.type
  // A sandbox takes Chromium's PDF viewer away. It runs nothing of the file in this origin; all else stays forbidden.
  const sandbox = shape === 'pdf' ? '' : 'sandbox; '
  return {
    'content-type': type === 'text/plain' ? 'text/plain; charset=utf-8' : type,
    'content-disposition': dispositionOf(isShown ? 'inline' : 'attachment', file.name),
    'content-security-policy': `${sandbox}default-src 'none'; img-src 'self'; media-src 'self'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'`,
    'x-content-type-options': 'nosniff',
  }
}

/** RFC 8187 3.2.1: everything but attr-char is percent-encoded as UTF-8. */
const extendedValue = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/** A name as a person may have typed it, fit to be a file name: no path, no control or direction characters, not empty, not endless. */
export function fileName(claimed: string): string {
  const last = claimed.toWellFormed().split(/[/\\]/).at(-1) ?? ''
  const clean = last.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '').trim()
  const usable = clean === '' || /^\.+$/.test(clean) ? 'file' : clean
  return [...usable].slice(0, 200).join('')
}

/**
 * Content-Disposition (RFC 6266 4): both forms when the name is not plain ASCII; the quoted one has what no recipient misreads.
 * RFC 6266 appendix D: no percent sign and no backslash in the quoted form, some browsers decode them.
 */
export function dispositionOf(kind: 'inline' | 'attachment', name: string): string {
  const clean = fileName(name)
  const ascii = clean
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/g, '_')
    .replace(/["\\%]/g, '_')
  return ascii === clean ? `${kind}; filename="${ascii}"` : `${kind}; filename="${ascii}"; filename*=UTF-8''${extendedValue(clean)}`
}
