// Formats of the runtime's Intl, made once a language: making one costs far more than using it. Pure.
const lists = new Map<string, Intl.ListFormat>()
const dates = new Map<string, Intl.DateTimeFormat>()
const units = new Map<string, Intl.NumberFormat>()
/** Zones come from others: not more than this many stay. */
const MOST = 64

function kept<T>(known: Map<string, T>, key: string, make: () => T): T {
  const before = known.get(key)
  if (before !== undefined) return before
  const made = make()
  if (known.size >= MOST) known.clear()
  known.set(key, made)
  return made
}

/** "a, b and c", "a, b or c" (POLICY 4). */
export const listFormat = (locale: string, type: 'conjunction' | 'disjunction'): Intl.ListFormat =>
  kept(lists, `${locale} ${type}`, () => new Intl.ListFormat(locale, { type, style: 'long' }))

/** A moment in a language (POLICY 4). RangeError: no such time zone. */
export const dateFormat = (locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  kept(dates, `${locale} ${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(locale, options))

/** "10 minutes" (POLICY 4). */
export const unitFormat = (locale: string, unit: string): Intl.NumberFormat =>
  kept(units, `${locale} ${unit}`, () => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }))
