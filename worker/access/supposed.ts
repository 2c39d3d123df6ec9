// Of whom and of what an AuthZEN request speaks, as the engine is told (POLICY 5): a person of the owner or somebody with an address, what else
// they would show (`properties`), and what the request says of the circumstances.
import { policyMac } from '../claims/address.ts'
import { type SupposedClaim, supposedEvidence } from '../claims/supposed.ts'
import { CLAIM_NAME, LINK, linkValue } from '../claims/types.ts'
import { type AppContext, callOf, ownerObject, seconds } from '../http/context.ts'
import { usualTrust } from '../oauth/client-trust.ts'
import { clientsById } from '../oauth/clients.ts'
import { trustedIssuer } from '../oauth/trusted-issuer.ts'
import { shownFacts } from '../objects/owner-facts.ts'
import { factFor, type Supposed } from '../objects/owner-questions.ts'
import type { Fact } from '../policy/world.ts'
import type { Client } from '../store/clients.ts'

/** Members of `context`, and claims of one subject, that are looked at: as many as a ticket carries. */
const [MAX_CONTEXT, MAX_CLAIMS] = [32, 8]

type Said = Readonly<Record<string, unknown>> | undefined
type Subject = { type: string; id: string; properties?: Said }
type About = { subject: Subject; context: Said }
/** Looked up once for all that one request asks. `isService`: a service asks, which only repeats what it was told. */
type Known = {
  owner: string
  isService: boolean
  macs: Readonly<Record<string, string>>
  organisations: readonly string[]
  clients: ReadonlyMap<string, Client>
}

/** Somebody who is not here, as the owner's object is asked about. */
export const supposed = async (c: AppContext, by: Pick<Known, 'owner' | 'isService'>, subject: Subject, context: Said): Promise<Supposed> =>
  (await supposedAll(c, by, [{ subject, context }]))[0] as Supposed

/** The same for many at once: the object is asked once for all people who are named. */
export async function supposedAll(c: AppContext, by: Pick<Known, 'owner' | 'isService'>, all: readonly About[]): Promise<Supposed[]> {
  const ids = all.flatMap(({ subject: { type, id } }) => (type === 'person' ? [id] : []))
  const apps = all.flatMap(({ context }) => (typeof context?.client_id === 'string' ? [context.client_id] : []))
  const [{ macs, organisations }, clients] = await Promise.all([
    ownerObject(c.env, by.owner).knownAs([...new Set(ids)]),
    apps.length === 0 ? new Map<string, Client>() : clientsById(callOf(c), apps),
  ])
  const known = { ...by, macs, organisations, clients }
  return Promise.all(
    all.map(async ({ subject, context }) => ({
      facts: await factsOf(c, known, subject),
      now: seconds(c.var.deps),
      ...(await circumstancesIn(c, known, context)),
    })),
  )
}

/**
 * What the subject would have shown a moment ago. For an owner this server vouches for the address, and for a property whoever it names. A
 * service only repeats what it was told, so the object puts the service's own name in place of `iss` (`pep:<client_id>`), and only rules
 * that name it listen. Nothing for a subject of another type: somebody of whom nothing is known but the properties.
 */
async function factsOf(c: AppContext, known: Known, { type, id, properties }: Subject): Promise<Fact[]> {
  const { keyring, issuer } = c.var.deps
  const { owner, organisations, macs } = known
  const now = seconds(c.var.deps)
  const address: SupposedClaim[] = type === 'email' ? [{ claim: 'email', said: id, iss: issuer }] : []
  const claims = [...address, ...(await claimsIn(c, known, properties))]
  const mac = type === 'person' && Object.hasOwn(macs, id) ? macs[id] : undefined
  const shown = shownFacts(await supposedEvidence(keyring, claims, { owner, organisations, now }))
  return mac === undefined ? shown : [factFor(mac, { issuer, now }), ...shown]
}

/** A property is a claim: its value, or `{ value, iss }`. */
async function claimsIn(c: AppContext, { owner, isService }: Known, properties: Said): Promise<SupposedClaim[]> {
  const named = Object.entries(properties ?? {}).filter(([claim]) => CLAIM_NAME.test(claim))
  const claims = await Promise.all(
    named.slice(0, MAX_CLAIMS).map(async ([claim, value]): Promise<SupposedClaim[]> => {
      const isBare = typeof value !== 'object' || value === null || Array.isArray(value)
      const { value: said, iss = c.var.deps.issuer } = isBare ? { value } : (value as { value?: unknown; iss?: unknown })
      if (typeof iss !== 'string') return []
      if (isService || iss === c.var.deps.issuer) return [{ claim, said, iss }]
      // Whoever does not count cannot vouch: nobody can show this.
      const vouching = await trustedIssuer(callOf(c), owner, iss)
      return vouching?.claims.includes(claim) === true ? [{ claim, said, iss, trust: vouching.trust }] : []
    }),
  )
  return claims.flat()
}

/** Members of `context` that rules can look at; `purpose`, `client_id` and `link` are what they are in a token request. */
async function circumstancesIn(c: AppContext, { owner, clients }: Known, context: Said): Promise<Omit<Supposed, 'facts' | 'now'>> {
  const { purpose, client_id, link, ...rest } = context ?? {}
  const plain = Object.entries(rest).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
  const client = typeof client_id === 'string' ? clients.get(client_id) : undefined
  const isLink = typeof link === 'string' && LINK.test(link)
  return {
    context: Object.fromEntries(plain.slice(0, MAX_CONTEXT)) as Record<string, string | number | boolean>,
    ...(typeof purpose === 'string' ? { purpose } : {}),
    ...(isLink ? { links: [await policyMac(c.var.deps.keyring, owner, await linkValue(link))] } : {}),
    ...(typeof client_id === 'string' ? { client_id, noClient: client === undefined } : {}),
    ...(client === undefined ? {} : { client_trust: usualTrust(callOf(c), client) }),
  }
}
