// Wallets of the system or of a phone, through the browser's Digital Credentials API. Used only when no wallet extension answered.
import * as v from 'valibot'

/** The part of the API that is used; not in the DOM library yet. */
type DigitalContainer = {
  get: (options: { mediation: 'required'; digital: { requests: unknown[] }; signal: AbortSignal }) => Promise<unknown>
}
type DigitalCredentialApi = { userAgentAllowsProtocol?: (protocol: string) => boolean }

const api = (globalThis as { DigitalCredential?: DigitalCredentialApi }).DigitalCredential

/** OpenID4VP 1.0, A.1: the protocol identifier of signed requests. */
const PROTOCOL = 'openid4vp-v1-signed'

/** True if the browser has the API and does not say that it lacks the protocol. */
export const hasNativeWallets = (): boolean => api !== undefined && (api.userAgentAllowsProtocol?.(PROTOCOL) ?? true)

const presented = v.object({ data: v.object({ response: v.string() }) })
const presentedText = v.object({ data: v.pipe(v.string(), v.parseJson(), v.object({ response: v.string() })) })

/**
 * Asks for a proof. @returns the encrypted answer (`dc_api.jwt`), which only the server can open.
 * @throws DOMException when the person closes the browser's dialog or `signal` fires; ValiError if the answer is not one.
 */
export const askNativeWallet = async (requests: unknown[], signal: AbortSignal): Promise<string> => {
  const credentials = navigator.credentials as unknown as DigitalContainer
  const credential = await credentials.get({ mediation: 'required', digital: { requests }, signal })
  // Chromium gives `data` as an object; its first versions gave JSON text.
  return v.parse(v.union([presented, presentedText]), credential).data.response
}
