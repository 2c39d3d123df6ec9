// POST /owner/policies: the owner shares a thing with a person. The address becomes a keyed hash at once and is stored nowhere.
import { Hono } from 'hono'
import { OWNER_SCOPE, policyRequest } from '../../shared/protocol/owner-api.ts'
import { canonicalAddress, claimValue, policyMac } from '../claims/address.ts'
import { noteClient, recognizedToken, unavailable } from '../http/bearer.ts'
import { type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import { isFull, quotaExceeded } from '../http/quota.ts'
import { sealLabel } from '../tokens/label-key.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { policyView } from './policy-view.ts'

const refuse = (description: string, status: 400 | 404 = 400) =>
  new OAuthError(status === 404 ? 'not_found' : 'invalid_request', description, { status })

export const policies = new Hono<AppEnv>().post('/', async (c) => {
  const { deps } = c.var
  const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'change')
  const asked = await readJson(c, policyRequest)
  const now = seconds(deps)
  if (asked.until !== undefined && asked.until <= now) throw refuse('"until" has passed already; choose a later time')
  if (asked.from !== undefined && asked.until !== undefined && asked.from >= asked.until) throw refuse('"from" must be before "until"')
  if (asked.time_zone !== undefined && !isTimeZone(asked.time_zone)) throw refuse('"time_zone" must be an IANA name, such as Europe/Lisbon')
  const object = ownerObject(c.env, owner)
  let person: { id: string } | { new_id: string; mac: string; label: string }
  if ('id' in asked.person) person = { id: asked.person.id }
  else {
    const address = canonicalAddress(asked.person.email)
    if (address === undefined) throw refuse('"person.email" is no e-mail address')
    person = {
      new_id: randomSecret(12),
      mac: await policyMac(deps.keyring, owner, await claimValue(deps.keyring, address)),
      // The wallet seals the label itself; for other callers the server does it, and forgets.
      label: asked.person.label ?? (await sealLabel(await object.labelPublic(), { email: address })),
    }
  }
  const done = await object.share(caller, {
    now,
    policy: {
      id: randomSecret(12),
      resource_id: asked.resource_id,
      scopes: [...new Set(asked.resource_scopes)],
      valid_from: asked.from ?? null,
      valid_until: asked.until ?? null,
      time_zone: asked.time_zone ?? null,
      person,
    },
  })
  if (done.kind !== 'unauthorized') noteClient(c, done)
  switch (done.kind) {
    case 'done':
      return c.json(policyView(done.value, now, c.var.lang), 201, { 'Cache-Control': 'no-store' })
    case 'unauthorized':
      throw refused(done)
    case 'unavailable':
      throw unavailable()
    case 'refused':
      if (isFull(done.reason)) throw quotaExceeded(done.reason)
      if (done.reason === 'no_scope') throw refuse('a scope is not offered by this thing')
      throw refuse(done.reason === 'no_person' ? 'no such person' : 'no such thing', 404)
  }
})

/** Whether the runtime knows this zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false // RangeError: not a zone that the runtime knows
  }
}
