// Where the forms and links of the pages lead. The endpoints import these names, so that a view and its endpoint cannot differ.

export const paths = {
  /** GET: home, for a stranger or for the owner who is signed in. */
  home: '/',
  /** GET: page. POST `csrf, address[, next]`: mails a code. */
  signIn: '/sign-in',
  /** POST `csrf, code[, next]`. */
  signInCode: '/sign-in/code',
  /** POST (JSON) {} -> {options, state}. */
  signInPasskeyOptions: '/sign-in/passkey/options',
  /** POST (JSON) {state, response[, next]} -> {next}. */
  signInPasskey: '/sign-in/passkey',
  /** POST `csrf, request, decision`. */
  consent: '/authorize/consent',
  /** POST `csrf`. */
  signOut: '/sign-out',
  /** GET: shown once after the first sign-in. */
  welcome: '/welcome',
  /** POST (JSON) {} -> {options, state}. */
  passkeyOptions: '/passkeys/options',
  /** POST (JSON) {state, response} -> any JSON. */
  passkeys: '/passkeys',
  /** POST `csrf, connection`: disconnects a service or a wallet. */
  disconnect: '/disconnect',
  /** POST `csrf, share`: stops one share. */
  stop: '/stop-sharing',
  /** POST `csrf, recovery_code`: opens the names in this browser. */
  unlock: '/unlock',
  /** GET: the account as a whole. */
  account: '/account',
  /** GET: everything that is kept for the owner, as one JSON file. */
  takeOut: '/account/takeout',
  /** POST `csrf, confirmed`: deletes the account. */
  accountDelete: '/account/delete',
  /** GET: what is remembered about a guest, or where one shows an address to see it. POST `csrf, address`: mails a code. */
  proofs: '/proofs',
  /** GET: page. POST `csrf, code`. */
  proofsCode: '/proofs/code',
  /** GET: what is remembered about a guest, as one JSON file. */
  proofsTakeOut: '/proofs/takeout',
  /** POST `csrf[, id]`: forgets one consent, or everything. */
  proofsForget: '/proofs/forget',
  /** POST `csrf, request`: takes back what was asked. */
  proofsWithdraw: '/proofs/withdraw',
  /** POST `csrf`. */
  proofsSignOut: '/proofs/sign-out',
  /** GET: for operators. With `client`: looks for a client. */
  admin: '/admin',
  /** POST `csrf`. */
  adminRotateKeys: '/admin/rotate-keys',
  /** POST `csrf, client`. */
  adminBlock: '/admin/block',
  /** POST `csrf, client`. */
  adminUnblock: '/admin/unblock',
  /** POST `csrf, issuer, keys, about[, domains, apps]`. */
  adminAddIssuer: '/admin/add-issuer',
  /** POST `csrf, issuer`. */
  adminBlockIssuer: '/admin/block-issuer',
  /** POST `csrf, issuer`. */
  adminUnblockIssuer: '/admin/unblock-issuer',
  /** POST `csrf, address`: mails an invitation. */
  adminInvite: '/admin/invite',
  /** POST `csrf, invitation`. */
  adminRevoke: '/admin/revoke-invitation',
  /** POST `csrf, name, rule`: a rule for every owner. */
  adminAddRule: '/admin/add-rule',
  /** POST `csrf, rule`. */
  adminDropRule: '/admin/drop-rule',
  /** GET: the API, to read and to try. */
  developers: '/developers',
  /** GET: the API document (OpenAPI 3.1). */
  openApi: '/openapi.json',
  asset: (name: string): string => `/assets/${name}`,
} as const

/** Below a claims page session, e.g. `/uma/claims/3f2a`. */
export const claimsPaths = (session: string) =>
  ({
    /** POST `csrf, address`: mails a code (again). */
    address: `${session}/address`,
    /** POST `csrf, code`. */
    code: `${session}/code`,
    /** POST (JSON) {} -> {requests}. */
    walletRequest: `${session}/wallet-request`,
    /** POST (JSON) {response} -> {next}. */
    walletResponse: `${session}/wallet-response`,
    /** POST (JSON) {} -> {credential_offer}. */
    keep: `${session}/keep`,
    /** POST `csrf`: the owner shows the address that she is signed in with. */
    self: `${session}/self`,
    /** POST `csrf[, note]`: asks the owner. */
    ask: `${session}/ask`,
    /** POST `csrf`: takes the question back. */
    withdraw: `${session}/withdraw`,
    /** GET -> {state}: waiting, yes, no. */
    state: `${session}/state`,
    /** POST `csrf`. */
    cancel: `${session}/cancel`,
    /** POST `csrf`. */
    continue: `${session}/continue`,
  }) as const
