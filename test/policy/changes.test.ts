// What the owner is told: why a decision is as it is, and what a change of rules would change.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Policy, Thing } from '../../worker/policy/policy.ts'
import { whatIf } from '../../worker/policy/what-if.ts'
import { why } from '../../worker/policy/why.ts'
import { anyCircumstances, anyCondition, anyPerson, anyPolicies, likelyCell, mostProofs, openCircumstances } from './arbitraries.ts'
import { decided, decision, rule, THING } from './engine.ts'
import { CLAIMS, everyProof, factsOf, PLAIN, worldOf } from './people.ts'
import { isAllowed, isTrue } from './reference.ts'
import { tried } from './runs.ts'

const ONE: Thing = { ...THING, scopes: ['view'] }
const likely = likelyCell(anyCondition({ depth: 1 }))
const anyRules = anyPolicies(anyCondition({ depth: 1 }), 3, { target: { all: true }, scopes: '*' })
const ids = (reasons: readonly { id: string }[]): string[] => reasons.map(({ id }) => id).sort()

describe('POLICY 4: why, and what if', () => {
  it('POLICY 7 P24: why is told of the decision that is made, with every rule in its place', () => {
    tried(
      fc.property(likely, anyPerson, mostProofs, openCircumstances, (asked, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const { value, permits, forbids, unmet, failed } = decision(asked, at, facts)
        const told = why({ resource_id: asked.thing.id, scope: asked.scope }, asked.thing, asked.policies, asked.type, worldOf(at, facts))
        expect([told.kind, told.until]).toEqual([value.kind, value.kind === 'true' ? value.until : undefined])
        expect(ids(told.permits)).toEqual([...permits].sort())
        expect(ids(told.against)).toEqual([...new Set([...forbids, ...unmet, ...failed])].sort())
        for (const { waits } of told.open) expect(waits?.length).toBeGreaterThan(0)
        const cited = [...told.permits, ...told.against, ...told.open, ...told.passed]
        expect(new Set(ids(cited)).size).toBe(cited.length)
        for (const reason of cited) {
          expect(asked.policies.map(({ id }) => id)).toContain(reason.id)
          expect(reason.facts.filter((id) => !facts.some((fact) => fact.id === id))).toEqual([])
        }
      }),
    )
  })

  it('POLICY 4: a change of rules is told for each cell and each person for whom something changes', () => {
    tried(
      fc.property(
        anyRules,
        anyRules,
        fc.array(anyPerson, { minLength: 1, maxLength: 3 }),
        mostProofs,
        openCircumstances,
        (before, after, people, proofs, at) => {
          const facts = people.map((person) => factsOf(person, proofs))
          const worlds = facts.map((one) => worldOf(at, one))
          const { cells } = whatIf({ before, after, things: [THING], type: () => undefined, worlds })
          const expected = THING.scopes.flatMap((scope) =>
            facts.flatMap((one, world) => {
              const [was, is] = [before, after].map((policies) => decided({ policies, thing: THING, scope, type: undefined }, at, one).kind)
              return was === is ? [] : [{ cell: { resource_id: THING.id, scope }, world, before: was, after: is }]
            }),
          )
          expect(cells).toEqual(expected)
        },
      ),
    )
  })

  it('CLAIMS 7: whoever is shut out before or after has nothing then, whatever rules say; all others have what rules give', () => {
    const shut = (macs: readonly string[]) => ({ macs: new Set(macs), isMember: () => false })
    const anyMacs = fc.subarray(['email-0', 'email-1', 'email-2'])
    tried(
      fc.property(anyRules, anyPerson, mostProofs, anyMacs, anyMacs, (rules, person, proofs, before, after) => {
        const facts = factsOf(person, proofs)
        const kind = decided({ policies: rules, thing: ONE, scope: 'view', type: undefined }, PLAIN, facts).kind
        const isShut = (macs: readonly string[]): boolean => facts.some(({ mac }) => macs.includes(mac))
        const [was, is] = [isShut(before) ? 'false' : kind, isShut(after) ? 'false' : kind]
        const { cells } = whatIf({
          before: rules,
          after: rules,
          things: [ONE],
          type: () => undefined,
          worlds: [worldOf(PLAIN, facts)],
          blocked: [shut(before), shut(after)],
        })
        expect(cells.map((one) => [one.before, one.after])).toEqual(was === is ? [] : [[was, is]])
      }),
    )
  })

  it('POLICY 4: whoever would be let in or kept out by a change is among those who are told of', () => {
    tried(
      fc.property(anyRules, anyRules, anyPerson, anyCircumstances, (before, after, person, at) => {
        const { who } = whatIf({ before, after, things: [ONE], type: () => undefined, worlds: [] })
        const [was, is] = [before, after].map((policies) => isAllowed({ policies, thing: ONE, scope: 'view', type: undefined }, person, at))
        if (was === is) return
        const [told] = who
        if (told?.complete === false) return
        const ways = (is ? told?.gained : told?.lost) ?? []
        expect(ways.some(({ all }) => all.every((one) => isTrue(one, person, at)))).toBe(true)
      }),
    )
  })

  it('POLICY 4: a rule that opens to everybody, never holds or is forbidden anyway is warned of', () => {
    const anyone: Policy['when'] = { anyone: true }
    const bob = rule('bob', { claim: 'email', eq: 'email-0' })
    const codes = (after: Policy[], before: Policy[] = []) =>
      whatIf({
        before,
        after,
        things: [ONE],
        type: () => undefined,
        worlds: [worldOf(PLAIN, factsOf({ email: 0, role: 0, country: 0, acr: 0, clearance: 0 }, everyProof(CLAIMS)))],
      })
        .warnings.map(({ code, rule: id }) => `${id} ${code}`)
        .sort()
    const open = rule('open', anyone)
    const never = rule('never', { all: [{ client: ['a'] }, { client: ['b'] }] })
    const closed = rule('closed', anyone, { effect: 'forbid' })
    expect(codes([bob])).toEqual([])
    expect(codes([open])).toEqual(['open opens_to_anyone'])
    expect(codes([open], [open])).toEqual([])
    expect(codes([never])).toEqual(['never never_holds'])
    expect(codes([bob, closed])).toEqual(['bob shadowed'])
    expect(codes([open, bob], [open])).toEqual(['bob adds_nothing'])
  })
})
