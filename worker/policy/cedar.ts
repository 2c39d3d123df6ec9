// Rules as Cedar policies, one way: for reading, for other engines, and for tests, where Cedar judges whether ours decides alike.
// Cedar has two values. So every condition is written twice, once as what shows it to hold and once as what shows it not to hold; a proof
// that is missing shows neither, and a forbid stands unless its condition is shown not to hold: unknown denies, as with us.
//   resource  Thing::"<id>" in its ancestors; attributes `type` (if it has one), `labels`, `authority`
//   action    Action::"<scope>"
//   context   now; claims.<name> = { iss, iat, exp, mac, groups, and if it has them domain, level, holds, named }; client = { id, trust };
//             purpose (if it was said); links; used["<key>/<per>"]; answers["<rule>"] (if there is one); said.<name> (see cedarValue)
import { BREAK_GLASS, breaksGlass } from './break-glass.ts'
import type { ClaimCondition, Condition, Policy, Target, ThingType } from './policy.ts'

/** A string literal of Cedar. */
const text = (value: string): string =>
  `"${value.replace(/[^ !#-[\]-~]/gu, (char) => (char === '"' || char === '\\' ? `\\${char}` : `\\u{${char.codePointAt(0)?.toString(16)}}`))}"`

const set = (values: readonly string[]): string => `[${values.join(', ')}]`
const texts = (values: readonly string[]): string => set(values.map(text))
const things = (ids: readonly string[]): string => set(ids.map((id) => `Thing::${text(id)}`))
const actions = (scopes: readonly string[]): string => set(scopes.map((scope) => `Action::${text(scope)}`))

/** What a resource server said, as a value of Cedar, which has no fractions: those are told as text. */
export const cedarValue = (value: string | number | boolean): string | number | boolean =>
  typeof value === 'number' && !Number.isSafeInteger(value) ? `number ${value}` : value

const literal = (value: string | number | boolean): string => {
  const told = cedarValue(value)
  return typeof told === 'string' ? text(told) : String(told)
}

const all = (parts: readonly string[]): string => (parts.length === 0 ? 'false' : parts.map((part) => `(${part})`).join(' && '))
const any = (parts: readonly string[]): string => (parts.length === 0 ? 'false' : parts.map((part) => `(${part})`).join(' || '))

/** `known`: what must be there to judge at all; `test`: the question. */
type Question = { known: string; test: string }

const claimTest = (condition: ClaimCondition, claim: string): string => {
  if ('eq' in condition) return `${claim}.mac == ${text(condition.eq)}`
  if ('in' in condition) return `${texts(condition.in)}.contains(${claim}.mac)`
  if ('domain' in condition) return `${claim} has domain && ${claim}.domain == ${text(condition.domain)}`
  if ('group' in condition) return `${claim}.groups.contains(${text(condition.group)})`
  if ('gte' in condition) return `${claim} has level && ${claim}.level >= ${Math.ceil(condition.gte)}`
  if (condition.covers.length === 0) return 'false'
  return `${claim} has holds && ${claim}.holds.containsAll(${texts(condition.covers)})`
}

const claimQuestion = (condition: ClaimCondition): Question => {
  const claim = `context.claims[${text(condition.claim)}]`
  const known = [`context.claims has ${text(condition.claim)}`, `context.now < ${claim}.exp`, `${claim}.iat <= context.now + 60`]
  // What nobody verified counts for those only who name who says so.
  known.push(condition.iss === undefined ? `!(${claim} has named && ${claim}.named)` : `${texts(condition.iss)}.contains(${claim}.iss)`)
  if (condition.max_age !== undefined) known.push(`context.now - ${claim}.iat < ${Math.ceil(condition.max_age)}`)
  return { known: all(known), test: claimTest(condition, claim) }
}

const question = (
  condition: Exclude<Condition, { all: unknown } | { any: unknown } | { not: unknown } | { seq: unknown } | { if: unknown }>,
): Question => {
  if ('claim' in condition) return claimQuestion(condition)
  if ('anyone' in condition) return { known: 'true', test: 'true' }
  if ('link' in condition) return { known: 'true', test: `context.links.contains(${text(condition.link)})` }
  if ('purpose' in condition) return { known: 'context has purpose', test: `${texts(condition.purpose)}.contains(context.purpose)` }
  if ('break_glass' in condition) return { known: 'true', test: `context has purpose && context.purpose == ${text(BREAK_GLASS)}` }
  if ('after' in condition) return { known: 'true', test: `context.now >= ${Math.ceil(condition.after)}` }
  if ('before' in condition) return { known: 'true', test: `context.now < ${Math.ceil(condition.before)}` }
  if ('client' in condition) return { known: 'true', test: `${texts(condition.client)}.contains(context.client.id)` }
  if ('client_trust' in condition) return { known: 'true', test: `context.client.trust.containsAny(${texts(condition.client_trust)})` }
  if ('uses' in condition) {
    const counter = text(`${condition.uses.key}/${condition.uses.per}`)
    return { known: `context.used has ${counter}`, test: `context.used[${counter}] < ${Math.ceil(condition.uses.max)}` }
  }
  if ('ask' in condition) {
    const answer = text(condition.ask)
    return { known: `context.answers has ${answer}`, test: `context.answers[${answer}]` }
  }
  if (!('context' in condition)) return { known: 'false', test: 'false' }
  const said = text(condition.context)
  const values = 'eq' in condition ? [condition.eq] : condition.in
  return { known: 'true', test: `context.said has ${said} && ${set(values.map(literal))}.contains(context.said[${said}])` }
}

/** What shows that the condition holds (`shown`), or that it does not. */
const shows = (condition: Condition, shown: boolean): string => {
  const each = (list: readonly Condition[]): string[] => list.map((one) => shows(one, shown))
  // Invariant: an empty list holds in no form and nothing shows that it does not (UMA Grant 5.6).
  if ('all' in condition) return shown ? all(each(condition.all)) : any(each(condition.all))
  if ('seq' in condition) return shown ? all(each(condition.seq)) : any(each(condition.seq))
  if ('any' in condition) return shown ? any(each(condition.any)) : all(each(condition.any))
  if ('not' in condition) return shows(condition.not, !shown)
  if ('if' in condition) {
    const [then, otherwise] = [shows(condition.then, shown), shows(condition.else, shown)]
    return any([all([shows(condition.if, true), then]), all([shows(condition.if, false), otherwise]), all([then, otherwise])])
  }
  const { known, test } = question(condition)
  return all([known, shown ? test : `!(${test})`])
}

const about = (target: Target): string => {
  if ('all' in target) return 'true'
  if ('types' in target) return `resource has type && ${texts(target.types)}.contains(resource.type)`
  if ('labels' in target) return `resource.labels.containsAny(${texts(target.labels)})`
  return target.descend === true ? `resource in ${things(target.resources)}` : `${things(target.resources)}.contains(resource)`
}

const scopeClause = (scopes: Policy['scopes']): string => (scopes === '*' ? 'true' : `${actions(scopes)}.contains(action)`)

type Statement = { ids: readonly string[]; effect: 'permit' | 'forbid'; when: readonly string[]; unless?: string }

const written = ({ ids, effect, when, unless }: Statement): string =>
  [
    `@id(${text(ids.join(' and '))})`,
    `${effect} (principal, action, resource)`,
    ...when.filter((clause) => clause !== 'true').map((clause) => `when { ${clause} }`),
    ...(unless === undefined ? [] : [`unless { ${unless} }`]),
  ].join('\n')

/** A scope, and what comes along with it. */
const brought = (scope: string, implies: ThingType['implies']): string[] => {
  const found = [scope]
  for (const one of found) for (const next of implies[one] ?? []) if (!found.includes(next)) found.push(next)
  return found
}

/** Scopes that a rule speaks of for things of a type, besides those that it names: a permit gives what they bring, others take what brings them. */
const further = ({ effect, scopes }: Policy, { implies }: ThingType): string[] => {
  if (scopes === '*') return []
  const more =
    effect === 'permit'
      ? scopes.flatMap((scope) => brought(scope, implies))
      : Object.keys(implies).filter((scope) => brought(scope, implies).some((one) => scopes.includes(one)))
  return [...new Set(more)].filter((scope) => !scopes.includes(scope))
}

/** What a rule speaks of, in one clause. */
const concerns = (policy: Policy, types: readonly ThingType[]): string => {
  const more = types
    .map((type) => ({ type: type.type, scopes: further(policy, type) }))
    .filter(({ scopes }) => scopes.length > 0)
    .map(({ type, scopes }) => `resource has type && resource.type == ${text(type)} && ${scopeClause(scopes)}`)
  return more.length === 0 ? scopeClause(policy.scopes) : any([scopeClause(policy.scopes), ...more])
}

/**
 * Rules as text of Cedar 4 that decides as the engine does: `allow` exactly where the engine says true.
 * @param types what scopes bring along, and whose permit counts, for each type of thing
 * Left out: terms of grants, and permits of the platform, which never grants. Two proofs of one claim have no form there: tell the best one.
 */
export const cedarText = (policies: readonly Policy[], types: readonly ThingType[]): string => {
  const statements: Statement[] = []
  const clauses = (policy: Policy): string[] => [about(policy.target), concerns(policy, types)]
  for (const policy of policies) {
    const { id, effect, tier, when } = policy
    if (effect !== 'permit')
      statements.push({ ids: [id], effect: 'forbid', when: clauses(policy), unless: shows(when, effect === 'require') })
    else if (tier !== 'platform' && breaksGlass(when)) {
      // Where the type declares it, whoever has a say there lets in alone.
      const counts = `${texts([tier, 'either', 'both'])}.contains(resource.authority)`
      const declared = types.flatMap(({ type, break_glass = [] }) =>
        break_glass.length === 0 ? [] : [`resource has type && resource.type == ${text(type)} && ${actions(break_glass)}.contains(action)`],
      )
      statements.push({ ids: [id], effect, when: [counts, ...clauses(policy), any(declared), shows(when, true)] })
    } else if (tier !== 'platform') {
      const counts = `${texts([tier, 'either'])}.contains(resource.authority)`
      statements.push({ ids: [id], effect, when: [counts, ...clauses(policy), shows(when, true)] })
    }
  }
  // Where both must agree, each pair of an owner's and an organisation's permit is one permit.
  if (types.some(({ authority }) => authority === 'both')) {
    const permits = policies.filter(({ effect, when }) => effect === 'permit' && !breaksGlass(when))
    const ofBoth = (policy: Policy): string[] => [...clauses(policy), shows(policy.when, true)]
    for (const owner of permits.filter(({ tier }) => tier === 'owner'))
      for (const org of permits.filter(({ tier }) => tier === 'org'))
        statements.push({
          ids: [owner.id, org.id],
          effect: 'permit',
          when: ['resource.authority == "both"', ...ofBoth(owner), ...ofBoth(org)],
        })
  }
  return statements.map((statement) => `${written(statement)};\n`).join('\n')
}
