// How a client proves itself at a token endpoint (RFC 6749 2.3.1): secret in the header, secret in the body, or none.

/** What a server knows a client as (RFC 7591 3.2.1). Without a secret the client is public; `method` is `client_secret_basic` unless given. */
export type ClientIdentity = { clientId: string; clientSecret?: string; method?: 'client_secret_basic' | 'client_secret_post' | 'none' }

/** RFC 6749 appendix B: application/x-www-form-urlencoded before base64. */
const formEncoded = (text: string): string => new URLSearchParams({ v: text }).toString().slice(2)

/**
 * Adds the client's credentials to a form request.
 * RFC 6749 2.3: never more than one method in a request. Without a secret the client is public and names itself in the body.
 */
export function authenticateClient(client: ClientIdentity, headers: Headers, form: URLSearchParams): void {
  if (client.clientSecret === undefined || client.method === 'none') {
    form.set('client_id', client.clientId)
  } else if (client.method === 'client_secret_post') {
    form.set('client_id', client.clientId)
    form.set('client_secret', client.clientSecret)
  } else {
    headers.set('authorization', `Basic ${btoa(`${formEncoded(client.clientId)}:${formEncoded(client.clientSecret)}`)}`)
  }
}
