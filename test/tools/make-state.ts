// `node test/tools/bootstrap.mjs make-state <version>`: plays a small story against the server as it is built now and packs the state that
// it leaves as test/vectors/state-v<version>/. Run once for each storage version, by the last commit that writes it; never overwrites.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK } from 'jose'
import {
  type Alice,
  type App,
  authorize,
  type Bob,
  bob,
  connectService,
  connectWallet,
  goBack,
  openClaims,
  registerApp,
  type Service,
  share,
  signIn,
  stopSharing,
  type WalletApi,
} from '../support/actors.ts'
import { newestCode, typeAddress } from '../support/claims.ts'
import type { Json } from '../support/http.ts'
import type { Page } from '../support/http-browser.ts'
import { type LaterStory, type OldStory, packState } from '../support/packed-state.ts'
import { obtainCredential, pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { startAs } from '../support/story.ts'
import { build, ROOT } from './build.ts'

type Cast = { as: Running; service: Service; wallet: WalletApi; app: App }

/** Rules of any kind, groups, things in things, issuers, a name to join under, what an app may skip, a question. */
const playLater = async ({ as, service, wallet, app }: Cast): Promise<LaterStory> => {
  const send = async (path: string, json: Json, method = 'POST', rev?: unknown): Promise<Json> => {
    const answer = await wallet.call(path, { method, json, ...(rev !== undefined && { headers: { 'if-match': `"${rev}"` } }) })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`)
    return answer.json
  }
  const album = await service.register({ resource_scopes: ['view'], name: 'Summer', labels: ['club'] })
  const photo = await service.register({ resource_scopes: ['view'], name: 'Beach.jpg', parent: album })
  const [member, stranger] = [bob('carol@example.net'), bob('dave@example.net')]
  const made = await send('/owner/groups', { name: 'Swimmers' })
  const group = String(made.id)
  const named = await send(`/owner/groups/${group}`, { name: 'The club' }, 'PUT', made.rev)
  await send(`/owner/groups/${group}/members`, { people: [{ email: member.address }] }, 'POST', named.rev)
  await send('/owner/types', { type: 'https://photos.example/album', implies: {}, authority: 'owner' }, 'PUT')
  const when = { all: [{ claim: 'email', group }, { before: Math.floor(Date.now() / 1000) + 30 * 86_400 }] }
  const permit = await send('/owner/rules', {
    v: 1,
    effect: 'permit',
    target: { resources: [album], descend: true },
    scopes: ['view'],
    when,
  })
  const issuer = await send('/owner/issuers', {
    issuer: 'https://idp.example',
    jwks_uri: 'https://idp.example/jwks',
    formats: ['urn:ietf:params:oauth:token-type:jwt'],
    claims: ['roles'],
  })
  await send('/owner/organisation', { name: 'The club' }, 'PUT')
  await send('/owner/organisation/codes', {})
  const show = async (who: Bob): Promise<Page> => {
    const { page } = await openClaims(as, who, app, await service.ticket({ resource_id: photo, resource_scopes: ['view'] }))
    return who.browser.submit(await typeAddress(who, page), { code: newestCode(as, who.address), skip: 'on' })
  }
  const granted = await app.token(String((await goBack(member, app, await show(member))).get('ticket')))
  if (granted.status !== 200) throw new Error(`no token: ${granted.text}`)
  await stranger.browser.send(await show(stranger), '/ask')
  const [asked] = (await wallet.call('/owner/requests')).json.items as Json[]
  const { access_token: rpt, pct } = granted.json
  return {
    group,
    permit: String(permit.id),
    photo,
    rpt: String(rpt),
    pct: String(pct),
    issuer: String(issuer.id),
    request: String(asked?.id),
  }
}

const cookiesOf = (who: Pick<Alice, 'browser'>, as: Running): Record<string, string> => who.browser.cookies(as.origin)

/** Everything of which the next version has to make sense, as young as possible. */
const play = async (as: Running): Promise<OldStory> => {
  const alice = await signIn(as, 'alice@example.net')
  const [service, wallet] = [await connectService(as, alice, 'A shelf', 'https://shelf.example'), await connectWallet(as, alice)]
  const later = await connectService(as, alice, 'Another shelf', 'https://other-shelf.example')
  const app = await registerApp(as, 'confidential')
  const guest = bob('bob@example.net')
  const [resource, other] = [
    await service.register({ resource_scopes: ['view', 'download'], name: 'Lisbon.pdf' }),
    await service.register({ resource_scopes: ['view'], name: 'Porto.pdf' }),
  ]
  const [kept, stopped] = [await share(wallet, resource, guest.address), await share(wallet, other, guest.address)]
  const ask = (id: string): Promise<string> => service.ticket({ resource_id: id, resource_scopes: ['view'] })
  const credential = await obtainCredential(as, guest, app, await ask(resource))
  const grant = async (id: string): Promise<{ rpt: string; ticket: string }> => {
    const ticket = await ask(id)
    const answer = await app.token(ticket, await pushed(credential, ticket))
    if (answer.status !== 200) throw new Error(`no token: ${answer.text}`)
    return { rpt: String(answer.json.access_token), ticket }
  }
  const [granted, ended] = [await grant(resource), await grant(other)]
  for (const { rpt } of [granted, ended]) await service.introspect(rpt)
  await stopSharing(wallet, stopped)
  const forbids = { v: 1, effect: 'forbid', target: { labels: ['R'] }, scopes: '*', when: { client: ['https://bad.example/client.json'] } }
  const rule = await wallet.call('/owner/rules', { json: forbids })
  if (rule.status !== 201) throw new Error(`no rule: ${rule.text}`)
  const visitor = bob(guest.address)
  const { page } = await openClaims(as, visitor, app, await ask(resource))
  await typeAddress(visitor, page)
  const redirectUri = `${later.origin}/connected`
  const asked = await authorize(as, alice, {
    clientId: later.client.id,
    redirectUri,
    scope: 'uma_protection',
    more: { prompt: 'consent' },
  })
  return {
    at: Math.floor(Date.now() / 1000),
    origin: as.origin,
    owner: { address: alice.address, cookies: cookiesOf(alice, as) },
    service: {
      id: service.client.id,
      secret: service.client.secret ?? '',
      pat: service.pat,
      refresh: String(service.tokens.refresh_token),
    },
    wallet: {
      id: wallet.client.id,
      token: String(wallet.tokens.access_token),
      refresh: String(wallet.tokens.refresh_token),
      key: await exportJWK(wallet.key.privateKey),
    },
    app: { id: app.client.id, secret: app.client.secret ?? '', claimsRedirectUri: app.claimsRedirectUri },
    resource,
    share: kept,
    other,
    rule: String(rule.json.id),
    later: await playLater({ as, service, wallet, app }),
    guest: {
      address: guest.address,
      claims: { path: new URL(page.url).pathname, code: newestCode(as, guest.address), cookies: cookiesOf(visitor, as) },
    },
    rpt: granted.rpt,
    stoppedRpt: ended.rpt,
    ticket: await ask(resource),
    spentTicket: granted.ticket,
    code: {
      code: asked.params.get('code') ?? '',
      verifier: asked.verifier,
      redirectUri,
      id: later.client.id,
      secret: later.client.secret ?? '',
    },
    credential: { sdJwt: credential.sdJwt, key: await exportJWK(credential.privateKey), jwk: credential.jwk },
  }
}

const version = Number(process.argv[2])
const isThere = existsSync(join(ROOT, `test/vectors/state-v${version}`))
if (!Number.isInteger(version) || version < 1 || isThere) {
  console.error(isThere ? `test/vectors/state-v${version} is there already.` : 'Which storage version?')
  process.exit(2)
}
await build(['as'])
const folder = mkdtempSync(join(tmpdir(), 'latchkey-state-'))
try {
  const as = await startAs({ folder })
  const story = await play(as).finally(() => as.stop())
  console.log(`test/vectors/state-v${version}: ${packState(version, join(folder, 'as'), story)} bytes`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)
