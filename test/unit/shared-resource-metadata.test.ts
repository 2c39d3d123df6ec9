// Protected resource metadata of the resource server kit: where they lie, what stands in them, and how a challenge leads there.
import { Hono } from 'hono'
import * as oauth from 'oauth4webapi'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { findUmaChallenges, parseChallenges } from '../../shared/challenge.ts'
import { protectedResourceMetadata } from '../../shared/protocol/protected-resource.ts'
import {
  type Protection,
  protect,
  resourceMetadataResponse,
  resourceMetadataUrl,
  resourceOfMetadataUrl,
  umaMiddleware,
} from '../../shared/resource-server.ts'

const RS = 'https://rs.example'

describe('RFC 9728 3.1: where the metadata lie', () => {
  it.each([
    [RS, `${RS}/.well-known/oauth-protected-resource`],
    [`${RS}/`, `${RS}/.well-known/oauth-protected-resource`],
    [`${RS}/photos/1`, `${RS}/.well-known/oauth-protected-resource/photos/1`],
    [`${RS}/photos/`, `${RS}/.well-known/oauth-protected-resource/photos/`],
    [`${RS}:8443/a?b=c`, `${RS}:8443/.well-known/oauth-protected-resource/a?b=c`],
    [`${RS}/a#b`, `${RS}/.well-known/oauth-protected-resource/a`],
  ])('RFC 9728 3.1: of %s', (resource, expected) => {
    expect(resourceMetadataUrl(resource)).toBe(expected)
    const asked = new URL(resource)
    const back = `${asked.origin}${asked.pathname === '/' ? '' : asked.pathname}${asked.search}`
    expect(resourceOfMetadataUrl(expected, asked.origin)).toBe(back)
  })

  it('RFC 9728 3.1: the origin is the one that was given, and other addresses are none of these', () => {
    expect(resourceOfMetadataUrl('http://10.0.0.1/.well-known/oauth-protected-resource/a', RS)).toBe(`${RS}/a`)
    for (const other of ['/', '/a', '/.well-known/oauth-protected-resources/a', '/x/.well-known/oauth-protected-resource']) {
      expect(resourceOfMetadataUrl(RS + other, RS)).toBeUndefined()
    }
    expect(() => resourceMetadataUrl('photos/1')).toThrow(TypeError)
  })
})

describe('RFC 9728 3.2, 5: the document and the way to it', () => {
  const metadata = { resource: `${RS}/photos/1`, authorization_servers: ['https://as.example'], scopes_supported: [] }

  it('RFC 9728 3.2, 3.3: oauth4webapi finds it and takes it', async () => {
    const answer = await oauth.resourceDiscoveryRequest(new URL(metadata.resource), {
      [oauth.customFetch]: async (input: string) =>
        input === `${RS}/.well-known/oauth-protected-resource/photos/1`
          ? resourceMetadataResponse(metadata)
          : new Response(null, { status: 404 }),
    })
    expect([answer.headers.get('access-control-allow-origin'), answer.headers.get('content-type')]).toEqual(['*', 'application/json'])
    const read = await oauth.processResourceDiscoveryResponse(new URL(metadata.resource), answer)
    expect(read).toMatchObject({ authorization_servers: ['https://as.example'], bearer_methods_supported: ['header'] })
    expect(read.dpop_signing_alg_values_supported).toContain('ES256')
    // RFC 9728 3.2: arrays without elements are left out.
    expect(read).not.toHaveProperty('scopes_supported')
    expect(v.is(protectedResourceMetadata, read)).toBe(true)
  })

  it('RFC 9728 5.1: as a second challenge behind the UMA one, with Hono and without; left out when nothing is served', async () => {
    const noAnswer = async () => ({ kind: 'unreachable' as const, reason: 'x' })
    const protection: Protection = {
      asUri: 'https://as.example',
      api: { introspect: noAnswer, requestTicket: async () => ({ kind: 'ok' as const, value: 'a ticket' }) },
      needed: [{ resource_id: '1', resource_scopes: ['view'] }],
    }
    const options = { protectionOf: () => protection, resourceMetadata: ({ url }: Request) => resourceMetadataUrl(url) }
    const app = new Hono().use(umaMiddleware(options)).get('*', (c) => c.text('never'))
    const asked = new Request(`${RS}/photos/1?size=2`)
    for (const answer of [await app.fetch(asked), await protect(options, () => new Response('never'))(asked)]) {
      const header = answer.headers.get('www-authenticate') ?? ''
      expect(parseChallenges(header).map(({ scheme }) => scheme)).toEqual(['UMA', 'Bearer'])
      expect(findUmaChallenges(header)).toEqual([{ asUri: 'https://as.example', ticket: 'a ticket' }])
      const named = parseChallenges(header)[1]?.parameters.get('resource_metadata') ?? ''
      expect(resourceOfMetadataUrl(named, RS)).toBe(`${RS}/photos/1?size=2`)
    }
    const without = await protect({ protectionOf: () => protection }, () => new Response('never'))(asked)
    expect(without.headers.get('www-authenticate')).not.toContain('Bearer')
  })
})
