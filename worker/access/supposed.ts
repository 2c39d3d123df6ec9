// Whom an AuthZEN request speaks of, as the engine is told (POLICY 5): a person of the owner, or somebody with an address. Also what the
// request says of the circumstances.
import { canonicalAddress, claimValue, domainOf, policyMac } from '../claims/address.ts'
import { domainValue } from '../claims/types.ts'
import { type AppContext, ownerObject, seconds } from '../http/context.ts'
import type { Supposed } from '../objects/owner-questions.ts'
import type { Fact } from '../policy/world.ts'

/** Seconds for which what is supposed counts. */
const SHOWN_FOR = 3600
const MAX_CONTEXT = 32

type Subject = { type: string; id: string }
/** Policy MACs of people by their ids. */
type Macs = Readonly<Record<string, string>>
type Said = Readonly<Record<string, unknown>> | undefined

/**
 * What the subject would have shown a moment ago. For an owner this server vouches for it; a resource server only repeats what it was told,
 * so the object puts the service's own name in place of `iss` (`pep:<client_id>`), and only rules that name it listen. Nothing for a subject of another
 * type: somebody of whom nothing is known.
 */
async function factsOf(c: AppContext, owner: string, { type, id }: Subject, macs: Macs): Promise<Fact[]> {
  const { keyring, issuer } = c.var.deps
  const now = seconds(c.var.deps)
  const shown = { id: 'subject', claim: 'email', iss: issuer, iat: now, exp: now + SHOWN_FOR }
  if (type === 'person') {
    const mac = Object.hasOwn(macs, id) ? macs[id] : undefined
    return mac === undefined ? [] : [{ ...shown, mac }]
  }
  const address = type === 'email' ? canonicalAddress(id) : undefined
  if (address === undefined) return []
  const [mac, domain] = await Promise.all([
    policyMac(keyring, owner, await claimValue(keyring, address)),
    policyMac(keyring, owner, await domainValue(keyring, domainOf(address))),
  ])
  return [{ ...shown, mac, domain }]
}

/** Members of `context` that rules can look at; `purpose` and `client_id` have their own meaning. */
function saidIn(context: Said): Pick<Supposed, 'context' | 'purpose' | 'client_id'> {
  const { purpose, client_id, ...rest } = context ?? {}
  const plain = Object.entries(rest)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .slice(0, MAX_CONTEXT)
  return {
    context: Object.fromEntries(plain) as Record<string, string | number | boolean>,
    ...(typeof purpose === 'string' ? { purpose } : {}),
    ...(typeof client_id === 'string' ? { client_id } : {}),
  }
}

type About = { subject: Subject; context: Said }

/** Somebody who is not here, as the owner's object is asked about. */
export const supposed = async (c: AppContext, owner: string, subject: Subject, context: Said): Promise<Supposed> =>
  (await supposedAll(c, owner, [{ subject, context }]))[0] as Supposed

/** The same for many at once: the object is asked once for all people who are named. */
export async function supposedAll(c: AppContext, owner: string, all: readonly About[]): Promise<Supposed[]> {
  const ids = all.flatMap(({ subject: { type, id } }) => (type === 'person' ? [id] : []))
  const macs: Macs = ids.length === 0 ? {} : await ownerObject(c.env, owner).macsOf([...new Set(ids)])
  return Promise.all(
    all.map(async ({ subject, context }) => ({
      facts: await factsOf(c, owner, subject, macs),
      now: seconds(c.var.deps),
      ...saidIn(context),
    })),
  )
}
