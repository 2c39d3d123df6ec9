// Who may import whom (DESIGN, "Floors"), as data and one pure check over sources. A folder that is not in the table is a violation,
// so nobody can open a new corner without saying where it stands. Reads text, does not resolve packages and does not type-check.

/** Where a file lives: a name for messages, and the names that it may import from besides itself. */
type Place = { name: string; floor: number; mayImport?: readonly string[]; pure?: 'all' | 'shared' }

/** Longest matching folder wins; `*` stands for files directly in that folder. */
const PLACES: Readonly<Record<string, Place>> = {
  'shared/protocol/': { name: 'shared/protocol', floor: 0, pure: 'all' },
  'shared/*': { name: 'shared', floor: 1, pure: 'shared' },
  'worker/policy/': { name: 'worker/policy', floor: 2, pure: 'all' },
  'worker/negotiation/': { name: 'worker/negotiation', floor: 2, pure: 'all' },
  'worker/keys/': { name: 'worker/keys', floor: 2, pure: 'all' },
  'worker/storage/': { name: 'worker/storage', floor: 2, pure: 'all' },
  'worker/openapi/': { name: 'worker/openapi', floor: 2, pure: 'all' },
  'worker/pages/': { name: 'worker/pages', floor: 2, pure: 'all' },
  'worker/claims/': { name: 'worker/claims', floor: 3 },
  'worker/tokens/': { name: 'worker/tokens', floor: 3 },
  'worker/store/': { name: 'worker/store', floor: 3 },
  'worker/objects/': { name: 'worker/objects', floor: 3 },
  'worker/http/': { name: 'worker/http', floor: 4 },
  'worker/oauth/': { name: 'worker/oauth', floor: 5 },
  'worker/uma/': { name: 'worker/uma', floor: 6 },
  'worker/admin/': { name: 'worker/admin', floor: 6 },
  'worker/owner/': { name: 'worker/owner', floor: 6 },
  'worker/access/': { name: 'worker/access', floor: 6 },
  'worker/email/': { name: 'worker/email', floor: 6 },
  'worker/*': { name: 'worker', floor: 7 },
  // Scripts of pages run in a browser; they see the protocol and each other.
  'worker/pages/client/': { name: 'worker/pages/client', floor: 2, mayImport: ['shared/protocol', 'shared'] },
  // The vault must work with any authorization server: it sees shared/ only.
  'worker/vault/': { name: 'worker/vault', floor: 2, mayImport: ['shared/protocol', 'shared'] },
  // Views and the content script talk to the background by messages.
  'extension/*': { name: 'extension', floor: 2, mayImport: ['shared/protocol', 'shared'] },
  'extension/wallet/': { name: 'extension/wallet', floor: 2, mayImport: ['shared/protocol', 'shared', 'extension'] },
  'extension/as/': { name: 'extension/as', floor: 2, mayImport: ['shared/protocol', 'shared', 'extension', 'extension/wallet'] },
  'extension/background/': {
    name: 'extension/background',
    floor: 3,
    mayImport: ['shared/protocol', 'shared', 'extension', 'extension/wallet', 'extension/as'],
  },
  'extension/ui/': { name: 'extension/ui', floor: 3, mayImport: ['shared/protocol', 'shared', 'extension'] },
  'extension/popup/': { name: 'extension/popup', floor: 3, mayImport: ['shared/protocol', 'shared', 'extension', 'extension/ui'] },
  'extension/dashboard/': { name: 'extension/dashboard', floor: 3, mayImport: ['shared/protocol', 'shared', 'extension', 'extension/ui'] },
  'extension/consent/': { name: 'extension/consent', floor: 3, mayImport: ['shared/protocol', 'shared', 'extension', 'extension/ui'] },
  'extension/content/': { name: 'extension/content', floor: 3, mayImport: ['shared/protocol', 'extension/messages.ts'] },
}

/** Files that only say how others are built or typed; they stand on no floor. */
const FREE = /(^|\/)(vite\.config\.ts|[\w.-]+\.d\.ts)$/

const PURE_PACKAGES = /^(hono(\/.*)?|jose(\/.*)?|cloudflare:.*|node:.*)$/
const SHARED_PACKAGES = /^(cloudflare:.*|node:.*)$/
const PURE_CALLS: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\s*\(/, 'Date.now()'],
  [/\bnew Date\s*\(\s*\)/, 'new Date()'],
  [/\bgetRandomValues\s*\(/, 'crypto.getRandomValues()'],
  [/\brandomUUID\s*\(/, 'crypto.randomUUID()'],
  [/\bMath\.random\s*\(/, 'Math.random()'],
  [/(?<![.\w])fetch\s*\(/, 'fetch()'],
  [/\bglobalThis\.fetch\b/, 'globalThis.fetch'],
]

/** The place of a repository path, or undefined if nobody said where that folder stands. */
const placeOf = (path: string): Place | undefined => {
  let folder = path.slice(0, path.lastIndexOf('/') + 1)
  const direct = PLACES[`${folder}*`]
  if (direct) return direct
  while (folder) {
    const place = PLACES[folder]
    if (place) return place
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1)
  }
  return undefined
}

/** Source without comments and without the inside of regular text, so that prose about `fetch()` is not a call. */
const withoutComments = (source: string): string => source.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|[^:'"`\\])\/\/[^\n]*/g, '$1')

const SPECIFIER =
  /(?:^|[;\n])\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|[;\n])\s*import\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]/g

const importsOf = (source: string): string[] => [...source.matchAll(SPECIFIER)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')

const resolve = (from: string, specifier: string): string => {
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

const mayImport = (from: Place, to: Place, path: string): boolean => {
  if (from.name === to.name) return true
  if (from.mayImport) return from.mayImport.includes(to.name) || from.mayImport.includes(path)
  return to.floor < from.floor && to.mayImport === undefined
}

const packageRule = (place: Place, specifier: string): string | undefined => {
  if (place.pure === 'all' && PURE_PACKAGES.test(specifier)) {
    if (place.name === 'worker/pages' && specifier.startsWith('hono/jsx')) return undefined
    return `imports ${specifier}, but ${place.name} is pure`
  }
  if (place.pure === 'shared' && SHARED_PACKAGES.test(specifier)) return `imports ${specifier}, but shared code runs everywhere`
  if (place.name === 'worker/vault' && specifier.startsWith('latchkey')) return `imports ${specifier}`
  return undefined
}

const importRule = (path: string, place: Place, specifier: string): string | undefined => {
  if (!specifier.startsWith('.')) return packageRule(place, specifier)
  const target = resolve(path, specifier)
  if (target.startsWith('.build/')) return undefined
  // Data has no floor, but belongs to its part.
  if (target.endsWith('.json') && target.split('/')[0] === path.split('/')[0]) return undefined
  const to = placeOf(target)
  if (!to) return `imports ${target}, which stands on no floor`
  return mayImport(place, to, target) ? undefined : `imports ${target}: ${place.name} may not look at ${to.name}`
}

const callRules = (place: Place, code: string): string[] => {
  if (!place.pure) return []
  const calls = place.pure === 'all' ? PURE_CALLS : PURE_CALLS.filter(([, name]) => name === 'fetch()')
  return calls.filter(([pattern]) => pattern.test(code)).map(([, name]) => `calls ${name}; hand it in instead`)
}

/**
 * Checks sources against the floors.
 * @param sources repository path -> text, for every .ts and .tsx below shared/, worker/ and extension/
 * @returns one sentence per violation, empty when all is well (DESIGN section 2, STYLE section 3.1)
 */
export const floorViolations = (sources: ReadonlyMap<string, string>): string[] => {
  const found: string[] = []
  for (const [path, source] of sources) {
    if (FREE.test(path)) continue
    const place = placeOf(path)
    if (!place) {
      found.push(`${path}: this folder stands on no floor; add it to test/support/floors.ts`)
      continue
    }
    const code = withoutComments(source)
    for (const specifier of importsOf(code)) {
      const problem = importRule(path, place, specifier)
      if (problem) found.push(`${path}: ${problem}`)
    }
    for (const problem of callRules(place, code)) found.push(`${path}: ${problem}`)
  }
  return found
}
