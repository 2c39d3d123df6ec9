// /admin: what operators see and do. Counts, mail, lags, clients to block, issuers (issuers.ts), invitations, keys; never labels, things, people or shares.
// A stranger hears that nothing is here.
import { Hono } from 'hono'
import { canonicalAddress, invitationMac } from '../claims/address.ts'
import { type AppContext, type AppEnv, seconds } from '../http/context.ts'
import { required } from '../http/form.ts'
import { invitationMail } from '../http/mail-texts.ts'
import { operatorOf } from '../http/operator.ts'
import { sameOrigin } from '../http/session.ts'
import { AdminPage } from '../pages/admin.tsx'
import { render } from '../pages/layout.tsx'
import { paths } from '../pages/paths.ts'
import { knownClient } from '../store/administration.ts'
import { insertInvitation, revokeInvitation } from '../store/invitations.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { adminView, clientObject } from './admin-view.ts'
import { adminIssuers } from './issuers.ts'
import { back, nothingHere, operatorForm } from './operator-form.ts'
import { adminPlatformRules } from './platform-rules.ts'

/** Seconds that an invitation is good. */
const INVITATION_LIFETIME = 14 * 86_400

export const admin = new Hono<AppEnv>()
  .route('/', adminIssuers)
  .route('/', adminPlatformRules)
  .get('/', async (c) => {
    const operator = await operatorOf(c)
    if (operator.kind === 'stranger') throw nothingHere()
    if (operator.kind === 'signed_out') {
      return c.redirect(`${paths.signIn}?${new URLSearchParams({ ...(operator.again ? { again: '1' } : {}), next: paths.admin })}`, 303)
    }
    return c.html(render(AdminPage, await adminView(c, operator.session)))
  })
  .post('/rotate-keys', sameOrigin(), async (c) => {
    await operatorForm(c)
    const rotated = await c.env.KEYS.get(c.env.KEYS.idFromName('keys')).rotate()
    return back(c, `keys_${rotated.kind}`)
  })
  .post('/block', sameOrigin(), async (c) => changeClient(c, true))
  .post('/unblock', sameOrigin(), async (c) => changeClient(c, false))
  .post('/invite', sameOrigin(), async (c) => {
    const { params } = await operatorForm(c)
    const { deps } = c.var
    const address = canonicalAddress((params.get('address') ?? '').slice(0, 320))
    if (address === undefined) return back(c, 'address_wrong')
    const now = seconds(deps)
    await insertInvitation(c.env.DB, {
      id: randomSecret(12),
      address_mac: await invitationMac(deps.keyring, address),
      created_at: now,
      exp: now + INVITATION_LIFETIME,
    })
    const mail = invitationMail(c.var.lang, { origin: deps.issuer, days: INVITATION_LIFETIME / 86_400 })
    return back(c, (await deps.mailer.send({ to: address, ...mail })) === 'sent' ? 'invited' : 'invited_unsent')
  })
  .post('/revoke-invitation', sameOrigin(), async (c) => {
    const { params } = await operatorForm(c)
    await revokeInvitation(c.env.DB, required(params, 'invitation'))
    return back(c, 'revoked')
  })

async function changeClient(c: AppContext, blocked: boolean): Promise<Response> {
  const { params } = await operatorForm(c)
  const client_id = required(params, 'client').trim()
  // Who has no registration is known by the address of its metadata.
  if (!isDocumentId(client_id) && (await knownClient(c.env.DB, client_id)) === undefined) return back(c, 'client_unknown')
  const status = await clientObject(c.env, client_id).change({ client_id, blocked, now: seconds(c.var.deps) })
  if (!status.done) return back(c, 'client_on_its_way')
  return back(c, blocked ? 'client_blocked' : 'client_unblocked')
}

const isDocumentId = (id: string): boolean => id.length <= 2048 && URL.parse(id)?.protocol === 'https:' && id.startsWith('https://')
