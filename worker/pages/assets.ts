// What the pages load besides themselves: style sheets, drawings, scripts. The server answers GET /assets/<name> from this table
// and from nothing else. The scripts are built from client/ before the server is bundled; all of it is in the bundle as text.
import claimsScript from '../../.build/pages/claims.js'
import copyScript from '../../.build/pages/copy.js'
import developersScript from '../../.build/pages/developers.js'
import openAShared from '../../.build/pages/open-a-shared-thing.txt'
import pageScript from '../../.build/pages/page.js'
import passkeyScript from '../../.build/pages/passkey.js'
import protectYourApi from '../../.build/pages/protect-your-api.txt'
import base from './assets/base.css'
import developersStyle from './assets/developers.css'
import icons from './assets/icons.svg'
import logo from './assets/logo.svg'
import tokens from './assets/tokens.css'

export type Asset = { body: string; contentType: string }

const css = 'text/css; charset=utf-8'
const svg = 'image/svg+xml; charset=utf-8'
/** Guides are read as they are; browsers would offer other types for download. */
const plain = 'text/plain; charset=utf-8'
const js = 'text/javascript; charset=utf-8'

/** Name under /assets/ -> body and media type. A name that is not a key answers 404. */
export const assets: ReadonlyMap<string, Asset> = new Map([
  ['tokens.css', { body: tokens, contentType: css }],
  ['base.css', { body: base, contentType: css }],
  ['icons.svg', { body: icons, contentType: svg }],
  ['logo.svg', { body: logo, contentType: svg }],
  ['page.js', { body: pageScript, contentType: js }],
  ['passkey.js', { body: passkeyScript, contentType: js }],
  ['claims.js', { body: claimsScript, contentType: js }],
  ['developers.css', { body: developersStyle, contentType: css }],
  ['developers.js', { body: developersScript, contentType: js }],
  ['protect-your-api.md', { body: protectYourApi, contentType: plain }],
  ['open-a-shared-thing.md', { body: openAShared, contentType: plain }],
  ['copy.js', { body: copyScript, contentType: js }],
])
