// What developers come to: the API document as it is served, the page, the guides behind its links.
import { beforeAll, describe, expect, it } from 'vitest'
import { openApiDocument } from '../../worker/openapi/document.ts'
import { ISSUER_MARK } from '../../worker/openapi/issuer-mark.ts'
import { call } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'

describe('DESIGN 4: for developers', () => {
  let as: Running
  beforeAll(async () => {
    as = await sharedAs()
  })

  it('OpenAPI 3.1: /openapi.json is the document of this build, for this issuer, to be read from any origin', async () => {
    const answer = await call(`${as.origin}/openapi.json`)
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'application/json',
      '*',
    ])
    expect(answer.json).toEqual(JSON.parse(JSON.stringify(openApiDocument()).replaceAll(ISSUER_MARK, as.origin)))
    expect(answer.text).not.toContain(ISSUER_MARK)
  })

  it('UX "Rosa": the page shows each operation, each code and this issuer, without inline script or style', async () => {
    const page = await call(`${as.origin}/developers`, { headers: { accept: 'text/html', 'accept-language': 'de' } })
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
    expect(page.text).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/)
    expect(page.text).toMatch(/^<!doctype html><html lang="de">/)
    expect(page.text).toContain(`curl ${as.origin}/register`)
    const { paths, ...document } = (await call(`${as.origin}/openapi.json`)).json as {
      paths: Record<string, Record<string, { operationId: string }>>
      'x-errors': Record<string, string>
    }
    for (const methods of Object.values(paths))
      for (const { operationId } of Object.values(methods)) expect(page.text).toContain(`id="${operationId}"`)
    for (const code of Object.keys(document['x-errors'])) expect(page.text).toContain(`id="error-${code}"`)
  })

  it('UX "Rosa": every link of the page leads somewhere, on this server', async () => {
    const page = await call(`${as.origin}/developers`, { headers: { accept: 'text/html' } })
    const ids = new Set([...page.text.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]))
    for (const [, link = ''] of page.text.matchAll(/(?:href|src)="([^"]+)"/g)) {
      if (link.startsWith('#')) expect(ids).toContain(link.slice(1))
      else expect([link, (await call(`${as.origin}${link}`)).status]).toEqual([link, 200])
    }
    expect((await call(`${as.origin}/`, { headers: { accept: 'text/html' } })).text).toContain('href="/developers"')
    expect((await call(`${as.origin}/assets/protect-your-api.md`)).text).toMatch(/^# Protect your API/)
  })
})
