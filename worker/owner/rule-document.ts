// A rule as people write it -> as the engine reads it: addresses, domains and values become policy MACs (CLAIMS 5.6), and the words for
// them a label that only the owner's devices can open.
import * as v from 'valibot'
import { type PolicyAtom, type PolicyDocument, policyDocument, type RuleLabel } from '../../shared/protocol/owner-policy.ts'
import { canonicalAddress, policyMac } from '../claims/address.ts'
import { canonicalDomain, claimValueOf, domainValue, linkValue } from '../claims/types.ts'
import type { NamedPerson } from '../objects/owner-rules.ts'
import { checkPolicy, type Problem } from '../policy/check.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Atom, Condition, GrantTerms, Policy } from '../policy/policy.ts'
import type { Keyring } from '../tokens/keyring.ts'
import { sealLabel } from '../tokens/label-key.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { atomsOf, isDeeper, mapAtoms } from './rule-parts.ts'

/** Deeper than the engine takes (worker/policy/check.ts), so that the engine's sentence is read; not so deep that reading it is work. */
const DEPTH = 40
const MAC = /^mac:([\w-]{43})$/

/** `policyDocument` for a request body: refused before it is walked through if it is nested without end. */
export const readablePolicy = v.pipe(
  v.unknown(),
  v.check((value) => !isDeeper(value, DEPTH), 'nested too deep'),
  policyDocument,
)

/** `problems`: of one that may not be saved whatever its values are; then these stand in it as they were written. */
export type Compiled = { policy: Policy; people: NamedPerson[]; label: string | null; problems: Problem[] }
/** A document that cannot be a rule; the message says what to change. */
export class RuleRefused extends Error {
  override readonly name = 'RuleRefused'
}

export type Compiling = {
  keyring: Pick<Keyring, 'mac'>
  owner: string
  labelPublic: JsonWebKey
  /** Policy MAC of a person of this owner; undefined if there is none with this id. */
  macOfPerson: (id: string) => string | undefined
}

/** Ids of people that a document names. */
export const peopleIn = (document: PolicyDocument): string[] =>
  atomsOf<PolicyAtom>(document.when).flatMap((one) => ('person' in one ? [one.person] : []))

/**
 * Compiles a checked document to a rule with this id. Throws RuleRefused: no address, no domain, no such person. One that may not be saved
 * whatever its values are comes back with values in place of hashes, for whoever checks it (`checkPolicy`) to say what is wrong. Does NOT
 * check that things and groups are this owner's (the object does).
 */
export async function compileRule(context: Compiling, document: PolicyDocument, id: string): Promise<Compiled> {
  // Before a value is hashed: the worst rule is refused as fast as the best is taken (POLICY 6).
  // A rule without a number of its own yet (an offer) is looked at under some other one.
  const draft = ruleOf(document, id, (atom) => drafted(atom, id || 'new'))
  const problems = checkPolicy(draft, { isMulti: isMultiClaim }).filter(({ code }) => code !== 'never_holds')
  if (problems.length > 0) return { policy: draft, people: [], label: null, problems }
  const words = new Words(context)
  for (const atom of atomsOf<PolicyAtom>(document.when)) await words.learn(atom)
  const { name } = document
  const label: RuleLabel = { ...(name === undefined ? {} : { name }), ...words.spoken }
  return {
    policy: ruleOf(document, id, (atom) => words.compiled(atom, id)),
    people: await words.people(),
    label: Object.keys(label).length === 0 ? null : await sealLabel(context.labelPublic, label),
    problems: [],
  }
}

const ruleOf = ({ tier, effect, target, scopes, when, grant }: PolicyDocument, id: string, atom: (one: PolicyAtom) => Atom): Policy => ({
  v: 1,
  id,
  rev: 1,
  tier: tier ?? 'owner',
  effect,
  target: 'resources' in target ? { resources: target.resources, ...(target.descend === true ? { descend: true } : {}) } : target,
  scopes: scopes === '*' ? scopes : [...new Set(scopes)],
  when: mapAtoms<PolicyAtom, Atom>(when, atom) as Condition,
  ...(grant === undefined ? {} : { grant: grant as GrantTerms }),
})

/** An atom of the same form, with the values as they are written. */
function drafted(atom: PolicyAtom, id: string): Atom {
  if ('uses' in atom) return { uses: { key: id, ...atom.uses } }
  if ('ask' in atom) return { ask: id }
  if (!('person' in atom)) return atom as Atom
  const { person, ...by } = atom
  return { ...by, eq: person } as Atom
}

/** The words of one document and what they become. */
class Words {
  readonly #context: Compiling
  /** By kind and text. */
  readonly #macs = new Map<string, string>()
  readonly #addresses = new Map<string, string>()
  readonly #spoken: Record<string, string> = {}

  constructor(context: Compiling) {
    this.#context = context
  }

  get spoken(): Pick<RuleLabel, 'words'> {
    return Object.keys(this.#spoken).length === 0 ? {} : { words: this.#spoken }
  }

  /** Everybody named by address: people of the owner from now on. */
  people(): Promise<NamedPerson[]> {
    return Promise.all(
      [...this.#addresses].map(async ([mac, email]) => ({
        new_id: randomSecret(12),
        mac,
        label: await sealLabel(this.#context.labelPublic, { email }),
      })),
    )
  }

  async learn(atom: PolicyAtom): Promise<void> {
    if ('link' in atom) return this.#remember('link', atom.link, await linkValue(atom.link), undefined)
    if (!('claim' in atom)) return
    if ('person' in atom || 'domain' in atom) {
      if (atom.claim !== 'email') throw new RuleRefused('"domain" and "person" go with the claim "email"')
      if ('domain' in atom) await this.#learnDomain(atom.domain)
      return
    }
    const texts = 'eq' in atom ? [atom.eq] : 'in' in atom ? atom.in : []
    for (const text of texts) await this.#learnValue(atom.claim, text)
  }

  async #learnValue(claim: string, text: string): Promise<void> {
    if (MAC.test(text)) return
    const address = claim === 'email' ? canonicalAddress(text) : undefined
    if (claim === 'email' && address === undefined) throw new RuleRefused(`"${text.slice(0, 64)}" is no e-mail address`)
    await this.#remember(claim, text, await claimValueOf(this.#context.keyring, claim, text), address ?? text)
    if (address !== undefined) this.#addresses.set(this.#macOf(claim, text), address)
  }

  async #learnDomain(text: string): Promise<void> {
    if (MAC.test(text)) return
    const domain = canonicalDomain(text)
    if (domain === undefined) throw new RuleRefused(`"${text.slice(0, 64)}" is no domain`)
    await this.#remember('domain', text, await domainValue(this.#context.keyring, domain), domain)
  }

  async #remember(kind: string, text: string, value: string, word: string | undefined): Promise<void> {
    const mac = await policyMac(this.#context.keyring, this.#context.owner, value)
    this.#macs.set(`${kind}\0${text}`, mac)
    if (word !== undefined) this.#spoken[mac] = word
  }

  #macOf(kind: string, text: string): string {
    const mac = MAC.exec(text)?.[1] ?? this.#macs.get(`${kind}\0${text}`)
    if (mac === undefined) throw new RuleRefused(`"${text.slice(0, 64)}" cannot be used here`)
    return mac
  }

  /** What the engine reads; everything was learnt before. */
  compiled(atom: PolicyAtom, id: string): Atom {
    if ('uses' in atom) return { uses: { key: id, ...atom.uses } }
    if ('ask' in atom) return { ask: id }
    if ('link' in atom) return { link: this.#macOf('link', atom.link) }
    return 'claim' in atom ? this.#claim(atom) : atom
  }

  #claim(atom: Extract<PolicyAtom, { claim: string }>): Atom {
    const by = {
      claim: atom.claim,
      ...(atom.iss === undefined ? {} : { iss: atom.iss }),
      ...(atom.max_age === undefined ? {} : { max_age: atom.max_age }),
    }
    if ('eq' in atom) return { ...by, eq: this.#macOf(atom.claim, atom.eq) }
    if ('in' in atom) return { ...by, in: atom.in.map((text) => this.#macOf(atom.claim, text)) }
    if ('domain' in atom) return { ...by, domain: this.#macOf('domain', atom.domain) }
    if ('person' in atom) {
      const eq = this.#context.macOfPerson(atom.person)
      if (eq === undefined) throw new RuleRefused('no such person')
      return { ...by, eq }
    }
    if ('group' in atom) return { ...by, group: atom.group }
    return 'gte' in atom ? { ...by, gte: atom.gte } : { ...by, covers: atom.covers }
  }
}
