// Whose word about a requesting party counts at an owner: asked of the owner's object first; only if she named nobody, of the operator's list.
import type { ClaimIssuer } from '../claims/issuer.ts'
import { unavailable } from '../http/bearer.ts'
import { type Call, ownerObject } from '../http/context.ts'
import { MAX_DOCUMENT, rememberedJson } from '../http/guarded-fetch.ts'
import { countNetwork } from '../http/network-limits.ts'
import { type IssuerColumns, operatorIssuer } from '../store/claim-issuers.ts'
import { vouching } from './claim-issuers.ts'

/**
 * CLAIMS 9: blocked goes before the owner's own registration, and that before the operator's; nobody else counts.
 * @throws OAuthError 503 if it cannot be looked up now
 */
export async function trustedIssuer(call: Call, owner: string, iss: string): Promise<ClaimIssuer | undefined> {
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
