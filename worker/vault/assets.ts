// What the pages load besides themselves. GET /assets/<name> answers from this table and from nothing else. Built by client/vite.config.ts.
import { Hono } from 'hono'
import style from '../../.build/vault-client/app.css'
import app from '../../.build/vault-client/app.js'
import icons from '../../.build/vault-client/icons.svg'
import logo from '../../.build/vault-client/logo.svg'
import open from '../../.build/vault-client/open.js'
import { problem, type VaultEnv } from './http.ts'

const JS = 'text/javascript; charset=utf-8'
const SVG = 'image/svg+xml; charset=utf-8'

const ASSETS: ReadonlyMap<string, { body: string; type: string }> = new Map([
  ['app.css', { body: style, type: 'text/css; charset=utf-8' }],
  ['app.js', { body: app, type: JS }],
  ['open.js', { body: open, type: JS }],
  ['icons.svg', { body: icons, type: SVG }],
  ['logo.svg', { body: logo, type: SVG }],
])

const etagOf = async (body: string): Promise<string> => {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body)))
  return `"${[...hash.slice(0, 12)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}"`
}

export const assets = new Hono<VaultEnv>().get('/:name', async (c) => {
  const asset = ASSETS.get(c.req.param('name'))
  if (asset === undefined) return problem(c, 404, 'not_found', c.var.say('error.not_found'))
  const etag = await etagOf(asset.body)
  // Asked about each time: after a new version of the vault no page mixes old and new.
  const headers = { 'cache-control': 'no-cache', etag, 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' }
  if (c.req.header('if-none-match') === etag) return c.body(null, 304, headers)
  return c.body(asset.body, 200, { ...headers, 'content-type': asset.type, 'content-security-policy': "default-src 'none'" })
})
