// Searches every byte of every file below a folder for texts, in the ways in which software writes texts down.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

export type Needle = { what: string; form: string; bytes: string }
export type Hit = { file: string; what: string; form: string }

/** Every needle has at least so many bytes; what is shorter would be found by chance. */
const KEY = 8

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/** Base64 of bytes that stand anywhere in something larger: what of it does not depend on the neighbours, at each of three offsets. */
const base64Inside = (bytes: Buffer): string[] =>
  [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const first = [0, 2, 3][offset] ?? 0
    const last = (offset + bytes.length) % 3 === 0 ? text.length : text.length - 1
    return text.slice(first, last)
  })

const wide = (bytes: Buffer): [Buffer, Buffer] => {
  const little = Buffer.from(bytes.toString('latin1'), 'utf16le')
  return [little, Buffer.from(little).swap16()]
}

const formsOf = (bytes: Buffer): [string, string][] => {
  const [little, big] = wide(bytes)
  const inside = base64Inside(bytes)
  return [
    ['raw', latin1(bytes)],
    ['utf-16le', latin1(little)],
    ['utf-16be', latin1(big)],
    ['hex', bytes.toString('hex')],
    ['HEX', bytes.toString('hex').toUpperCase()],
    ...inside.map((text): [string, string] => ['base64', text]),
    ...inside.map((text): [string, string] => ['base64url', text.replaceAll('+', '-').replaceAll('/', '_')]),
    ['percent', encodeURIComponent(bytes.toString('latin1'))],
  ]
}

/** A text in every form; if it is base64url itself, also the bytes that it stands for. Each part between dots counts by itself. */
export const needlesFor = (text: string, what: string): Needle[] => {
  const whole = Buffer.from(text)
  const parts = text.split(/[.~]/).filter((part) => /^[\w-]{40,}$/.test(part))
  const sources = [whole, ...parts.flatMap((part) => [Buffer.from(part), Buffer.from(part, 'base64url')])]
  const forms = sources.flatMap((source) => formsOf(source))
  // The same bytes in two forms go by the name of the first.
  return [...new Map(forms.reverse().map(([form, bytes]) => [bytes, { what, form, bytes }])).values()].filter(
    ({ bytes }) => bytes.length >= KEY,
  )
}

/** Spellings of an address and its parts: as typed, small, large. */
export const needlesForAddress = (address: string): Needle[] => {
  const [local = '', domain = ''] = address.split('@')
  return [address, local, domain].flatMap((text) =>
    [...new Set([text, text.toLowerCase(), text.toUpperCase()])].flatMap((one) => needlesFor(one, `address ${address}`)),
  )
}

type Index = Map<string, Needle[]>

const indexOf = (needles: readonly Needle[]): Index => {
  const index: Index = new Map()
  for (const needle of needles) {
    const key = needle.bytes.slice(0, KEY)
    index.set(key, [...(index.get(key) ?? []), needle])
  }
  return index
}

const searchText = (text: string, index: Index): Needle[] => {
  const found = new Set<Needle>()
  for (let at = 0; at + KEY <= text.length; at++) {
    for (const needle of index.get(text.slice(at, at + KEY)) ?? []) if (text.startsWith(needle.bytes, at)) found.add(needle)
  }
  return [...found]
}

/** Every file below a folder, as text of one character a byte. */
export const filesBelow = (folder: string): { file: string; text: string }[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ file: relative(folder, path), text: readFileSync(path, 'latin1') }))

/** Where any of the needles is. */
export const searchIn = (files: readonly { file: string; text: string }[], needles: readonly Needle[]): Hit[] => {
  const index = indexOf(needles)
  return files.flatMap(({ file, text }) => searchText(text, index).map(({ what, form }) => ({ file, what, form })))
}

/** Six digits that stand by themselves, as a mailed code does, in the ways in which texts are written down. */
export const hasCode = (text: string, code: string): boolean => {
  const spellings = [code, `${code.slice(0, 3)} ${code.slice(3)}`]
  return (
    spellings.some((one) => new RegExp(`(?<![0-9A-Za-z_-])${one}(?![0-9A-Za-z_-])`).test(text)) ||
    spellings.some((one) => wide(Buffer.from(one)).some((bytes) => text.includes(latin1(bytes))))
  )
}
