// The client's machine: every answer of UMA Grant 3.3 and what follows from it.
import { describe, expect, it } from 'vitest'
import {
  afterRedirect,
  afterTokenAnswer,
  beginNegotiation,
  claimsInteractionUrl,
  mayPresent,
  ticketGrantForm,
} from '../../shared/negotiation.ts'
import type { RptResponse } from '../../shared/protocol/uma-grant.ts'

const AS = 'https://as.example'
const begun = beginNegotiation({ asUri: AS, ticket: 't0' })
const rpt: RptResponse = { access_token: 'rpt', token_type: 'Bearer' }

describe('UMA Grant 3.3: a client at the token endpoint', () => {
  it('UMA Grant 3.3.1: grant type and the newest ticket', () => {
    expect(ticketGrantForm(begun).toString()).toBe('grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Auma-ticket&ticket=t0')
  })

  it('UMA Grant 3.3.1: a claim token goes with its format', () => {
    const form = ticketGrantForm(begun, { claimToken: { token: 'c', format: 'dc+sd-jwt' }, pct: 'p', rpt: 'r', scope: 'a b' })
    expect(Object.fromEntries(form)).toMatchObject({ claim_token: 'c', claim_token_format: 'dc+sd-jwt', pct: 'p', rpt: 'r', scope: 'a b' })
  })

  it('UMA Grant 3.3.5: success', () => {
    expect(afterTokenAnswer(begun, 200, { ...rpt, unknown: 1 })).toEqual({ kind: 'granted', rpt })
  })

  it('UMA Grant 3.3.6: need_info with a new ticket; the old one is spent', () => {
    const wanted = [{ name: 'email', claim_token_format: ['dc+sd-jwt'] }]
    const body = { error: 'need_info', ticket: 't1', required_claims: wanted, redirect_user: `${AS}/claims` }
    expect(afterTokenAnswer(begun, 403, body)).toEqual({
      kind: 'give_info',
      negotiation: { asUri: AS, ticket: 't1', spent: ['t0'] },
      requiredClaims: wanted,
      redirectUser: `${AS}/claims`,
    })
  })

  it.each([
    ['the same ticket', { ticket: 't0', redirect_user: AS }],
    ['no ticket', { redirect_user: AS }],
    ['no way to go on', { ticket: 't1' }],
  ])('UMA Grant 3.3.6, 5.5: need_info with %s is no answer', (_what, more) => {
    expect(afterTokenAnswer(begun, 403, { error: 'need_info', ...more })).toMatchObject({ kind: 'failed', error: 'server_error' })
  })

  it('UMA Grant 5.5: a ticket of two rounds ago is not a new one', () => {
    const later = { asUri: AS, ticket: 't2', spent: ['t0', 't1'] }
    expect(afterTokenAnswer(later, 403, { error: 'need_info', ticket: 't0', redirect_user: AS })).toMatchObject({ kind: 'failed' })
  })

  it('UMA Grant 1.3.1: a server that never has enough is left', () => {
    let negotiation = begun
    for (let round = 1; round <= 16; round += 1) {
      const step = afterTokenAnswer(negotiation, 403, { error: 'need_info', ticket: `t${round}`, redirect_user: AS })
      if (step.kind !== 'give_info') throw new Error(`left after ${round} rounds`)
      negotiation = step.negotiation
    }
    expect(afterTokenAnswer(negotiation, 403, { error: 'need_info', ticket: 'one-more', redirect_user: AS })).toMatchObject({
      kind: 'failed',
    })
  })

  it.each([
    ['the interval it names', { interval: 7 }, 7],
    ['five seconds by default', {}, 5],
  ])('UMA Grant 3.3.6: request_submitted waits for %s', (_what, more, interval) => {
    expect(afterTokenAnswer(begun, 403, { error: 'request_submitted', ticket: 't1', ...more })).toMatchObject({
      kind: 'wait',
      interval,
      negotiation: { ticket: 't1' },
    })
  })

  it('UMA Grant 3.3.6: polling never counts as too many rounds', () => {
    let negotiation = begun
    for (let poll = 1; poll <= 100; poll += 1) {
      const step = afterTokenAnswer(negotiation, 403, { error: 'request_submitted', ticket: `t${poll}` })
      if (step.kind !== 'wait') throw new Error(`left after ${poll} polls`)
      negotiation = step.negotiation
    }
    expect(negotiation.ticket).toBe('t100')
  })

  it('UMA Grant 3.3.6: request_denied is final', () => {
    expect(afterTokenAnswer(begun, 403, { error: 'request_denied' })).toEqual({ kind: 'denied' })
  })

  it.each([
    [400, { error: 'invalid_grant', error_description: 'spent' }, { kind: 'failed', error: 'invalid_grant', description: 'spent' }],
    [400, { error: 'invalid_scope' }, { kind: 'failed', error: 'invalid_scope' }],
    [401, { error: 'invalid_client' }, { kind: 'failed', error: 'invalid_client' }],
    [403, { error: 'a_new_code' }, { kind: 'failed', error: 'a_new_code' }],
    [500, undefined, { kind: 'failed', error: 'server_error' }],
    [200, { token_type: 'Bearer' }, { kind: 'failed', error: 'server_error' }],
  ])('RFC 6749 5.2: %d %j ends the process', (status, body, step) => {
    expect(afterTokenAnswer(begun, status, body)).toMatchObject(step)
  })
})

describe('UMA Grant 3.3.2, 3.3.3: to the claims page and back', () => {
  it('UMA Grant 3.3.2: an existing query is kept', () => {
    const url = claimsInteractionUrl(`${AS}/claims?tenant=1`, begun, {
      clientId: 'c',
      claimsRedirectUri: 'https://c.example/back?x=1',
      state: 's',
    })
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
      tenant: '1',
      client_id: 'c',
      ticket: 't0',
      claims_redirect_uri: 'https://c.example/back?x=1',
      state: 's',
    })
  })

  const back = (query: string, issRequired = true) => afterRedirect(begun, new URLSearchParams(query), { state: 's', issRequired })
  const iss = encodeURIComponent(AS)

  it('UMA Grant 3.3.3: the new ticket goes to the token endpoint', () => {
    const negotiation = { asUri: AS, ticket: 't1', spent: ['t0'] }
    expect(back(`ticket=t1&state=s&iss=${iss}&x=1`)).toEqual({ kind: 'request', negotiation })
    expect(back('ticket=t1&state=s', false)).toEqual({ kind: 'request', negotiation })
  })

  it('UMA Grant 3.3.3: the person stopped', () => {
    expect(back(`error=access_denied&state=s&iss=${iss}`)).toEqual({ kind: 'cancelled' })
  })

  it.each([
    ['UMA Grant 5.1: another state', `ticket=t1&state=z&iss=${iss}`, 'invalid_state'],
    ['UMA Grant 5.1: no state', `ticket=t1&iss=${iss}`, 'invalid_state'],
    ['RFC 9207 2.4: another issuer', 'ticket=t1&state=s&iss=https%3A%2F%2Fevil.example', 'invalid_issuer'],
    ['RFC 9207 2.4: no issuer though it is announced', 'ticket=t1&state=s', 'invalid_issuer'],
    ['UMA Grant 3.3.3: no ticket', `state=s&iss=${iss}`, 'invalid_response'],
    ['UMA Grant 3.3.3: the ticket that was sent', `ticket=t0&state=s&iss=${iss}`, 'invalid_response'],
    ['RFC 6749 3.1: a parameter twice', `ticket=t1&ticket=t2&state=s&iss=${iss}`, 'invalid_response'],
    ['RFC 6749 4.1.2.1: an error', `error=server_error&state=s&iss=${iss}`, 'server_error'],
  ])('%s ends the process', (_what, query, error) => {
    expect(back(query)).toMatchObject({ kind: 'failed', error })
  })
})

describe('DESIGN 5.12: ticket relay', () => {
  it.each([
    ['named and the same', { ...rpt, resource_server: 'https://rs.example/files' }, false, true],
    ['named and another', { ...rpt, resource_server: 'https://rs.example' }, true, false, 'https://evil.example'],
    [
      'named and another, although bound to a key',
      { ...rpt, token_type: 'DPoP', resource_server: 'https://rs.example' },
      false,
      false,
      'https://evil.example',
    ],
    ['unnamed bearer', rpt, false, false],
    ['unnamed bearer at a trusted place', rpt, true, true],
    ['unnamed, bound to a key', { ...rpt, token_type: 'DPoP' }, false, true],
  ] as const)('DESIGN 5.12: an RPT, %s', (_what, token, trusted, may, challenger?: string) => {
    expect(mayPresent(token, challenger ?? 'https://rs.example', trusted)).toBe(may)
  })
})
