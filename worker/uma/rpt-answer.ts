// The successful answer of the token endpoint with an RPT in it (UMA Grant 3.3.5).
import { type Client, originOf } from '../store/clients.ts'

export type RptAnswer = {
  token: string
  /** Seconds since 1970. */
  exp: number
  now: number
  jkt: string | undefined
  /** The resource server that it is good for, as a client. */
  service: Client | undefined
  refreshToken?: string | undefined
  upgraded?: boolean | undefined
  pct?: string | undefined
}

/** > The authorization server SHOULD NOT include the scope parameter (UMA Grant 3.3.5); scopes are the resource server's affair. */
export function rptAnswer({ token, exp, now, jkt, service, refreshToken, upgraded, pct }: RptAnswer): Record<string, unknown> {
  const origin = service === undefined ? undefined : originOf(service)
  return {
    access_token: token,
    token_type: jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: exp - now,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(pct === undefined ? {} : { pct }),
    // UMA Grant 3.3.5.1: absent means that the old permissions are not in it.
    ...(upgraded === true ? { upgraded: true } : {}),
    // DESIGN decision 12: the client sends the RPT nowhere else.
    ...(origin === undefined ? {} : { resource_server: origin }),
  }
}
