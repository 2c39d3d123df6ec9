// What `webextension-polyfill` stands for in the built wallet: both browsers that the manifest admits have a promise-returning `browser`
// of their own, so the polyfill would do nothing but weigh ten kilobytes. The bundler puts this file in its place; its types stay.
import type { Browser } from 'webextension-polyfill'

declare global {
  var browser: Browser
}

export default globalThis.browser
