// A stored share as the owner API shows it, with the sentence that is enforced.

import type { Policy } from '../../shared/protocol/owner-api.ts'
import { type Along, scopesAlong } from '../../shared/rule-along.ts'
import { policySentence } from '../../shared/rule-words.ts'
import type { ListedPolicy } from '../objects/owner-shares.ts'
import type { PolicyRow } from '../objects/record.ts'
import type { ThingType } from '../policy/policy.ts'

/** `now` in seconds; names in the sentence stay placeholders. */
export function policyView(row: ListedPolicy, now: number, lang: 'en' | 'de' | 'pt'): Policy {
  const scopes = JSON.parse(row.scopes) as string[]
  const along = alongOf(row)
  const times = {
    ...(row.valid_from === null ? {} : { from: row.valid_from }),
    ...(row.valid_until === null ? {} : { until: row.valid_until }),
  }
  return {
    id: row.id,
    resource_id: row.resource_id,
    person_id: row.person_id,
    resource_scopes: scopes,
    ...(along.length === 0 ? {} : { along: along.flatMap((one) => one.scopes) }),
    ...times,
    ...(row.time_zone === null ? {} : { time_zone: row.time_zone }),
    created_at: row.created_at,
    sentence: policySentence(
      { resource_scopes: scopes, ...times, along },
      { lang, now, ...(row.time_zone === null ? {} : { timeZone: row.time_zone }) },
    ),
    state: stateOf(row, now),
    ...(row.last_used_at === null ? {} : { last_used_at: row.last_used_at }),
  }
}

/** What comes along with the scopes of a share. */
export function alongOf(row: Pick<ListedPolicy, 'scopes' | 'resource_id' | 'type_doc'>): Along[] {
  const types = row.type_doc === null ? [] : [JSON.parse(row.type_doc) as ThingType]
  const share = { effect: 'permit', scopes: JSON.parse(row.scopes) as string[], target: { resources: [row.resource_id] } } as const
  return scopesAlong(share, types, () => types[0]?.type)
}

/** Whether the share opens anything at this moment. */
export function stateOf(row: Pick<PolicyRow, 'valid_from' | 'valid_until'>, now: number): Policy['state'] {
  if (row.valid_until !== null && now >= row.valid_until) return 'over'
  return row.valid_from !== null && now < row.valid_from ? 'not_yet' : 'active'
}
