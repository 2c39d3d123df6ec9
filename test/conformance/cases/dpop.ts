// DPoP (RFC 9449): proofs at the token endpoint, and tokens that are bound to a key.
import { SignJWT } from 'jose'
import { good, must } from '../lib/case.ts'
import { granted, isFinal, refused, same, status } from '../lib/check.ts'
import { type Answer, basicAuth, newDpopKey, random } from '../lib/http.ts'
import { type App, UMA_TICKET, type World } from '../lib/world.ts'

/** A token request whose only credentials are these headers. */
const ask = async (w: World, headers: Record<string, string>): Promise<Answer> =>
  w.http.call(w.endpoint('token_endpoint'), { form: { grant_type: UMA_TICKET, ticket: await (await w.thing()).ticket() }, headers })

const DPOP = ['dpop'] as const
const withProof = async (w: World, app: App, proof: string): Promise<Answer> =>
  ask(w, { dpop: proof, authorization: basicAuth(app.client.id, app.client.secret ?? '') })

export const dpop = [
  must(
    'RFC 9449 5: an RPT that was asked for with a proof is bound to its key',
    'O-55 O-56 G-78 TK-10 E15',
    async (w) => {
      const [thing, bob, app] = await Promise.all([w.thing(), w.bob(), w.app('public')])
      await w.share(thing, bob)
      const answer = await w.present(app, await thing.ticket(), bob)
      same(String(answer.json.token_type).toLowerCase(), 'dpop', 'token_type')
      const { cnf } = await thing.rs.introspect(granted(answer, 'an RPT'))
      same((cnf as { jkt: string }).jkt, app.key?.jkt, 'cnf.jkt')
    },
    ['dpop', 'publicClients'],
  ),
  must(
    'RFC 9449 4.3: a proof that is not for this request, or not whole, is invalid_dpop_proof',
    'O-55 O-56',
    async (w) => {
      const [app, key, url] = [await w.app(), await newDpopKey(), w.endpoint('token_endpoint')]
      const make = (method: string, to: string, more = {}) => w.http.proof(key, method, to, undefined, more)
      const proofs: [string, string][] = [
        ['another method', await make('GET', url)],
        ['another address', await make('POST', `${w.issuer}/elsewhere`)],
        ['an old one', await make('POST', url, { iat: w.now() - 7200 })],
        ['one of the future', await make('POST', url, { iat: w.now() + 7200 })],
        ['one without jti', await make('POST', url, { jti: undefined })],
        ['a broken one', `${(await make('POST', url)).slice(0, -8)}AAAAAAAA`],
        ['garbage', 'x'],
      ]
      for (const [what, proof] of proofs) refused(await withProof(w, app, proof), 400, 'invalid_dpop_proof', what)
      same((await withProof(w, app, await make('POST', url))).json.error, 'request_denied', 'a good one')
    },
    DPOP,
  ),
  must(
    'RFC 9449 4.2: a proof is signed by the key that it carries, which is public and asymmetric',
    'O-55',
    async (w) => {
      const [app, key, other, url] = [await w.app(), await newDpopKey(), await newDpopKey(), w.endpoint('token_endpoint')]
      refused(
        await withProof(w, app, await w.http.proof({ ...key, jwk: other.jwk }, 'POST', url)),
        400,
        'invalid_dpop_proof',
        "another's key",
      )
      const secret = await w.http.proof({ ...key, jwk: { ...key.jwk, d: 'AAAA' } }, 'POST', url)
      refused(await withProof(w, app, secret), 400, 'invalid_dpop_proof', 'a private key inside')
      const typ = await new SignJWT({ htm: 'POST', htu: url, jti: random(), iat: w.now() })
        .setProtectedHeader({ typ: 'JWT', alg: 'ES256', jwk: key.jwk })
        .sign(key.privateKey)
      refused(await withProof(w, app, typ), 400, 'invalid_dpop_proof', 'another typ')
    },
    DPOP,
  ),
  good(
    'RFC 9449 5: the process of a ticket belongs to the key that presented it',
    'G-27 O-56 TK-10',
    async (w) => {
      const [thing, bob, app] = await Promise.all([w.thing(), w.bob(), w.app('public')])
      await w.share(thing, bob)
      const { ticket } = (await app.token(await thing.ticket())).json
      const form = { grant_type: UMA_TICKET, ticket: String(ticket), client_id: app.client.id }
      const claim = (await w.adapter.claimToken?.({ person: bob, client: app.client, ticket: String(ticket) })) ?? {}
      const answer = await w.http.call(w.endpoint('token_endpoint'), { form: { ...form, ...claim }, dpop: await newDpopKey() })
      isFinal(answer, 'invalid_grant', 'another key')
    },
    ['dpop', 'publicClients'],
  ),
  must(
    'RFC 9449 7.1: a bound token is refused as Bearer, with the proof of another key, and with one for another token',
    'O-56 TK-10 HT-05',
    async (w) => {
      const owner = await w.adapter.ownerToken?.('alice')
      const url = w.adapter.ownerApi?.()[0]?.url
      if (owner?.dpop === undefined || url === undefined) return
      status(await w.http.call(url, { bearer: owner.token, dpop: owner.dpop }), 200, 'as it should be')
      status(await w.http.call(url, { bearer: owner.token }), 401, 'as Bearer')
      status(await w.http.call(url, { bearer: owner.token, dpop: await newDpopKey() }), 401, 'with another key')
      const unbound = await w.http.proof(owner.dpop, 'GET', url)
      status(await w.http.call(url, { headers: { authorization: `DPoP ${owner.token}`, dpop: unbound } }), 401, 'without ath')
    },
    ['dpop', 'ownerApi'],
  ),
  good(
    'RFC 9449 11.1: a proof is good once',
    'O-55 TK-10 E15',
    async (w) => {
      const owner = await w.adapter.ownerToken?.('alice')
      const url = w.adapter.ownerApi?.()[0]?.url
      if (owner?.dpop === undefined || url === undefined) return
      const dpop = await w.http.proof(owner.dpop, 'GET', url, owner.token)
      const headers = { authorization: `DPoP ${owner.token}`, dpop }
      status(await w.http.call(url, { headers }), 200, 'once')
      status(await w.http.call(url, { headers }), 401, 'twice')
    },
    ['dpop', 'ownerApi'],
  ),
]
