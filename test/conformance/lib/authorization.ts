// The authorization code flow as a case drives it (RFC 6749 4.1, RFC 7636): the request is made here, the pages are the profile's affair.
import type { Client, Ended, OwnerName } from '../contract.ts'
import { fail, granted, ok } from './check.ts'
import { type Answer, random, sha256 } from './http.ts'
import { REDIRECT, type World } from './world.ts'

export type Flow = { client: Client; url: string; verifier: string; state: string }
export type FlowOptions = {
  client?: Client
  /** Members of the query that replace (or, undefined, leave out) the usual ones. */
  query?: Record<string, string | undefined>
}

/** A client of its own that may ask for a PAT. */
export const newServiceClient = (w: World, metadata: Record<string, unknown> = {}): Promise<Client> =>
  w.newClient('confidential', {
    client_name: 'A service',
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code', 'refresh_token'],
    ...metadata,
  })

/** The address at the authorization endpoint. */
export const begin = async (w: World, { client, query = {} }: FlowOptions = {}): Promise<Flow> => {
  const who = client ?? (await newServiceClient(w))
  const [verifier, state] = [random(), random(8)]
  const url = new URL(w.endpoint('authorization_endpoint'))
  const members: Record<string, string | undefined> = {
    response_type: 'code',
    client_id: who.id,
    redirect_uri: REDIRECT,
    scope: 'uma_protection',
    state,
    code_challenge: sha256(verifier),
    code_challenge_method: 'S256',
    ...query,
  }
  for (const [name, value] of Object.entries(members)) if (value !== undefined) url.searchParams.append(name, value)
  return { client: who, url: url.href, verifier, state }
}

/** The owner goes there and decides; ends at the client or on a page of the server. */
export const go = (w: World, url: string, decision: 'allow' | 'deny' = 'allow', owner: OwnerName = 'alice'): Promise<Ended> => {
  const { authorize = () => fail('the profile drives no authorization') } = w.adapter
  const { origin } = new URL(w.endpoint('authorization_endpoint'))
  return authorize({ owner, url, decision, isBack: (one) => new URL(one).origin !== origin })
}

/** What came back to the client; fails if nothing did. */
export const answered = (ended: Ended): URLSearchParams => {
  ok(ended.back, `nobody was sent back to the client: ${ended.status} ${ended.text.replace(/<[^>]+>|\s+/g, ' ').slice(0, 200)}`)
  return ended.back.searchParams
}

/** A flow up to the code. */
export const codeFor = async (w: World, options: FlowOptions = {}): Promise<Flow & { code: string }> => {
  const flow = await begin(w, options)
  return { ...flow, code: answered(await go(w, flow.url)).get('code') ?? fail('no code came') }
}

/** A token request with a code (RFC 6749 4.1.3); members replace or leave out the usual ones. */
export const redeem = (
  w: World,
  { client, code, verifier }: Flow & { code: string },
  more: Record<string, string | undefined> = {},
): Promise<Answer> => {
  const members = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: verifier, ...more }
  const form = Object.entries(members).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return w.http.call(w.endpoint('token_endpoint'), { form, basic: { id: client.id, secret: client.secret ?? '' } })
}

/** A PAT by a flow of its own. */
export const patOf = async (w: World): Promise<{ flow: Flow & { code: string }; token: string }> => {
  const flow = await codeFor(w)
  return { flow, token: granted(await redeem(w, flow), 'the code') }
}
