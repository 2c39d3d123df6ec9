// Claims page, the way with a wallet: a signed request, an encrypted answer (CLAIMS 6), and afterwards the offer to keep a proof (CLAIMS 8).
// JSON for the page's own script. The page carries both and can read neither.
import { Hono } from 'hono'
import * as v from 'valibot'
import { CLAIMS_TRANSACTION, EMAIL_CREDENTIAL, type TransactionData } from '../../shared/protocol/wallet.ts'
import { claimValue } from '../claims/address.ts'
import { OFFER_LIFETIME, type Offer, PRE_AUTHORIZED_CODE } from '../claims/credential-offer.ts'
import { makeVpRequest } from '../claims/vp-request.ts'
import { verifyVpResponse } from '../claims/vp-response.ts'
import { type AppContext, type AppEnv, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import { negotiationObject } from '../http/mailed-code.ts'
import { scopeNames } from '../http/scope-descriptions.ts'
import { checkCsrf, sameOrigin } from '../http/session.ts'
import { clientKnown } from '../oauth/client-known.ts'
import { clientName } from '../store/clients.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { type ClaimsSession, parties, readSession, sessionPath, updateSession } from './claims-session.ts'

const empty = v.object({})
const answer = v.object({ response: v.pipe(v.string(), v.minLength(1), v.maxLength(60_000)) })

export const claimsWallet = new Hono<AppEnv>()
  .post('/wallet-request', sameOrigin(), async (c) => {
    const session = await scriptSession(c)
    await readJson(c, empty)
    const { deps } = c.var
    const { request, pending } = await makeVpRequest(deps.keyring, {
      issuer: deps.issuer,
      negotiation: session.sid,
      transaction: await transactionOf(c, session),
      now: seconds(deps),
    })
    const kept = await negotiationObject(c.env, session.sid).newRequest({ request: pending, until: session.until })
    if (kept.kind !== 'ok') throw over()
    await updateSession(c, session, { begun: true })
    return c.json({ requests: [{ protocol: 'openid4vp-v1-signed', data: { request } }] })
  })
  .post('/wallet-response', sameOrigin(), async (c) => {
    const session = await scriptSession(c)
    const { response } = await readJson(c, answer)
    const { deps } = c.var
    const object = negotiationObject(c.env, session.sid)
    const pending = await object.pendingRequest()
    if (pending === undefined) throw over()
    const verdict = await verifyVpResponse(deps.keyring, {
      response,
      pending,
      negotiation: session.sid,
      issuer: deps.issuer,
      now: seconds(deps),
    })
    if (verdict.kind === 'rejected') throw new OAuthError('invalid_request', 'the wallet showed nothing that can be used here')
    // All crypto is done: the object takes the nonce and the proof in one turn (CLAIMS 11 #3).
    const taken = await object.answered({ nonce: pending.nonce, evidence: verdict.evidence })
    if (taken.kind !== 'ok') throw over()
    await updateSession(c, session, { begun: true, address: verdict.address, skip: false })
    return c.json({ next: sessionPath(session) })
  })
  .post('/keep', sameOrigin(), async (c) => {
    const session = await scriptSession(c)
    await readJson(c, empty)
    const { deps } = c.var
    const { address } = session
    const jti = randomSecret(16)
    // The address comes from the browser, the proof from the object: the offer is for an address that was proved, not for one only typed.
    const value = address === undefined ? undefined : await claimValue(deps.keyring, address)
    const made = value === undefined ? undefined : await negotiationObject(c.env, session.sid).newOffer({ jti, value })
    if (address === undefined || made?.kind !== 'ok') throw over()
    const offer: Offer = {
      email: address,
      controlled_at: made.proof.controlled_at,
      negotiation: session.sid,
      jti,
      exp: seconds(deps) + OFFER_LIFETIME,
      client_id: session.client_id,
    }
    // OpenID4VCI 1.0, 4.1.1
    return c.json({
      credential_offer: {
        credential_issuer: deps.issuer,
        credential_configuration_ids: [EMAIL_CREDENTIAL],
        grants: { [PRE_AUTHORIZED_CODE]: { 'pre-authorized_code': await deps.keyring.seal('offer', offer) } },
      },
    })
  })

/** The session, for a request of the page's own script: it sends the page's token in a header that no form can set. */
async function scriptSession(c: AppContext): Promise<ClaimsSession> {
  const session = await readSession(c)
  await checkCsrf(c.var.deps, session, c.req.header('x-csrf'))
  return session
}

// What the wallet shows before it asks its person, and what the proof is bound to (CLAIMS 6 step 3).
async function transactionOf(c: AppContext, session: ClaimsSession): Promise<TransactionData> {
  const { client, serviceParty, serviceOrigin } = await parties(c, session)
  const scopes = [...new Set(session.ticket.permissions.flatMap((permission) => permission.resource_scopes))]
  const names = await scopeNames(c, scopes)
  return {
    type: CLAIMS_TRANSACTION,
    credential_ids: [EMAIL_CREDENTIAL],
    ticket_hash: session.ticket_hash,
    client_id: client.id,
    client_name: clientName(client),
    client_known: clientKnown(c.env, client),
    claims_redirect_uri: session.redirect_uri,
    service_name: serviceParty.name,
    ...(serviceOrigin === undefined ? {} : { service_origin: serviceOrigin }),
    resource_scopes: scopes,
    ...(Object.keys(names).length === 0 ? {} : { scope_names: names }),
  }
}

const over = () => new OAuthError('invalid_request', 'this is over or was used already; reload the page')
