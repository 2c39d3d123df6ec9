// Types of claims: how each is named on the wire (UMA Grant 3.3.6), and the one form in which its values are compared. One row a type; a
// claim without a row is a plain string. What is compared becomes a keyed hash here, and nothing readable goes further.
import { ID_TOKEN_FORMAT, JWT_FORMAT } from '../../shared/protocol/uma-grant.ts'
import { DC_SD_JWT } from '../../shared/protocol/wallet.ts'
import { usualCost } from '../policy/claim-costs.ts'
import { canonicalAddress, domainOf } from './address.ts'
import { type Hashing, sha256 } from './keys.ts'

/** `level`: values have an order. `set`: the value is a set of short labels, told plainly to the rules. */
export type ClaimKind = 'string' | 'level' | 'set'

export type ClaimType = {
  claim: string
  friendly_name: string
  /** URN or URI by which foreign clients know it. */
  claim_type?: string
  kind: ClaimKind
  /** One canonical value; undefined for what cannot be one. */
  normalise: (value: string) => string | undefined
  /** One token may tell several at the same time. */
  multi: boolean
  /** Means something only together with who says so: a rule writes issuer, blank, value. */
  perIssuer: boolean
  /** Formats in which a client may push it. */
  formats: readonly string[]
  /** The claims page can ask for it. */
  interactive: boolean
  /** What it costs a person to show it; the cheapest set is asked for first. */
  cost: number
}

/** A name of a claim, as rules and issuers write it. */
export const CLAIM_NAME = /^[a-z][a-z0-9_]{0,63}$/
/** Values of one claim in one token, and members of one set, and their length: a ticket carries what was shown. */
const [MAX_VALUES, MAX_MEMBERS, MAX_MEMBER, MAX_VALUE] = [4, 16, 32, 512]
/** From issuers that somebody registered (SPECS X-COR-1, UMA Grant 3.3.1). */
const FROM_ISSUERS = [ID_TOKEN_FORMAT, JWT_FORMAT]

// Controls, direction marks, zero-width characters: they make one value look like another.
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

function plain(value: string): string | undefined {
  const text = value.normalize('NFC').trim()
  return text === '' || text.length > MAX_VALUE || INVISIBLE.test(text) ? undefined : text
}
const lower = (value: string): string | undefined => plain(value)?.toLowerCase()

/** ISO 3166-1: two or three letters. */
const country = (value: string): string | undefined => (/^[A-Za-z]{2,3}$/.test(value.trim()) ? value.trim().toUpperCase() : undefined)

const row = (claim: string, friendly_name: string, rest: Partial<ClaimType> = {}): ClaimType => ({
  claim,
  friendly_name,
  kind: 'string',
  normalise: plain,
  multi: false,
  perIssuer: false,
  formats: FROM_ISSUERS,
  interactive: false,
  cost: usualCost(claim),
  ...rest,
})

const TYPES: ReadonlyMap<string, ClaimType> = new Map(
  [
    row('email', 'E-mail address', {
      // The object identifier of UMA Grant 3.3.6's own example, so that foreign clients recognise it.
      claim_type: 'urn:oid:0.9.2342.19200300.100.1.3',
      normalise: canonicalAddress,
      formats: [DC_SD_JWT, ...FROM_ISSUERS],
      multi: true,
      interactive: true,
    }),
    row('sub', 'Account at an identity provider', {
      claim_type: 'http://openid.net/specs/openid-connect-core-1_0.html#sub',
      // OpenID Connect Core 5.7: only `sub` and `iss` together name an account; another issuer may give the same `sub` to anybody.
      perIssuer: true,
    }),
    row('acr', 'Strength of the sign-in', { claim_type: 'http://openid.net/specs/openid-connect-core-1_0.html#acr', kind: 'level' }),
    row('eid_loa', 'Assurance of the electronic identity', { claim_type: 'http://eidas.europa.eu/LoA', kind: 'level' }),
    row('country', 'Country', { claim_type: 'urn:oid:2.5.4.6', normalise: country }),
    row('npi_role', 'Professional role', { normalise: lower, multi: true }),
    row('clearance', 'Clearance', { claim_type: 'urn:oid:2.5.4.55', kind: 'set' }),
    row('roles', 'Roles', { kind: 'set' }),
    row('groups', 'Groups', { kind: 'set' }),
  ].map((one) => [one.claim, one]),
)

/** What is known about a claim; one that nobody has described is a plain string under its own name. */
export const claimType = (claim: string): ClaimType => TYPES.get(claim) ?? row(claim, claim)

/** A domain as it stands in a canonical address; undefined for what is none. */
export function canonicalDomain(text: string): string | undefined {
  const address = canonicalAddress(`a@${text.trim().replace(/^@/, '')}`)
  return address === undefined ? undefined : domainOf(address)
}

/**
 * What stands for a value in evidence, tickets and grants (CLAIMS 5.6): the same at every owner, made from the canonical form. A text that
 * cannot be a value of this claim gets a hash that no proof has.
 */
export const claimValueOf = (keyring: Hashing, claim: string, text: string): Promise<string> => {
  const canonical = claimType(claim).normalise(text)
  return keyring.mac('claim-value', canonical === undefined ? `\0${claim}\0${text}` : `${claim}\0${canonical}`)
}

/** What stands for the domain of an address. `domain` must be canonical. */
export const domainValue = (keyring: Hashing, domain: string): Promise<string> => keyring.mac('claim-value', `email_domain\0${domain}`)

/** The secret part of a link. */
export const LINK = /^[\w-]{22,128}$/

/** What stands for the secret of a link in evidence; made to an owner's own by policyMac like any other. */
export const linkValue = async (secret: string): Promise<string> => `link\0${await sha256(secret)}`

/** What a token says of one claim, taken apart: canonical values, and of ordered claims the level, of sets the members. */
export type ReadClaim = { values: string[]; level?: number; holds?: string[] }

/** Reads a member of a verified token; undefined if it is absent or cannot be a value of this claim. Bounded. */
export function readClaim(type: ClaimType, value: unknown): ReadClaim | undefined {
  const all = Array.isArray(value) ? (value as unknown[]) : [value]
  const texts = all.map(textOf)
  if (texts.length === 0 || texts.some((text) => text === undefined)) return undefined
  const values = [...new Set((texts as string[]).map(type.normalise))]
  if (values.some((one) => one === undefined)) return undefined
  const known = (values as string[]).sort()
  if (type.kind === 'set') return readSet(known)
  if (known.length > (type.multi ? MAX_VALUES : 1)) return undefined
  if (type.kind === 'string') return { values: known }
  const level = levelOf(known[0] ?? '')
  return { values: known, ...(level === undefined ? {} : { level }) }
}

function readSet(members: string[]): ReadClaim | undefined {
  const isShort = members.length <= MAX_MEMBERS && members.every((one) => one.length <= MAX_MEMBER && /^[\x21-\x7e]+$/.test(one))
  // One value stands for the whole: a set is never read in part.
  return isShort ? { values: [members.join(' ')], holds: members } : undefined
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined

/** eIDAS levels as ISO 29115 counts them: low proves something, substantial is the third of four. */
const EIDAS: ReadonlyMap<string, number> = new Map([
  ['low', 2],
  ['substantial', 3],
  ['high', 4],
])

/** A level as a number: `2`, `loa3`, `urn:...:aal2`, eIDAS names. Undefined for what has no place in an order: it satisfies no minimum. */
function levelOf(value: string): number | undefined {
  if (/^\d{1,3}$/.test(value)) return Number(value)
  const named = /(?:^|[/:._-])(?:loa|aal|ial|al)[-_:]?(\d)$/i.exec(value)?.[1]
  if (named !== undefined) return Number(named)
  return EIDAS.get(/^(?:https?:\/\/eidas\.europa\.eu\/LoA\/)?(low|substantial|high)$/i.exec(value)?.[1]?.toLowerCase() ?? '')
}
