// Rules as an ODRL 2.2 Offer in JSON-LD, one way: a view for readers who know ODRL (POLICY 4). Each way in which a permit can hold is a
// permission; each way in which a rule takes something away is a prohibition, and prohibitions win. Only operands of the ODRL vocabulary are
// used; what it has no word for is told in `loss`, and never makes the view give more than the rules do. Pure.
//   assigner, assignee, target   addresses below `base`: owner, people/<id>, groups/<id>, things/<id>; MACs of who is not known: values/<mac>
//   action   scopes/<scope>, declared in place as included in odrl:use (ODRL IM 2.2: an Action of a profile); all scopes: odrl:use
import type { IsMulti, Literal } from './literals.ts'
import type { ClaimCondition, Policy, Target, ThingType } from './policy.ts'
import { waysOf } from './ways.ts'

/** Members and values are those of http://www.w3.org/ns/odrl.jsonld. */
type Operand = 'recipient' | 'dateTime' | 'count' | 'unitOfCount' | 'purpose' | 'systemDevice'
type Operator = 'eq' | 'neq' | 'lt' | 'gteq' | 'lteq' | 'isAnyOf' | 'isNoneOf' | 'isPartOf'
type Ref = { '@id': string }
export type OdrlConstraint = { '@type': 'Constraint'; leftOperand: Operand; operator: Operator; rightOperand: unknown; unit?: Ref }
export type OdrlRule = {
  '@type': 'Permission' | 'Prohibition'
  uid: string
  target: unknown
  action: unknown
  assignee?: unknown
  constraint?: OdrlConstraint[]
  duty?: { '@type': 'Duty'; uid: string; action: 'obtainConsent'; consentingParty: string }[]
}
/** `rule`: its address; absent if it is about the whole. `what`: stable, for programs; `text`: for people. */
export type OdrlLoss = { rule?: string; what: LossCode; text: string }
export type OdrlPolicy = {
  '@context': unknown[]
  '@type': 'Offer'
  uid: string
  profile: string
  conflict: 'prohibit'
  assigner: string
  permission?: OdrlRule[]
  prohibition?: OdrlRule[]
  loss: OdrlLoss[]
}

const LOSSES = {
  way_left_out: 'One way to meet the rule rests on something that ODRL has no word for. It is left out: nobody is let in by it here.',
  forbids_more: 'A condition of the prohibition has no word in ODRL. It is left out: more is forbidden here than by the rule.',
  proof_not_said: 'Who may vouch for the address, or how old the proof may be, is not said.',
  order_not_said: 'In which order things are asked for is not said.',
  each_person: 'The uses are counted for each person; the constraint says so by its unit.',
  terms_not_said: 'Terms of the grant (its length, renewal, notices) are not said.',
  for_members: 'A permit of an organisation is for things of those who joined it. It is left out.',
  too_many_ways: 'There are more ways to meet the rule than can be listed.',
  not_nested: 'What lies in a thing is a collection here; what is in it is known only at the server.',
  implied_scopes: 'For things of some types one action brings others along; that is not said.',
  others_decide: 'For things of some types the permit of an organisation is wanted, too, or instead; that is not said.',
  unknown_forbids: 'A prohibition counts also while it is not known whether its conditions hold; ODRL does not say so.',
  one_part: 'This is one part of the rules. The others are read with the address in the header Link.',
} as const
export type LossCode = keyof typeof LOSSES

/** `base`: address below which everything has its own, without a slash at the end. `personWith`: id of the person with a policy MAC. */
export type OdrlAbout = {
  base: string
  owner: string
  uid: string
  types: readonly ThingType[]
  personWith: (mac: string) => string | undefined
  isMulti: IsMulti
  /** More rules follow elsewhere. */
  isPart?: boolean
}

/**
 * An owner's rules as one ODRL Offer, a reading view: whoever enforces asks the server.
 * @returns JSON-LD; `permission` or `prohibition` is missing if there is none
 */
export function odrlPolicy(policies: readonly Policy[], about: OdrlAbout): OdrlPolicy {
  const view = new View(about)
  for (const policy of policies) view.add(policy)
  return view.done()
}

class View {
  readonly #about: OdrlAbout
  readonly #permissions: OdrlRule[] = []
  readonly #prohibitions: OdrlRule[] = []
  readonly #losses = new Map<string, OdrlLoss>()

  constructor(about: OdrlAbout) {
    this.#about = about
  }

  done(): OdrlPolicy {
    const { base, owner, uid, types, isPart } = this.#about
    if (types.some(({ implies }) => Object.keys(implies).length > 0)) this.#lose('implied_scopes')
    if (types.some(({ authority }) => authority !== 'owner')) this.#lose('others_decide')
    if (this.#prohibitions.some(({ constraint }) => constraint !== undefined)) this.#lose('unknown_forbids')
    if (isPart === true) this.#lose('one_part')
    const [permission, prohibition] = [this.#permissions, this.#prohibitions]
    const own = (name: string) => ({ '@id': `${base}/odrl#${name}` })
    return {
      '@context': [
        'http://www.w3.org/ns/odrl.jsonld',
        { loss: own('loss'), rule: { ...own('rule'), '@type': '@id' }, what: own('what'), text: own('text') },
      ],
      '@type': 'Offer',
      uid,
      profile: `${base}/odrl`,
      conflict: 'prohibit',
      assigner: `${base}/${part(owner)}`,
      ...(permission.length === 0 ? {} : { permission }),
      ...(prohibition.length === 0 ? {} : { prohibition }),
      loss: [...this.#losses.values()],
    }
  }

  #lose(what: LossCode, policy?: Policy): void {
    const rule = policy && this.#address('rules', policy.id)
    this.#losses.set(`${rule} ${what}`, { ...(rule === undefined ? {} : { rule }), what, text: LOSSES[what] })
  }

  #address(kind: 'rules' | 'people' | 'groups' | 'things' | 'types' | 'labels' | 'scopes' | 'values', id: string): string {
    return `${this.#about.base}/${kind}/${part(id)}`
  }

  add(policy: Policy): void {
    const isPermit = policy.effect === 'permit'
    if (isPermit && policy.tier !== 'owner') {
      this.#lose('for_members', policy)
      return
    }
    if (policy.grant !== undefined) this.#lose('terms_not_said', policy)
    if ('resources' in policy.target && policy.target.descend === true) this.#lose('not_nested', policy)
    // What is demanded takes away wherever it does not hold.
    const ways = waysOf(policy.when, policy.effect === 'require', this.#about.isMulti)
    if (ways === undefined) this.#lose('too_many_ways', policy)
    if (JSON.stringify(policy.when).includes('"seq":')) this.#lose('order_not_said', policy)
    // Invariant: a permit of which ways are not known gives nothing here, and a prohibition forbids everything.
    const known = ways ?? (isPermit ? [] : [[]])
    for (const [at, way] of known.entries()) this.#addWay(policy, way, at)
  }

  #addWay(policy: Policy, way: readonly Literal[], at: number): void {
    const isPermit = policy.effect === 'permit'
    const uid = `${this.#address('rules', policy.id)}#${at + 1}`
    const person = isPermit ? way.find(isPerson) : undefined
    const rest = way.filter((one) => one !== person)
    // The owner's answer is wanted with a yes and for a permit only; else there is no word for it.
    const asks = rest.filter(({ atom, not }) => 'ask' in atom && !not && isPermit)
    const said = rest.filter((one) => !asks.includes(one)).map((one) => this.#constraints(policy, one))
    if (said.includes(undefined)) {
      this.#lose(isPermit ? 'way_left_out' : 'forbids_more', policy)
      if (isPermit) return
    }
    if (person !== undefined) this.#proofOf(policy, person.atom)
    const constraint = said.flatMap((one) => one ?? [])
    const rule: OdrlRule = {
      '@type': isPermit ? 'Permission' : 'Prohibition',
      uid,
      target: this.#target(policy.target),
      action: policy.scopes === '*' ? 'use' : policy.scopes.map((scope) => this.#action(scope)),
      ...(person === undefined ? {} : { assignee: this.#party(person.atom.eq) }),
      ...(constraint.length === 0 ? {} : { constraint }),
      ...(asks.length === 0 ? {} : { duty: [this.#consent(uid)] }),
    }
    ;(isPermit ? this.#permissions : this.#prohibitions).push(rule)
  }

  #consent(uid: string) {
    const { base, owner } = this.#about
    return { '@type': 'Duty', uid: `${uid}-consent`, action: 'obtainConsent', consentingParty: `${base}/${part(owner)}` } as const
  }

  #action(scope: string): unknown {
    return { '@id': this.#address('scopes', scope), '@type': 'Action', includedIn: 'use' }
  }

  #target(target: Target): unknown {
    const collection = (source: string) => ({ '@type': 'AssetCollection', source })
    if ('resources' in target)
      return target.resources.map((id) =>
        target.descend === true ? collection(this.#address('things', id)) : { '@type': 'Asset', uid: this.#address('things', id) },
      )
    if ('types' in target) return target.types.map((type) => collection(this.#address('types', type)))
    if ('labels' in target) return target.labels.map((label) => collection(this.#address('labels', label)))
    return [collection(`${this.#about.base}/things`)]
  }

  #party(mac: string): unknown {
    return { '@type': 'Party', uid: this.#somebody(mac) }
  }

  #somebody(mac: string): string {
    const id = this.#about.personWith(mac)
    return id === undefined ? this.#address('values', mac) : this.#address('people', id)
  }

  /** What a literal says, as constraints that hold together; undefined if ODRL has no word for it. */
  #constraints(policy: Policy, { atom, not }: Literal): OdrlConstraint[] | undefined {
    const one = (leftOperand: Operand, operator: Operator, rightOperand: unknown): OdrlConstraint[] => [
      { '@type': 'Constraint', leftOperand, operator, rightOperand },
    ]
    // Instants have no opposite (literals.ts).
    if ('before' in atom) return one('dateTime', 'lt', instant(atom.before))
    if ('after' in atom) return one('dateTime', 'gteq', instant(atom.after))
    if ('purpose' in atom) return one('purpose', not ? 'isNoneOf' : 'isAnyOf', [...atom.purpose])
    if ('client' in atom) return one('systemDevice', not ? 'isNoneOf' : 'isAnyOf', [...atom.client])
    // In a prohibition a count would mean that the first uses are forbidden and later ones are not.
    if ('uses' in atom && !not && policy.effect === 'permit') {
      const counted = one('count', 'lteq', { '@value': String(atom.uses.max), '@type': 'xsd:integer' })
      if (atom.uses.per === 'rule') return counted
      this.#lose('each_person', policy)
      return [...counted, ...one('unitOfCount', 'eq', { '@id': `${this.#about.base}/odrl#perPerson` })]
    }
    if (!('claim' in atom) || atom.claim !== 'email') return undefined
    const said = this.#recipient(atom, not)
    if (said !== undefined) this.#proofOf(policy, atom)
    return said === undefined ? undefined : one('recipient', said.operator, said.rightOperand)
  }

  #recipient(atom: ClaimCondition, not: boolean): { operator: Operator; rightOperand: unknown } | undefined {
    const ref = (id: string): Ref => ({ '@id': id })
    if ('eq' in atom) return { operator: not ? 'neq' : 'eq', rightOperand: ref(this.#somebody(atom.eq)) }
    if ('in' in atom) return { operator: not ? 'isNoneOf' : 'isAnyOf', rightOperand: atom.in.map((mac) => ref(this.#somebody(mac))) }
    // Nothing in ODRL says that somebody is not part of a collection.
    if (not) return undefined
    if ('group' in atom) return { operator: 'isPartOf', rightOperand: ref(this.#address('groups', atom.group)) }
    return 'domain' in atom ? { operator: 'isPartOf', rightOperand: ref(this.#address('values', atom.domain)) } : undefined
  }

  #proofOf(policy: Policy, atom: ClaimCondition): void {
    if (atom.iss !== undefined || atom.max_age !== undefined) this.#lose('proof_not_said', policy)
  }
}

type Person = Literal & { atom: ClaimCondition & { eq: string } }
const isPerson = (one: Literal): one is Person => !one.not && 'claim' in one.atom && one.atom.claim === 'email' && 'eq' in one.atom

const part = (id: string): string => encodeURIComponent(id)

const instant = (seconds: number): unknown => ({ '@value': new Date(seconds * 1000).toISOString(), '@type': 'xsd:dateTime' })
