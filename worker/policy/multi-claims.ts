// Claims of which people have one value only; of all others somebody can have several at the same time (POLICY 3): one value that does not
// fit says nothing about the others. A claim that nobody has described is one of those: a second issuer may vouch for a second value. Pure.

const SINGLE: ReadonlySet<string> = new Set(['country', 'acr', 'eid_loa'])

export const isMultiClaim = (claim: string): boolean => !SINGLE.has(claim)
