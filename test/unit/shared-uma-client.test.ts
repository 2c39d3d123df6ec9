// The fetch that answers UMA challenges, against a resource server and an authorization server that are functions.
import { describe, expect, it } from 'vitest'
import { formatUmaChallenge } from '../../shared/challenge.ts'
import { type DpopKey, makeDpopKey, verifyDpopProof } from '../../shared/dpop.ts'
import { createUmaFetch, type UmaClientOptions, type UmaOutcome } from '../../shared/uma-client.ts'

const NOW = 1_800_000_000
const AS = 'https://as.example'
const RS = 'https://rs.example'

type TokenAnswer = { status: number; body: unknown; headers?: Record<string, string> }

/** Two servers. `answers` are given by the token endpoint, one after the other; the resource server knows the token `good`. */
const world = (answers: TokenAnswer[], challenge = { asUri: AS, ticket: 't0' }) => {
  const tokenRequests: { form: Record<string, string>; headers: Headers }[] = []
  const resourceRequests: Request[] = []
  let waited = 0
  const fetch = async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const request = new Request(input, init)
    if (request.url === `${AS}/.well-known/uma2-configuration`) {
      return Response.json({
        issuer: AS,
        token_endpoint: `${AS}/token`,
        claims_interaction_endpoint: `${AS}/claims`,
        authorization_response_iss_parameter_supported: true,
      })
    }
    if (request.url === `${AS}/token`) {
      tokenRequests.push({ form: Object.fromEntries(new URLSearchParams(await request.text())), headers: request.headers })
      const answer = answers.shift()
      return Response.json(answer?.body ?? { error: 'server_error' }, { status: answer?.status ?? 500, headers: answer?.headers ?? {} })
    }
    resourceRequests.push(request)
    if (/^(Bearer|DPoP) good$/.test(request.headers.get('authorization') ?? '')) return new Response('secret')
    return new Response('no', { status: 401, headers: { 'www-authenticate': formatUmaChallenge(challenge) } })
  }
  const random = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count))
  const wait = async (seconds: number): Promise<void> => {
    waited += seconds
  }
  return { deps: { fetch, now: () => NOW + waited, random, wait }, tokenRequests, resourceRequests, waited: () => waited }
}

const granted = (more: Record<string, unknown> = {}): TokenAnswer => ({
  status: 200,
  body: { access_token: 'good', token_type: 'Bearer', expires_in: 300, resource_server: RS, ...more },
})
const needInfo = (ticket: string): TokenAnswer => ({
  status: 403,
  body: { error: 'need_info', ticket, required_claims: [{ name: 'email' }], redirect_user: `${AS}/claims` },
})

const open = async (stage: ReturnType<typeof world>, options: Partial<UmaClientOptions> = {}, address = `${RS}/f/1`) => {
  const outcomes: UmaOutcome[] = []
  const whole = {
    approves: () => true,
    identity: async () => ({ clientId: 'c' }),
    ...options,
    onOutcome: (outcome: UmaOutcome) => outcomes.push(outcome),
  }
  const umaFetch = createUmaFetch(whole, stage.deps)
  return { umaFetch, outcomes, response: await umaFetch(address) }
}

describe('UMA Grant 3: a fetch that answers challenges', () => {
  it('UMA Grant 3.3.1, 3.4: ticket, token, file; the next request uses the token at once', async () => {
    const stage = world([granted()])
    const { umaFetch, response } = await open(stage)
    expect(await response.text()).toBe('secret')
    expect(stage.tokenRequests[0]?.form).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:uma-ticket',
      ticket: 't0',
      client_id: 'c',
    })
    expect(await (await umaFetch(`${RS}/f/1?again`)).text()).toBe('secret')
    expect(stage.resourceRequests.map((request) => request.headers.get('authorization'))).toEqual([null, 'Bearer good', 'Bearer good'])
  })

  it('UMA Grant 3.4: a token of one address is not shown at another', async () => {
    const stage = world([granted(), { status: 403, body: { error: 'request_denied' } }])
    const { umaFetch } = await open(stage)
    expect((await umaFetch(`${RS}/f/2`)).status).toBe(401)
    expect(stage.resourceRequests.at(-1)?.headers.get('authorization')).toBeNull()
  })

  it('RFC 6749 2.3.1: a confidential client proves itself in the header', async () => {
    const stage = world([granted()])
    await open(stage, { identity: async () => ({ clientId: 'c', clientSecret: 's' }) })
    expect(stage.tokenRequests[0]?.headers.get('authorization')).toBe(`Basic ${btoa('c:s')}`)
    expect(stage.tokenRequests[0]?.form.client_id).toBeUndefined()
  })

  it('UMA Grant 3.3.6: what is needed is pushed with the new ticket', async () => {
    const stage = world([needInfo('t1'), granted()])
    const { response } = await open(stage, {
      claimToken: async (wanted, ticket) => ({ token: `${wanted[0]?.name} for ${ticket}`, format: 'dc+sd-jwt' }),
    })
    expect(response.status).toBe(200)
    expect(stage.tokenRequests[1]?.form).toMatchObject({ ticket: 't1', claim_token: 'email for t1', claim_token_format: 'dc+sd-jwt' })
  })

  it('UMA Grant 3.3.2, 3.3.3: without a proof the person goes to the claims page and comes back', async () => {
    const stage = world([needInfo('t1'), granted()])
    const { response } = await open(stage, {
      claimsRedirectUri: 'https://c.example/back',
      redirect: async (url) => {
        const asked = new URL(url).searchParams
        expect([asked.get('ticket'), asked.get('client_id'), asked.get('claims_redirect_uri')]).toEqual([
          't1',
          'c',
          'https://c.example/back',
        ])
        return new URLSearchParams({ ticket: 't2', state: asked.get('state') ?? '', iss: AS })
      },
    })
    expect(response.status).toBe(200)
    expect(stage.tokenRequests[1]?.form.ticket).toBe('t2')
  })

  it('UMA Grant 3.3.6: nobody to ask', async () => {
    const { response, outcomes } = await open(world([needInfo('t1')]))
    expect([response.status, outcomes]).toEqual([401, [{ kind: 'refused', reason: 'needs_person', requiredClaims: [{ name: 'email' }] }]])
  })

  it('UMA Grant 3.3.6: waits for the owner, as long as it may', async () => {
    const submitted = (ticket: string): TokenAnswer => ({ status: 403, body: { error: 'request_submitted', ticket, interval: 10 } })
    const patient = world([submitted('t1'), submitted('t2'), granted()])
    expect((await open(patient, { patience: 60 })).response.status).toBe(200)
    expect(patient.waited()).toBe(20)
    expect((await open(world([submitted('t1'), granted()]))).outcomes).toMatchObject([{ kind: 'refused', reason: 'still_waiting' }])
  })

  it('UMA Grant 3.3.6: denied is denied', async () => {
    const { response, outcomes } = await open(world([{ status: 403, body: { error: 'request_denied' } }]))
    expect([response.status, outcomes]).toEqual([401, [{ kind: 'refused', reason: 'denied' }]])
  })

  it('EXTENSION 3 T2: a server that nobody approved is not contacted', async () => {
    const stage = world([granted()])
    const { outcomes } = await open(stage, { approves: (asUri, challenger) => asUri !== AS || challenger !== RS })
    expect(outcomes).toEqual([{ kind: 'refused', reason: 'not_approved' }])
    expect(stage.tokenRequests).toEqual([])
  })
})

describe('DESIGN 5.12: ticket relay', () => {
  const relay = 'https://evil.example/relay'

  it('DESIGN 5.12: a token that names another resource server goes nowhere', async () => {
    const stage = world([granted()])
    const { response, outcomes } = await open(stage, {}, relay)
    expect([response.status, outcomes]).toEqual([401, [{ kind: 'refused', reason: 'wrong_resource_server' }]])
    expect(stage.resourceRequests.map((request) => request.headers.get('authorization'))).toEqual([null])
  })

  it('DESIGN 5.12: a bearer token that names none goes nowhere either, unless told', async () => {
    const unnamed = () => world([granted({ resource_server: undefined })])
    expect((await open(unnamed())).outcomes).toEqual([{ kind: 'refused', reason: 'wrong_resource_server' }])
    expect((await open(unnamed(), { trustUnnamed: true })).response.status).toBe(200)
  })

  it('RFC 9449 4, 7: proofs for the token endpoint and for the resource, with the nonce that was asked for', async () => {
    const dpopKey: DpopKey = await makeDpopKey()
    const stage = world([
      { status: 400, body: { error: 'use_dpop_nonce' }, headers: { 'dpop-nonce': 'n1' } },
      granted({ token_type: 'DPoP', resource_server: undefined }),
    ])
    const { response } = await open(stage, { dpopKey })
    expect(response.status).toBe(200)
    const expectation = { now: NOW, jkt: dpopKey.jkt, isFresh: () => true }
    const [, second] = stage.tokenRequests
    expect(
      await verifyDpopProof(second?.headers.get('dpop'), { ...expectation, method: 'POST', url: `${AS}/token`, nonce: 'n1' }),
    ).toMatchObject({ kind: 'valid' })
    const presented = stage.resourceRequests.at(-1)
    expect(presented?.headers.get('authorization')).toBe('DPoP good')
    const proof = { ...expectation, method: 'GET', url: `${RS}/f/1`, accessToken: 'good' }
    expect(await verifyDpopProof(presented?.headers.get('dpop'), proof)).toMatchObject({ kind: 'valid' })
  })
})
