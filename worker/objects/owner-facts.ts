// Evidence as a grant keeps it, and as the engine reads it. Pure.
import type { OwnerEvidence } from '../policy/evidence.ts'
import type { Fact } from '../policy/world.ts'
import { compact, type GrantEvidence } from './owner-tables.ts'

/** What of the evidence is kept with a grant. */
export const keptEvidence = (evidence: readonly OwnerEvidence[]): GrantEvidence[] =>
  evidence.map(({ claim, policy_mac, policy_domain, level, holds, iss, trust, method, presented_at, exp, also }) => ({
    claim,
    mac: policy_mac,
    exp,
    method,
    ...compact({ domain: policy_domain, level, holds, iss, trust, iat: presented_at, also }),
  }))

/**
 * What rules are judged by. Evidence of old grants does not say who vouched, nor when: it satisfies no rule that asks for either. What rules
 * of organisations know by other MACs is a fact of its own: the same proof, named as they name it.
 */
export const factsOf = (evidence: readonly GrantEvidence[]): Fact[] =>
  evidence.flatMap(({ claim, mac, domain, level, holds, iss, iat, exp, also = [] }, index) =>
    [compact({ mac, domain }), ...also].map((names, at) => ({
      id: at === 0 ? String(index) : `${index}.${at}`,
      claim,
      iss: iss ?? '',
      iat: iat ?? 0,
      exp,
      ...compact({ level, holds }),
      mac,
      ...names,
    })),
  )

/** What rules are judged by when this is shown now. */
export const shownFacts = (evidence: readonly OwnerEvidence[]): Fact[] => factsOf(keptEvidence(evidence))
