// What a client pushed with a token request (UMA Grant 3.3.1): the verifiers of worker/claims, and what they ask of the surroundings. Whose
// word counts is asked of the owner's object first; only if she named nobody, of the operator's list.
import { verifyClaimToken } from '../claims/formats.ts'
import type { ClaimIssuer } from '../claims/issuer.ts'
import { unavailable } from '../http/bearer.ts'
import { type Call, oneTimeObject, ownerObject, seconds } from '../http/context.ts'
import type { Params } from '../http/form.ts'
import { MAX_DOCUMENT, rememberedJson } from '../http/guarded-fetch.ts'
import { countNetwork } from '../http/network-limits.ts'
import { vouching } from '../oauth/claim-issuers.ts'
import type { Evidence } from '../policy/evidence.ts'
import { type IssuerColumns, operatorIssuer } from '../store/claim-issuers.ts'
import { sha256 } from '../tokens/opaque.ts'

/** Seconds that a `jti` is remembered beyond the end of its token: as long as clocks may differ, and one more. */
const REMEMBERED = 61

/**
 * What the claim token in a request shows: a token that is no good counts as none, and the answer is need_info, not an error (UMA Grant
 * 3.3.6). `jkt`: the key that the request proves. @throws OAuthError 503 if it cannot be looked up now who may vouch, 429 for a network that
 * makes this server ask for keys too often; nothing is spent then
 */
export async function pushedEvidence(
  call: Call,
  request: { params: Params; ticket: string; owner: string; client: string; jkt: string | undefined },
): Promise<Evidence[]> {
  const { deps } = call
  const { params, ticket, owner, client, jkt } = request
  const [token, format] = [params.get('claim_token'), params.get('claim_token_format')]
  if (token === undefined || format === undefined) return []
  const now = seconds(deps)
  const verdict = await verifyClaimToken(deps.keyring, {
    token,
    format,
    ticket,
    issuer: deps.issuer,
    client,
    ...(jkt === undefined ? {} : { jkt }),
    now,
    issuerOf: (iss) => issuerOf(call, owner, iss),
    takeOnce: async ({ issuer, jti, exp }) => {
      // Each owner believes an issuer for herself: what another one's registration brings uses nothing up here.
      const once = oneTimeObject(call.deps.env, await deps.keyring.mac('limit', `claim-token\0${owner}\0${issuer}`))
      return once.take({ key: await sha256(jti.toWellFormed()), exp: exp + REMEMBERED, now })
    },
  })
  return verdict.kind === 'evidence' ? verdict.evidence : []
}

/** CLAIMS 9: blocked goes before the owner's own registration, and that before the operator's; nobody else counts. */
export async function issuerOf(call: Call, owner: string, iss: string): Promise<ClaimIssuer | undefined> {
  const { deps } = call
  // What this server itself says is its credential, and no other format.
  if (iss === deps.issuer) return undefined
  const known = await ownerObject(call.deps.env, owner).claimIssuer({ issuer: iss })
  if (known.blocked) return undefined
  if (known.row !== undefined) return counted(call, known.row, known.row.id)
  try {
    const row = await operatorIssuer(call.deps.env.DB, iss)
    return row === undefined || row.disabled_at !== null ? undefined : counted(call, row, 'operator')
  } catch {
    throw unavailable() // D1 is away
  }
}

/** Anybody may register an issuer whose keys are at somebody else's: a network may make this server ask only so often. */
function counted(call: Call, row: IssuerColumns, trust: string): ClaimIssuer {
  const { deps } = call
  const issuer = vouching(deps, row, trust)
  const { jwks_uri } = row
  if (jwks_uri === null) return issuer
  const keys: ClaimIssuer['keys'] = async (header, again) => {
    if (again || rememberedJson(deps, jwks_uri, MAX_DOCUMENT) === undefined) await countNetwork(call, 'document')
    return issuer.keys(header, again)
  }
  return { ...issuer, keys }
}
