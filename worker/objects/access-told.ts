// What the activity keeps of one access (POLICY 2, audit decision): every thing with the rules that gave it and their end, and what was shown;
// ids, claims and issuers, never a value. Bounded, since an entry is a row of the turn that grants. Pure.
import type { GrantedCell } from '../policy/assess.ts'
import type { OwnerEvidence } from '../policy/evidence.ts'
import type { ActivityFields } from './owner-activity.ts'

/** Things and proofs of one entry, and scopes and rules of each thing. The things beyond are counted. */
const [MOST, MOST_EACH] = [16, 32]

/** Of a refusal the things have no rules. */
type Told = Pick<GrantedCell, 'resource_id' | 'resource_scopes'> & Partial<GrantedCell>

/** Members of an entry of the activity; `cells` is left out where the members for one thing say it all. */
export function accessTold(
  cells: readonly Told[],
  evidence: readonly Pick<OwnerEvidence, 'claim' | 'iss'>[],
): Pick<ActivityFields, 'cells' | 'more_cells' | 'proofs'> {
  const isPlain = cells.length < 2 && cells[0]?.policies === undefined
  return {
    ...(isPlain ? {} : { cells: cells.slice(0, MOST).map(cellTold) }),
    ...(cells.length > MOST ? { more_cells: cells.length - MOST } : {}),
    ...(evidence.length === 0 ? {} : { proofs: evidence.slice(0, MOST).map(({ claim, iss }) => ({ claim, iss })) }),
  }
}

const cellTold = ({ resource_id, resource_scopes, policies, until }: Told) => ({
  resource_id,
  resource_scopes: resource_scopes.slice(0, MOST_EACH),
  ...(policies === undefined ? {} : { policies: policies.slice(0, MOST_EACH) }),
  ...(until === undefined || until === Number.POSITIVE_INFINITY ? {} : { until }),
})
