// What an authorization server does with shares, tickets and tokens, as a small model: no clock, no storage, no protocol. Test
// test/conformance-own/model.test.ts does the same things to the model and to the server and compares.

export type Scope = 'view' | 'download' | 'edit'
export type Guest = 0 | 1
export type Share = { id: string; resource: number; guest: Guest; scopes: readonly Scope[]; isLive: boolean }
export type Resource = { id: string; scopes: readonly Scope[]; isThere: boolean }
export type Ticket = { text: string; resource: number; scopes: readonly Scope[]; isSpent: boolean }
export type Rpt = { token: string; resource: number; scopes: readonly Scope[]; shares: readonly Share[]; isRevoked: boolean }

export type Model = { resources: Resource[]; shares: Share[]; tickets: Ticket[]; rpts: Rpt[] }

export type Redeemed = { kind: 'spent' } | { kind: 'denied' } | { kind: 'asks' } | { kind: 'granted'; scopes: Scope[] }

const sharesOf = ({ shares }: Model, resource: number, guest: Guest): Share[] =>
  shares.filter((share) => share.isLive && share.resource === resource && share.guest === guest)

/** What of these scopes is offered by the thing and given by the shares. */
const given = (resource: Resource | undefined, scopes: readonly Scope[], shares: readonly Share[]): Scope[] =>
  resource?.isThere === true
    ? scopes.filter((scope) => resource.scopes.includes(scope) && shares.some((share) => share.isLive && share.scopes.includes(scope)))
    : []

/** A ticket is spent by whoever presents it, whatever comes of it. `guest`: whose proof came along, if any did. */
export const redeem = (model: Model, ticket: Ticket, guest: Guest | undefined): Redeemed => {
  if (ticket.isSpent) return { kind: 'spent' }
  ticket.isSpent = true
  const resource = model.resources[ticket.resource]
  if (guest === undefined) {
    // Nobody is asked who he is where no answer could open anything.
    const anybody = given(
      resource,
      ticket.scopes,
      model.shares.filter((share) => share.resource === ticket.resource),
    )
    return anybody.length > 0 ? { kind: 'asks' } : { kind: 'denied' }
  }
  const scopes = given(resource, ticket.scopes, sharesOf(model, ticket.resource, guest))
  return scopes.length > 0 ? { kind: 'granted', scopes } : { kind: 'denied' }
}

/** What a token may rest on from now on: the shares that gave something of it when it was made, and none that come later. */
export const granted = (model: Model, ticket: Ticket, guest: Guest, token: string, scopes: readonly Scope[]): Rpt => ({
  token,
  resource: ticket.resource,
  scopes,
  shares: sharesOf(model, ticket.resource, guest).filter((share) => share.scopes.some((scope) => scopes.includes(scope))),
  isRevoked: false,
})

/**
 * What introspection may say at most, and what it has to say at least: a server may let a token rest on fewer of the shares that held when
 * it was made, so only tokens none of whose shares was stopped have to be whole.
 */
export const active = (model: Model, rpt: Rpt): { most: Scope[]; least: Scope[] } => {
  if (rpt.isRevoked) return { most: [], least: [] }
  const most = given(model.resources[rpt.resource], rpt.scopes, rpt.shares)
  return { most, least: rpt.shares.every((share) => share.isLive) ? most : [] }
}
