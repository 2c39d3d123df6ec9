// The manifest of the wallet, one source for both browsers. It asks for nothing that a browser warns about at installation: hosts are
// granted by the person at run time, one server at a time (DESIGN decision 13). Nothing is reachable from the web.

export type Target = 'chrome' | 'firefox'

/** Public half of the key that makes the wallet's id the same on every machine. */
const CHROME_KEY =
  'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAn8GDp8hh7aWD/kjFkr0oV2uvzeTo++VxmQgTIAJ18UkfKy5d4XeqMLrE/n0ug+LrhuoNTjuDGgB0JIQCCMpKZu4DY7x+' +
  'En0IzwYLxLeS0zNzO70lYynvkJqOmVWBEYAKIXNphB9pjzCtlW1Fr2LEs8e9Uql31cJd/mj2d3Mhh974bPlyfr8UfY9HuEMPlCOwOasWZ+L2Nhte5HwPQkWVhvn6N06zAyPE8g5f' +
  'DC0qrg2fPH5LPaHvmfnPanmIYAtf/of3l1Z4293xcZTeaWjHdFfQwn8/2LoyXkC07KQPJNsaCc/3KeCXTq72A08zkEeIrD05VabFHkY0TJ8kIIyDQQIDAQAB'

const GECKO_ID = 'wallet@latchkey.example'

/** Scripts of the package only, no markup from strings, and calls to servers only where they are https (or on this machine). */
const PAGES_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  'connect-src https: wss: http://localhost:* ws://localhost:* http://127.0.0.1:* ws://127.0.0.1:*',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const icons = { 16: 'icons/16.png', 32: 'icons/32.png', 48: 'icons/48.png', 128: 'icons/128.png' }

const common = {
  manifest_version: 3,
  name: '__MSG_extName__',
  short_name: 'Latchkey',
  description: '__MSG_extDescription__',
  default_locale: 'en',
  icons,
  action: { default_popup: 'popup.html', default_title: 'Latchkey', default_icon: icons },
  permissions: ['storage', 'alarms', 'identity', 'scripting', 'activeTab'],
  optional_host_permissions: ['https://*/*', 'http://localhost/*', 'http://127.0.0.1/*'],
  content_security_policy: { extension_pages: PAGES_CSP },
}

/** The manifest for one browser, ready for JSON. */
export const manifest = (target: Target, version: string): Record<string, unknown> =>
  target === 'chrome'
    ? {
        ...common,
        version,
        // 148: `browser` with promises is native, see browser.ts.
        minimum_chrome_version: '148',
        key: CHROME_KEY,
        background: { service_worker: 'background.js', type: 'module' },
      }
    : {
        ...common,
        version,
        background: { scripts: ['background.js'], type: 'module' },
        browser_specific_settings: {
          gecko: { id: GECKO_ID, strict_min_version: '140.0', data_collection_permissions: { required: ['none'] } },
          gecko_android: { strict_min_version: '142.0' },
        },
      }
