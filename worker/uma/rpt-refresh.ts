// Refresh of an RPT (UMA Grant 3.6, RFC 6749 6): no assessment; the new RPT has what still stands of the old permissions. The refresh token
// stays as it is: it is bound to the client's secret or to its key (RFC 9700 2.2.2).
import { ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { scopeOf } from '../http/form.ts'
import { clientTrust } from '../oauth/client-trust.ts'
import { clientById } from '../oauth/clients.ts'
import type { Refresh } from '../oauth/refresh-token-grant.ts'
import { mintToken } from '../tokens/opaque.ts'
import { rptAnswer } from './rpt-answer.ts'
import { inFormatOf } from './self-contained-answer.ts'

/** Throws OAuthError invalid_grant (dead, foreign, withdrawn), invalid_scope, invalid_dpop_proof. */
export const refreshRpt: Refresh = async ({ call, params, client, jkt, proof }, presented) => {
  const { deps } = call
  const now = seconds(deps)
  const rpt = await mintToken(deps.keyring, 'r', presented.owner)
  const renewed = await ownerObject(call.deps.env, presented.owner).renewRpt({
    hash: presented.hash,
    client_id: client.id,
    bound: client.isPublic ? (jkt ?? null) : null,
    rpt: { hash: rpt.hash, jkt: jkt ?? null },
    // > the authorization server MAY ... limit the scopes in the permissions to those requested (UMA Grant 3.6)
    scopes: scopeOf(params),
    client_trust: clientTrust(call, client, jkt),
    ...(proof === undefined ? {} : { proof }),
    now,
  })
  switch (renewed.kind) {
    case 'done': {
      const service = await clientById(call, renewed.service)
      return inFormatOf(call, service, rptAnswer({ token: rpt.token, exp: renewed.exp, now, jkt, service }))
    }
    case 'replayed':
      throw new OAuthError('invalid_dpop_proof', 'this DPoP proof was used before; send a fresh one')
    case 'invalid_scope':
      throw new OAuthError('invalid_scope', 'ask for no more than was granted')
    case 'gone':
      throw new OAuthError('invalid_grant', 'nothing stands of what was granted; begin again at the resource server')
  }
}
