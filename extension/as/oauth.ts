// What all calls to an authorization server have in common: oauth4webapi with public client, DPoP and one retry for a wanted nonce.
import { errors } from 'jose'
import * as oauth from 'oauth4webapi'
import { discoverForClient } from '../../shared/discovery.ts'
import { WalletError } from '../errors.ts'

export type Metadata = oauth.AuthorizationServer

const TIMEOUT_MS = 20_000

/** A fetch that gives up after a while and leaves no trace: no cookies, no cache, no redirects. Throws `unreachable`. */
export const serverFetch = async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
  try {
    return await fetch(input, {
      ...init,
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
  } catch (cause) {
    throw new WalletError('unreachable', cause instanceof Error ? cause.message : undefined)
  }
}

/** UMA Grant 2: finds a server's metadata. Throws `unreachable` or `no_server`. */
export const discover = async (issuer: string): Promise<Metadata> => {
  let hasAnswered = false
  const found = await discoverForClient(issuer, async (input, init) => {
    const response = await serverFetch(input, init)
    hasAnswered = true
    return response
  })
  if (found.kind === 'unreachable') throw new WalletError(hasAnswered ? 'no_server' : 'unreachable', found.reason)
  if (found.kind === 'invalid') throw new WalletError('no_server', found.reason)
  return found.metadata as Metadata
}

type Options = { [oauth.allowInsecureRequests]?: boolean; [oauth.customFetch]: (url: string, init: object) => Promise<Response> }

/** Options for oauth4webapi; plain HTTP only where the issuer is this machine (as/address.ts let nothing else through). */
export const options = (issuer: string): Options => ({
  [oauth.customFetch]: (url, init) => serverFetch(url, init as RequestInit),
  ...(new URL(issuer).protocol === 'http:' ? { [oauth.allowInsecureRequests]: true } : {}),
})

/** RFC 9449 8: a server may answer `use_dpop_nonce`; the nonce is kept in the DPoP handle, and the call is made once more. */
export const withNonceRetry = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    if (oauth.isDPoPNonceError(error)) return call()
    throw error
  }
}

/** An OAuth error answer as a wallet error; anything unknown is passed on. */
export const asWalletError = (error: unknown): unknown => {
  if (error instanceof oauth.ResponseBodyError) {
    const gone = error.error === 'invalid_grant' || error.error === 'invalid_client' || error.error === 'unauthorized_client'
    return new WalletError(gone ? 'ended' : 'rejected', `${error.error}: ${error.error_description ?? ''}`)
  }
  if (error instanceof oauth.AuthorizationResponseError) {
    return new WalletError(error.error === 'access_denied' ? 'declined' : 'rejected', `${error.error}: ${error.error_description ?? ''}`)
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) return new WalletError('ended', error.message)
  // Codes only: the errors themselves carry what was signed.
  if (error instanceof errors.JOSEError) return new WalletError('no_server', error.code)
  if (error instanceof oauth.OperationProcessingError) return new WalletError('no_server', error.message)
  return error
}
