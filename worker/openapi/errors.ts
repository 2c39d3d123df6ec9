// Every error code of this server, with a sentence that says what to do. The API document and the developers' page show this table; a test
// holds it against the sources, so that no code is answered that does not stand here.

/** Code -> what it means and what to do next. Codes are stable; the `error_description` of an answer is for people and may change. */
export const ERRORS = {
  // OAuth 2.0 and its neighbours
  invalid_request: 'Something is missing, malformed or sent twice; error_description names it. Mend the request and send it again.',
  invalid_client: 'The client is unknown or did not authenticate as it registered. Check client_id and secret, or register again.',
  invalid_grant: 'The code, ticket or token is not valid, not yours, used or expired. Get a new one where this one came from.',
  unauthorized_client: 'The client is unknown or did not register for this. Register the grant type, or use another client.',
  unsupported_grant_type: 'Use one of grant_types_supported of the discovery document.',
  unsupported_response_type: 'Send response_type=code.',
  invalid_request_uri: "The pushed request is not this client's, too old or used. Push it again.",
  request_not_supported: 'Send plain parameters instead of a request object.',
  request_uri_not_supported: 'Send plain parameters instead of request_uri.',
  invalid_scope: 'Ask only for scopes that are supported, registered or consented to.',
  invalid_target: 'The parameter resource must name the resource server that asked for the ticket. Leave it out, or name that one.',
  access_denied: 'The owner said no. Do not ask again by yourself.',
  login_required: 'Nobody is signed in. Send the person without prompt=none.',
  consent_required: 'The owner has to say yes. Send the person without prompt=none.',
  // Access tokens and proofs of possession
  invalid_token: 'Send a live access token that was made for this endpoint in the Authorization header; refresh it or get a new one.',
  insufficient_scope: 'The token is good for something else. Ask the owner for the scope that WWW-Authenticate names.',
  invalid_dpop_proof: 'Sign a fresh DPoP proof for exactly this method, address and token, with the key that the token is bound to.',
  // Registration
  invalid_client_metadata: 'A member of the registration has a wrong value; error_description names it. Mend it and send it again.',
  invalid_redirect_uri:
    'A redirect URI is not allowed, or is none that the client registered. Use https, a loopback address or a private scheme.',
  invalid_software_statement:
    'The software statement is malformed, expired or not signed by its issuer. Get a new one from whoever made it.',
  unapproved_software_statement:
    'This server does not know the issuer of the software statement. Register without it, or ask the operator.',
  // UMA
  need_info: 'The person has to show something. Push a claim token with the new ticket, or send the person to redirect_user with it.',
  request_submitted: 'The owner was asked. Come back with the new ticket, not before interval seconds have passed.',
  request_denied: 'The owner does not allow this. It is final for this ticket; a new one may lead somewhere else later.',
  invalid_resource_id: 'Register the resource with this token first, or drop the id: it may have been deleted.',
  unsupported_method_type: 'Use one of the methods that the Allow header names.',
  not_found: 'Nothing is here for this token. Check the id and the address.',
  // Credentials (OpenID4VCI)
  invalid_credential_request: 'Send credential_configuration_id and one to twenty proofs.',
  unknown_credential_configuration: 'Use the credential_configuration_id of the issuer metadata.',
  invalid_proof: 'Sign each proof with a key of its own, named in its header, for this issuer, now.',
  invalid_nonce: 'Get a fresh c_nonce from the nonce endpoint and sign the proofs again.',
  // Pages; programs see these when they call a page
  csrf: 'Load the page again and use its own form.',
  cross_site: 'Only pages of this server may send this form.',
  no_session: 'Sign in, then do it again.',
  no_sign_in: 'Begin to sign in again.',
  consent_expired: 'Start again at the app or service that wanted to connect.',
  no_claims_session: 'Open the link of the shared thing again.',
  claims_session_over: 'This was finished already. Open the link of the shared thing again.',
  session_too_large: 'Open the link of the shared thing again; with fewer permissions for one ticket.',
  service_gone: 'The service is not connected any more. Ask the person who shared.',
  invalid_claims_redirect_uri: 'Send a claims_redirect_uri that the client registered, to the letter.',
  no_guest_session: 'Show your address again.',
  registration_closed: 'This server takes no new owners. Ask its operator for an invitation.',
  too_many_codes: 'Wait before another code is mailed.',
  // The server itself
  quota_exceeded: 'This server keeps no more of it for one owner. Delete some first, or ask the operator for a larger quota.',
  temporarily_unavailable: 'Nothing was changed or granted. Wait as long as Retry-After says and try again.',
  server_error: 'A fault of this server; nothing was granted. Try again, and give the operator the request_id.',
} as const

export type ErrorCode = keyof typeof ERRORS

/** The sentence for a code, as far as it is one of ours. */
export const sentenceFor = (code: string): string | undefined => (Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : undefined)
