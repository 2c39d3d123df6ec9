// Discovery believes a document only when it is the issuer's own.
import { describe, expect, it } from 'vitest'
import { discoverForClient, discoverForResourceServer, isIssuer, umaConfigurationUrl } from '../../shared/discovery.ts'

const ISSUER = 'https://as.example/tenant'
const document = {
  issuer: ISSUER,
  token_endpoint: `${ISSUER}/token`,
  permission_endpoint: `${ISSUER}/permission`,
  resource_registration_endpoint: `${ISSUER}/resource`,
  introspection_endpoint: `${ISSUER}/introspect`,
  something_new: true,
}

const answering = (body: unknown, init: ResponseInit = {}) => {
  const asked: string[] = []
  const send = async (input: string | URL): Promise<Response> => {
    asked.push(String(input))
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status: 200, ...init })
  }
  return { asked, send }
}

describe('UMA Grant 2: discovery', () => {
  it.each([
    ['https://as.example', 'https://as.example/.well-known/uma2-configuration'],
    ['https://as.example/', 'https://as.example/.well-known/uma2-configuration'],
    ['https://as.example/t1', 'https://as.example/t1/.well-known/uma2-configuration'],
  ])('UMA Grant 2: the path is appended to %s', (issuer, url) => {
    expect(umaConfigurationUrl(issuer)).toBe(url)
  })

  it('UMA FedAuthz 2: a document with its members, unknown ones included', async () => {
    const { asked, send } = answering(document)
    const found = await discoverForResourceServer(ISSUER, send)
    expect(found).toMatchObject({ kind: 'found', metadata: document })
    expect(asked).toEqual([`${ISSUER}/.well-known/uma2-configuration`])
  })

  it.each([
    ['another host', 'https://evil.example/tenant'],
    ['a slash more', `${ISSUER}/`],
    ['another case', 'https://AS.example/tenant'],
  ])('RFC 8414 3.3: an issuer with %s is not believed', async (_what, issuer) => {
    expect(await discoverForClient(ISSUER, answering({ ...document, issuer }).send)).toMatchObject({ kind: 'invalid' })
  })

  it.each([
    ['no endpoint of the protection API', { permission_endpoint: undefined }],
    ['plain HTTP elsewhere', { permission_endpoint: 'http://as.example/permission' }],
    ['a script', { token_endpoint: 'javascript:alert(1)' }],
    ['no URL', { token_endpoint: 'token' }],
  ])('UMA FedAuthz 2: refused: %s', async (_what, changes) => {
    expect(await discoverForResourceServer(ISSUER, answering({ ...document, ...changes }).send)).toMatchObject({ kind: 'invalid' })
  })

  it('UMA Grant 2: a client needs no protection API', async () => {
    const { permission_endpoint: _p, resource_registration_endpoint: _r, ...client } = document
    expect(await discoverForClient(ISSUER, answering(client).send)).toMatchObject({ kind: 'found' })
  })

  it.each([[302], [404], [500]])('RFC 8414 3.2: status %d is no document', async (status) => {
    expect(await discoverForClient(ISSUER, answering(document, { status }).send)).toMatchObject({ kind: 'unreachable' })
  })

  it('RFC 8414 3.2: not JSON, or without end, is no document', async () => {
    expect(await discoverForClient(ISSUER, answering('<html>').send)).toMatchObject({ kind: 'invalid' })
    expect(await discoverForClient(ISSUER, answering({ ...document, pad: 'x'.repeat(70_000) }).send)).toMatchObject({ kind: 'invalid' })
  })

  it('RFC 8414 3: a server that does not answer is unreachable', async () => {
    const send = () => Promise.reject(new Error('no route'))
    expect(await discoverForClient(ISSUER, send)).toEqual({ kind: 'unreachable', reason: 'no route' })
  })

  it.each([['https://a.example?x=1'], ['https://a.example#f'], ['https://u:p@a.example'], ['ftp://a.example'], ['a.example'], ['']])(
    'RFC 8414 2: %s is no issuer',
    (text) => {
      expect(isIssuer(text)).toBe(false)
    },
  )
})
