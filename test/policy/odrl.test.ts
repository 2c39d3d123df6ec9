// Rules as ODRL: only words of the ODRL vocabulary 2.2, read by a small reader of our own; what it reads never gives more than the rules do.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type OdrlConstraint, type OdrlPolicy, type OdrlRule, odrlPolicy } from '../../worker/policy/odrl.ts'
import type { Policy } from '../../worker/policy/policy.ts'
import { anyCircumstances, anyCondition, anyPerson, likelyCell } from './arbitraries.ts'
import { rule } from './engine.ts'
import { type Circumstances, GROUPS, type Person, traitOf } from './people.ts'
import { isAllowed } from './reference.ts'
import { CORE, RUNS, times, tried } from './runs.ts'

const BASE = 'https://as.example/owner'
const about = {
  base: BASE,
  owner: 'alice',
  uid: `${BASE}/rules`,
  types: [],
  personWith: (mac: string) => (mac === 'email-0' ? 'per_0' : undefined),
  isMulti: () => true,
}
const viewOf = (...policies: Policy[]): OdrlPolicy => odrlPolicy(policies, about)
const rulesIn = ({ permission = [], prohibition = [] }: OdrlPolicy): OdrlRule[] => [...permission, ...prohibition]

// ODRL Vocabulary & Expression 2.2, sections 3 and 4: left operands, operators, classes, properties and actions of the core and common
// vocabulary that are current there.
const words = (text: string): Set<string> => new Set(text.trim().split(/\s+/))
const LEFT_OPERANDS = words(`absolutePosition absoluteSize absoluteSpatialPosition absoluteTemporalPosition count dateTime delayPeriod
  deliveryChannel elapsedTime event fileFormat industry language media meteredTime payAmount percentage product purpose recipient
  relativePosition relativeSize relativeSpatialPosition relativeTemporalPosition resolution spatial spatialCoordinates systemDevice
  timeInterval unitOfCount version virtualLocation`)
const OPERATORS = words('eq gt gteq hasPart isA isAllOf isAnyOf isNoneOf isPartOf lt lteq neq')
const CLASSES = words(
  'Policy Set Offer Agreement Permission Prohibition Duty Asset AssetCollection Party PartyCollection Constraint Action',
)
const MEMBERS = words(`@context @type @id @value uid profile conflict assigner assignee permission prohibition target action constraint duty
  leftOperand operator rightOperand unit source includedIn consentingParty`)
const OWN = words('loss rule what text')

/** Every member name and every `@type` in it. */
const namesIn = (value: unknown): { members: string[]; types: string[] } => {
  const found = { members: [] as string[], types: [] as string[] }
  const walk = (one: unknown): void => {
    if (typeof one !== 'object' || one === null) return
    for (const [name, inner] of Object.entries(one)) {
      if (!Array.isArray(one)) found.members.push(name)
      if (name === '@type') found.types.push(String(inner))
      walk(inner)
    }
  }
  walk(value)
  return found
}

/** What somebody is to a reader who knows ODRL and the addresses, and nothing of rules. */
type Reader = { person: Person; at: Circumstances; scope: string; thing: ReadonlySet<string> }
const idsOf = ({ person }: Reader): string[] => {
  const { mac = '', domain } = traitOf('email', person.email)
  const groups = Object.keys(GROUPS).filter((id) => GROUPS[id]?.includes(mac))
  const own = mac === 'email-0' ? `${BASE}/people/per_0` : `${BASE}/values/${mac}`
  return [own, `${BASE}/values/${domain}`, ...groups.map((id) => `${BASE}/groups/${id}`)]
}
const listed = (value: unknown): unknown[] =>
  (Array.isArray(value) ? value : [value]).map((one) => (one as { '@id'?: string })?.['@id'] ?? one)
const met = ({ leftOperand, operator, rightOperand }: OdrlConstraint, reader: Reader): boolean => {
  const [right, value] = [listed(rightOperand), (rightOperand as { '@value'?: string })['@value'] ?? '']
  if (leftOperand === 'dateTime') {
    const isBefore = reader.at.now * 1000 < Date.parse(value)
    return operator === 'lt' ? isBefore : operator === 'gteq' && !isBefore
  }
  // How often it was used is the server's affair: a reader can only count itself, and has used nothing.
  if (leftOperand === 'count') return Object.values(reader.at.used).every((n) => n < Number(value))
  if (leftOperand === 'unitOfCount') return true
  const own: unknown[] = leftOperand === 'recipient' ? idsOf(reader) : [leftOperand === 'purpose' ? reader.at.purpose : reader.at.client.id]
  const isIn = right.some((one) => own.includes(one))
  if (operator === 'eq' || operator === 'isAnyOf' || operator === 'isPartOf') return isIn
  if (operator === 'neq' || operator === 'isNoneOf') return !isIn
  throw new Error(`not used: ${operator}`)
}
const applies = (one: OdrlRule, reader: Reader): boolean => {
  const actions = one.action === 'use' ? ['use'] : listed(one.action)
  const targets = (one.target as { uid?: string; source?: string }[]).map(({ uid, source }) => uid ?? source ?? '')
  const who = (one.assignee as { uid: string } | undefined)?.uid
  return (
    actions.some((action) => action === 'use' || action === `${BASE}/scopes/${reader.scope}`) &&
    targets.some((target) => reader.thing.has(target)) &&
    (who === undefined || idsOf(reader).includes(who)) &&
    (one.constraint ?? []).every((constraint) => met(constraint, reader)) &&
    (one.duty === undefined || Object.values(reader.at.answers).every(({ given, until }) => given && until > reader.at.now))
  )
}

describe('POLICY 4: ODRL', () => {
  it('POLICY 4: a share in the words of ODRL, and what it does not say', () => {
    const shared = rule(
      'r1',
      {
        all: [
          { claim: 'email', eq: 'email-0', max_age: 60 },
          { purpose: ['TREAT'] },
          { before: 1_924_905_600 },
          { uses: { key: 'r1', max: 5, per: 'rule' } },
          { ask: 'r1' },
        ],
      },
      { target: { resources: ['t 1'] }, scopes: ['view'] },
    )
    const { permission, prohibition, loss, ...head } = viewOf(shared, rule('r2', { client: ['c1'] }, { effect: 'forbid' }))
    expect(head).toMatchObject({
      '@type': 'Offer',
      uid: `${BASE}/rules`,
      assigner: `${BASE}/alice`,
      conflict: 'prohibit',
      profile: `${BASE}/odrl`,
    })
    expect(head['@context'][0]).toBe('http://www.w3.org/ns/odrl.jsonld')
    expect(permission).toEqual([
      {
        '@type': 'Permission',
        uid: `${BASE}/rules/r1#1`,
        target: [{ '@type': 'Asset', uid: `${BASE}/things/t%201` }],
        action: [{ '@id': `${BASE}/scopes/view`, '@type': 'Action', includedIn: 'use' }],
        assignee: { '@type': 'Party', uid: `${BASE}/people/per_0` },
        constraint: [
          { '@type': 'Constraint', leftOperand: 'purpose', operator: 'isAnyOf', rightOperand: ['TREAT'] },
          {
            '@type': 'Constraint',
            leftOperand: 'dateTime',
            operator: 'lt',
            rightOperand: { '@value': '2030-12-31T00:00:00.000Z', '@type': 'xsd:dateTime' },
          },
          { '@type': 'Constraint', leftOperand: 'count', operator: 'lteq', rightOperand: { '@value': '5', '@type': 'xsd:integer' } },
        ],
        duty: [{ '@type': 'Duty', uid: `${BASE}/rules/r1#1-consent`, action: 'obtainConsent', consentingParty: `${BASE}/alice` }],
      },
    ])
    expect(prohibition).toMatchObject([
      { action: 'use', constraint: [{ leftOperand: 'systemDevice', operator: 'isAnyOf', rightOperand: ['c1'] }] },
    ])
    expect(loss.map(({ rule: of, what }) => [of, what])).toEqual([
      [`${BASE}/rules/r1`, 'proof_not_said'],
      [undefined, 'unknown_forbids'],
    ])
  })

  it('POLICY 4: what ODRL has no word for lets nobody in, forbids more, and is told with the rule', () => {
    const secret = rule('link', { any: [{ link: 'l0' }, { claim: 'email', eq: 'email-1' }] })
    const level = rule('level', { claim: 'acr', gte: 2 }, { effect: 'require' })
    const members = rule('org', { anyone: true }, { tier: 'org' })
    const view = viewOf(secret, level, members)
    expect(view.permission).toMatchObject([{ assignee: { uid: `${BASE}/values/email-1` } }])
    expect(view.prohibition).toMatchObject([{ uid: `${BASE}/rules/level#1`, target: [{ source: `${BASE}/things` }] }])
    expect(view.prohibition?.[0]).not.toHaveProperty('constraint')
    expect(view.loss.map(({ rule: of, what }) => `${of?.split('/').at(-1)} ${what}`)).toEqual([
      'link way_left_out',
      'level forbids_more',
      'org for_members',
    ])
    expect(viewOf()).not.toHaveProperty('permission')
  })

  it('ODRL Vocabulary 2.2: no other word is used, whatever the rules', () => {
    tried(
      fc.property(likelyCell(anyCondition({ depth: 2 })), ({ policies, type }) => {
        const view = odrlPolicy(policies, { ...about, types: type === undefined ? [] : [type], isPart: true })
        const { '@context': _, loss, ...rest } = view
        const { members, types } = namesIn(rest)
        expect(members.filter((name) => !MEMBERS.has(name))).toEqual([])
        expect(types.filter((name) => !CLASSES.has(name) && !name.startsWith('xsd:'))).toEqual([])
        for (const { constraint = [], uid } of rulesIn(view)) {
          expect(uid).toMatch(/^https:\/\/as\.example\/owner\/rules\/[^/]+#\d+$/)
          for (const { leftOperand, operator } of constraint)
            if (!LEFT_OPERANDS.has(leftOperand) || !OPERATORS.has(operator)) expect.fail(leftOperand)
        }
        expect(namesIn(loss).members.filter((name) => !OWN.has(name))).toEqual([])
        expect(loss.at(-1)?.what).toBe('one_part')
      }),
    )
  })

  it('POLICY 4: whoever is let in by the view is let in by the rules', () => {
    let letIn = 0
    const likely = likelyCell(anyCondition({ depth: 1, terms: false }))
    tried(
      fc.property(likely, anyPerson, anyCircumstances, (cell, person, at) => {
        const asked = { ...cell, type: undefined, thing: { ...cell.thing, type: undefined as never } }
        const { id, labels, ancestors } = cell.thing
        const thing = new Set([
          `${BASE}/things`,
          ...[id, ...ancestors].map((one) => `${BASE}/things/${one}`),
          ...labels.map((label) => `${BASE}/labels/${label}`),
        ])
        const reader = { person, at, scope: cell.scope, thing }
        const { permission = [], prohibition = [] } = viewOf(...cell.policies)
        // A thing is itself; what lies in another is reached by a collection only.
        const reaches = (one: OdrlRule, scope: Reader) => {
          const target = (one.target as { uid?: string }[]).filter(({ uid }) => uid === undefined || uid === `${BASE}/things/${id}`)
          return applies({ ...one, target }, scope)
        }
        const isOpen = permission.some((one) => reaches(one, reader)) && !prohibition.some((one) => reaches(one, reader))
        if (!isOpen) return
        letIn++
        expect(isAllowed(asked, person, at)).toBe(true)
      }),
      CORE,
    )
    if (times(RUNS) === RUNS) expect(letIn).toBeGreaterThan(100)
  })
})
