// Claims of which somebody can have several at the same time (POLICY 3): one value that does not fit says nothing about the others. Pure.

const MULTI: ReadonlySet<string> = new Set(['email', 'npi_role', 'clearance', 'roles', 'groups'])

export const isMultiClaim = (claim: string): boolean => MULTI.has(claim)
