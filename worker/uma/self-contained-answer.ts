// RPTs for resource servers that registered to read them by themselves (`rpt_format`): the answer with a signed copy in place of the reference.
import { type Call, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { type Client, originOf } from '../store/clients.ts'
import { randomSecret, readToken } from '../tokens/opaque.ts'
import { SELF_CONTAINED_LIFETIME, signSelfContained } from '../tokens/self-contained.ts'

/** The answer as it is, or with a token of a minute, if that is what the service registered for. Throws OAuthError `invalid_grant` if nothing stands. */
export async function inFormatOf(
  call: Call,
  service: Client | undefined,
  answer: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  if (service?.metadata.rpt_format !== 'at+jwt') return answer
  const { deps } = call
  const now = seconds(deps)
  const rpt = await readToken(deps.keyring, String(answer.access_token))
  const stands = rpt === undefined ? undefined : await ownerObject(call.deps.env, rpt.owner).rptNow({ hash: rpt.hash, now })
  if (rpt === undefined || stands === undefined) throw new OAuthError('invalid_grant', 'nothing stands of what was granted; begin again')
  const exp = Math.min(now + SELF_CONTAINED_LIFETIME, stands.exp)
  const token = await signSelfContained(deps.keyring, {
    issuer: deps.issuer,
    audience: originOf(service) ?? service.id,
    client_id: stands.client_id,
    jkt: stands.jkt,
    permissions: stands.permissions.map((one) => ({ ...one, exp: Math.min(one.exp, exp) })),
    jti: randomSecret(16),
    now,
    exp,
    rpt: { owner: rpt.owner, hash: rpt.hash },
  })
  return { ...answer, access_token: token, expires_in: exp - now }
}
