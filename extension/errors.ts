// What can go wrong in the wallet, as a person must be told about it. Thrown anywhere in the background, turned into an answer once,
// in background/router.ts; the views turn the code into a sentence with a next step (`error_<code>` in _locales).

export type WalletErrorCode =
  | 'address' // not something that can be the address of a server
  | 'insecure' // http, and not this machine
  | 'unreachable' // no answer
  | 'no_server' // answers, but is not an authorization server that the wallet can use
  | 'permission' // the person did not let the wallet talk to that host
  | 'declined' // the person or the server said no
  | 'expired' // the flow was started too long ago, or is already over
  | 'ended' // the server no longer accepts this wallet: connect again
  | 'not_found' // the thing, share, person or service is gone
  | 'rejected' // the server refused what was asked
  | 'refused' // the message did not come from where it may come from, or is malformed
  | 'no_proof'
  | 'failed' // anything else

/** Thrown by background code; `code` picks the sentence, `detail` is for "Technical details" and never contains a secret. */
export class WalletError extends Error {
  readonly code: WalletErrorCode
  readonly detail: string | undefined

  constructor(code: WalletErrorCode, detail?: string) {
    super(detail === undefined ? code : `${code}: ${detail}`)
    this.name = 'WalletError'
    this.code = code
    this.detail = detail
  }
}
