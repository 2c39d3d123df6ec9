// Refusals at the token endpoint (UMA Grant 3.3.6): their form, and what they give away.
import { good, must } from '../lib/case.ts'
import { isFinal, needInfo, ok, same } from '../lib/check.ts'
import { random } from '../lib/http.ts'
import { askedForInfo, type Thing, type World } from '../lib/world.ts'

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  claim_token_format: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  claim_type: (value) => typeof value === 'string',
  friendly_name: (value) => typeof value === 'string',
  issuer: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  name: (value) => typeof value === 'string',
}

/** A thing that is shared with Bob, so that a request without claims is asked for something. */
const sharedThing = async (w: World): Promise<Thing> => {
  const [thing, bob] = await Promise.all([w.thing(), w.bob()])
  await w.share(thing, bob)
  return thing
}

export const failure = [
  must('UMA Grant 3.3.6: need_info is 403 with a new ticket', 'G-64 G-65a G-65b UG-07', async (w) => {
    const [thing, app] = await Promise.all([sharedThing(w), w.app()])
    const ticket = await thing.ticket()
    needInfo(await app.token(ticket), ticket, 'no claims')
  }),
  must('UMA Grant 3.3.6: need_info tells what is wanted, or where to send the requesting party', 'G-64 G-65', async (w) => {
    const { answer } = await askedForInfo(await sharedThing(w), await w.app())
    const { required_claims: claims, redirect_user: place } = answer.json
    ok(Array.isArray(claims) || typeof place === 'string', 'neither required_claims nor redirect_user')
  }),
  must('UMA Grant 3.3.6: required_claims is an array of objects whose known members have their types', 'G-64', async (w) => {
    const { answer } = await askedForInfo(await sharedThing(w), await w.app())
    const claims = answer.json.required_claims
    if (claims === undefined) return
    ok(Array.isArray(claims), 'required_claims is no array')
    for (const claim of claims as Record<string, unknown>[])
      for (const [name, isRight] of Object.entries(TYPES))
        ok(claim[name] === undefined || isRight(claim[name]), `${name}: ${JSON.stringify(claim[name])}`)
  }),
  must('UMA Grant 3.3.6: redirect_user is an absolute URI at the authorization server', 'G-65', async (w) => {
    const { answer } = await askedForInfo(await sharedThing(w), await w.app())
    const place = answer.json.redirect_user
    if (place === undefined) return
    const url = URL.parse(String(place))
    ok(url !== null && url.hash === '', `redirect_user is ${place}`)
    same(url.protocol, new URL(w.issuer).protocol, 'its scheme')
  }),
  must('UMA Grant 3.3.6: need_info does not say whose claims are wanted', 'I9 G-98 UG-10', async (w) => {
    const [{ answer }, bob] = await Promise.all([askedForInfo(await sharedThing(w), await w.app()), w.bob()])
    const [local = '', domain = ''] = (bob.address ?? 'nobody@nowhere').toLowerCase().split('@')
    for (const part of [local, domain]) ok(!answer.text.toLowerCase().includes(part), `the answer names ${part}`)
  }),
  must('UMA Grant 3.3.6: request_denied is 403 and final: no ticket', 'G-65a UG-19', async (w) => {
    const [thing, app] = await Promise.all([w.thing(), w.app()])
    isFinal(await app.token(await thing.ticket()), 'request_denied', 'no policy')
  }),
  must('UMA Grant 3.3.6: invalid_grant and invalid_scope are 400 without a ticket', 'G-65a G-65b UG-05', async (w) => {
    const [thing, app] = await Promise.all([sharedThing(w), w.app()])
    isFinal(await app.token(random()), 'invalid_grant', 'an unknown ticket')
    isFinal(await app.token(await thing.ticket(), { scope: 'fly' }), 'invalid_scope', 'an unknown scope')
  }),
  must('RFC 6749 5.2: error_description holds printable ASCII without quote and backslash', 'O-1 G-65b', async (w) => {
    const [thing, app] = await Promise.all([sharedThing(w), w.app()])
    const answers = [
      await app.token(random()),
      await app.token(await thing.ticket()),
      await app.token(await thing.ticket(), { scope: 'fly' }),
      await app.request({ grant_type: 'x"\\ü' }),
      await app.request([
        ['a"\\ü', '1'],
        ['a"\\ü', '2'],
      ]),
    ]
    for (const { json } of answers) {
      ok(typeof json.error === 'string', 'no error')
      ok(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(String(json.error_description ?? '')), `error_description: ${json.error_description}`)
    }
  }),
  good('UMA Grant 3.3.6: a person to whom nothing is shared hears the same as one whom nobody knows', 'G-98 I9', async (w) => {
    const [thing, closed, app, carol] = await Promise.all([sharedThing(w), w.thing(), w.app(), w.carol()])
    const one = await w.present(app, await thing.ticket(), carol)
    const other = await w.present(app, await closed.ticket(), carol)
    same(
      [one.status, one.json.error, one.json.error_description],
      [other.status, other.json.error, other.json.error_description],
      'the answers',
    )
  }),
]
