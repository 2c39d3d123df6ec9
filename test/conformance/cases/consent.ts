// The pages of the authorization endpoint, on which an owner consents (UMA FedAuthz 1.3, RFC 9700).
import { answered, begin, go, newServiceClient, redeem } from '../lib/authorization.ts'
import { openBrowser } from '../lib/browser.ts'
import { good, must } from '../lib/case.ts'
import { granted, NotOffered, ok, same } from '../lib/check.ts'
import { sha256 } from '../lib/http.ts'
import { REDIRECT, type World } from '../lib/world.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const DCR = ['authorizationCode', 'registration'] as const

/** The page on which an owner who is signed in is asked, for a client of its own. */
const consentPage = async (w: World) => {
  const { ownerBrowser } = w.adapter
  if (ownerBrowser === undefined) throw new NotOffered('the profile gives no browser of an owner')
  const [browser, flow] = await Promise.all([ownerBrowser('alice'), begin(w)])
  const page = await browser.open(flow.url, (url) => url.startsWith(REDIRECT))
  const form = page.forms.find(({ method, buttons }) => method === 'POST' && buttons.length > 0)
  ok(form, `no form asks the owner: ${page.status} at ${page.url}`)
  return { browser, page, form, flow }
}

export const consent = [
  must(
    'RFC 6749 4.1.2.1: an owner who declines is access_denied',
    'O-2 AZ-10',
    async (w) => {
      const flow = await begin(w)
      const came = answered(await go(w, flow.url, 'deny'))
      same([came.get('error'), came.get('state'), came.get('code')], ['access_denied', flow.state, null], 'what came back')
    },
    DCR,
  ),
  must(
    'RFC 9700 4.7: nobody but the owner gives consent',
    'AZ-11 OW-01',
    async (w) => {
      const page = await openBrowser().open((await begin(w)).url, (url) => url.startsWith(REDIRECT))
      ok(!page.url.startsWith(REDIRECT), 'a stranger got an answer')
    },
    DCR,
  ),
  must(
    'RFC 9700 4.7: consent cannot be given from another site, nor without the secret of the page',
    'AZ-11 G-71',
    async (w) => {
      const { browser, form } = await consentPage(w)
      const origin = new URL(form.action).origin
      const whole = { ...form.fields, [form.buttons[0] ?? 'decision']: 'allow' }
      for (const [fields, headers] of [
        [whole, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
        [{ decision: 'allow' }, { origin, 'sec-fetch-site': 'same-origin' }],
        [
          { ...whole, csrf: 'x' },
          { origin, 'sec-fetch-site': 'same-origin' },
        ],
      ] as const) {
        const body = new URLSearchParams(fields).toString()
        const { status: got } = await browser.raw(form.action, { method: 'POST', body, headers: { ...FORM, ...headers } })
        ok(got >= 400 && got < 500, `${Object.keys(fields).join(', ')} from ${headers.origin} answers ${got}`)
      }
    },
    DCR,
  ),
  must(
    'RFC 9700 4.7: what is consented to is what was shown, whatever else the form says',
    'AZ-12 I7',
    async (w) => {
      const { browser, page, flow } = await consentPage(w)
      const evil = { redirect_uri: 'https://evil.example/', scope: 'uma_owner', client_id: 'x', code_challenge: sha256('x'), state: 'x' }
      const form = page.forms.find(({ buttons }) => buttons.length > 0)
      const next = await browser.send(page, form?.action ?? '', { decision: 'allow', ...evil }, (url) => !url.startsWith(w.issuer))
      const came = new URL(next.url)
      ok(came.href.startsWith(REDIRECT), `the owner was sent to ${next.url}`)
      same(came.searchParams.get('state'), flow.state, 'state')
      granted(await redeem(w, { ...flow, code: came.searchParams.get('code') ?? '' }), 'the code with its own verifier')
    },
    DCR,
  ),
  must(
    'RFC 9700 4.11: pages that refuse quote nothing of the request as markup',
    'CR-06 AZ-03',
    async (w) => {
      for (const name of ['client_id', 'redirect_uri', 'state', 'scope']) {
        const { url } = await begin(w, { query: { [name]: '"><script>alert(1)</script>' } })
        const { text } = await go(w, url)
        ok(!text.includes('<script>alert(1)'), name)
      }
    },
    DCR,
  ),
  good(
    'RFC 9700 4.2.4: the authorization endpoint is not framed, does not tell where it is, and answers scripts of no other origin',
    'AZ-13 CI-09 HT-08 O-15',
    async (w) => {
      const { url } = await begin(w)
      const answer = await w.http.call(url, { headers: { origin: 'https://evil.example' } })
      ok(answer.headers.get('access-control-allow-origin') === null, 'CORS at the authorization endpoint')
      const page = await openBrowser().open(url)
      ok(/no-referrer|same-origin|strict-origin$/.test(page.headers.get('referrer-policy') ?? ''), 'Referrer-Policy')
      ok(/frame-ancestors 'none'/.test(page.headers.get('content-security-policy') ?? ''), 'frame-ancestors')
    },
    DCR,
  ),
  must(
    'UMA FedAuthz 1.3: the page on which the owner consents names the resource server as text',
    'AZ-18 CR-06',
    async (w) => {
      const client = await newServiceClient(w, { client_name: 'Fish & <b>Chips</b>' })
      const { url } = await begin(w, { client, query: { prompt: 'consent' } })
      const { text } = await go(w, url, 'deny')
      ok(!text.includes('<b>Chips</b>'), 'markup of the client is on the page')
      ok(text.includes('Fish &amp; &lt;b&gt;Chips'), 'the name of the client is not on the page')
    },
    DCR,
  ),
]
