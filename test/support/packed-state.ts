// State folders as test vectors: all files of one worker's state in one compressed file, and what the people and programs in it hold.
// A folder is packed when no runtime has it open; what its write-ahead logs hold is brought into the databases first.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import type { JWK } from 'jose'
import { ROOT } from '../tools/build.ts'

/** Who is in a packed state, and what they hold in their hands. Everything was made for it; nobody else has ever had it. */
export type OldStory = {
  /** When it was packed, in seconds since 1970. */
  at: number
  /** The server's origin then. */
  origin: string
  owner: { address: string; cookies: Record<string, string> }
  service: { id: string; secret: string; pat: string; refresh: string }
  wallet: { id: string; token: string; refresh: string; key: JWK }
  app: { id: string; secret: string; claimsRedirectUri: string }
  /** A thing that is shared with the guest, one whose share was stopped, and the shares. */
  resource: string
  share: string
  other: string
  /** A rule that forbids; from version 3 on. */
  rule?: string
  /** What there is from version 3 on. */
  later?: LaterStory
  guest: { address: string; claims: { path: string; code: string; cookies: Record<string, string> } }
  /** A live RPT for the resource; one whose share was stopped; a ticket that was never used; one that was. */
  rpt: string
  stoppedRpt: string
  ticket: string
  spentTicket: string
  /** A code that was never traded for tokens, and what goes with it. */
  code: { code: string; verifier: string; redirectUri: string; id: string; secret: string }
  credential: { sdJwt: string; key: JWK; jwk: JWK }
}

/** A group, the rule that lets it in, the thing in a thing to which that applies, a member's RPT and PCT; who is believed; who asks. */
export type LaterStory = { group: string; permit: string; photo: string; rpt: string; pct: string; issuer: string; request: string }

const folderOf = (version: number): string => join(ROOT, `test/vectors/state-v${version}`)

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** Packs a state folder and its story as test/vectors/state-v<version>/; answers the size of the packed state. */
export const packState = (version: number, state: string, story: OldStory): number => {
  for (const file of filesIn(state).filter((path) => path.endsWith('.sqlite'))) {
    const database = new DatabaseSync(file)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
  }
  const files = Object.fromEntries(
    filesIn(state)
      .filter((path) => !/-(wal|shm)$/.test(path))
      .sort()
      .map((path) => [relative(state, path), readFileSync(path).toString('latin1')]),
  )
  const packed = brotliCompressSync(JSON.stringify(files), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
  mkdirSync(folderOf(version), { recursive: true })
  writeFileSync(join(folderOf(version), 'state.json.br'), packed)
  writeFileSync(join(folderOf(version), 'story.json'), `${JSON.stringify(story, undefined, 2)}\n`)
  return packed.byteLength
}

/** Writes a packed state into a folder; answers its story. */
export const unpackState = (version: number, state: string): OldStory => {
  const files = JSON.parse(brotliDecompressSync(readFileSync(join(folderOf(version), 'state.json.br'))).toString()) as Record<
    string,
    string
  >
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(state, path)), { recursive: true })
    writeFileSync(join(state, path), Buffer.from(text, 'latin1'))
  }
  const story = JSON.parse(readFileSync(join(folderOf(version), 'story.json'), 'utf8')) as OldStory
  moveAlarms(state, Math.floor(Date.now() / 1000) - story.at)
  return story
}

/** Alarms keep to the machine's clock: they ring as long after the start as they would have then. Kept in two places, in nanoseconds. */
const moveAlarms = (state: string, seconds: number): void => {
  for (const file of filesIn(state).filter((path) => path.endsWith('.sqlite'))) {
    const database = new DatabaseSync(file)
    const has = (table: string): boolean => database.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(table) !== undefined
    const later = BigInt(seconds) * 1_000_000_000n
    if (has('_cf_ALARM')) database.prepare('UPDATE _cf_ALARM SET scheduled_time = scheduled_time + ?').run(later)
    if (has('_cf_METADATA')) database.prepare('UPDATE _cf_METADATA SET value = value + ? WHERE key = 1').run(later)
    database.close()
  }
}
