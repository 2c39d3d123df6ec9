// An entry of the ledger as the owner API shows it: people by their ids, all other words as `mac:...`. What is shown may be sent back.
import type { PolicyAtom, PolicyCondition, PolicyTarget, Rule } from '../../shared/protocol/owner-policy.ts'
import type { LedgerEntry } from '../objects/owner-ledger.ts'
import type { Atom, Condition, Policy, Target } from '../policy/policy.ts'
import { mapAtoms } from './rule-parts.ts'

/** `personWith`: id of the person with a policy MAC; `sentence`: what is enforced, in words. */
export function ruleView(entry: LedgerEntry, personWith: (mac: string) => string | undefined, sentence: (policy: Policy) => string): Rule {
  const { policy, label, created_at, updated_at, last_used_at } = entry
  return {
    id: entry.id,
    kind: entry.kind,
    rev: entry.rev,
    tier: policy.tier,
    effect: policy.effect,
    target: shownTarget(policy.target),
    scopes: policy.scopes === '*' ? '*' : [...policy.scopes],
    when: shownCondition(policy.when, personWith),
    ...(policy.grant === undefined ? {} : { grant: policy.grant }),
    ...(label === null ? {} : { label }),
    sentence: sentence(policy),
    ...(entry.person_id === undefined ? {} : { person_id: entry.person_id }),
    ...(entry.source === undefined ? {} : { source: entry.source }),
    ...(entry.request_id === undefined ? {} : { request_id: entry.request_id }),
    ...(entry.answers === undefined ? {} : { answers: [...entry.answers] }),
    ...(created_at === null ? {} : { created_at }),
    ...(updated_at === null ? {} : { updated_at }),
    ...(last_used_at === null ? {} : { last_used_at }),
  }
}

const shownTarget = (target: Target): PolicyTarget => {
  if ('resources' in target) return { resources: [...target.resources], ...(target.descend === true ? { descend: true } : {}) }
  if ('types' in target) return { types: [...target.types] }
  return 'labels' in target ? { labels: [...target.labels] } : target
}

/** A condition with people instead of their policy MACs. */
export const shownCondition = (when: Condition, personWith: (mac: string) => string | undefined): PolicyCondition =>
  mapAtoms<Atom, PolicyAtom>(when, (atom) => shownAtom(atom, personWith)) as PolicyCondition

function shownAtom(atom: Atom, personWith: (mac: string) => string | undefined): PolicyAtom {
  if ('uses' in atom) return { uses: { max: atom.uses.max, per: atom.uses.per } }
  if ('ask' in atom) return { ask: true }
  if ('link' in atom) return { link: `mac:${atom.link}` }
  if (!('claim' in atom)) return structuredClone(atom) as PolicyAtom
  if ('eq' in atom) {
    const { eq, ...by } = atom
    const person = atom.claim === 'email' ? personWith(eq) : undefined
    return (person === undefined ? { ...by, eq: `mac:${eq}` } : { ...by, person }) as PolicyAtom
  }
  if ('in' in atom) return { ...atom, in: atom.in.map((mac) => `mac:${mac}`) } as PolicyAtom
  return ('domain' in atom ? { ...atom, domain: `mac:${atom.domain}` } : atom) as PolicyAtom
}
