// JSON for the vault's own script: files of the signed-in owner, uploads in parts. Same origin only, by cookie; not for others.
import { Hono, type MiddlewareHandler } from 'hono'
import * as v from 'valibot'
import { readJson } from '../../shared/limited-body.ts'
import { sendFile } from './content.ts'
import { readSession } from './cookies.ts'
import { MOST_BYTES, PART_SIZE } from './domain.ts'
import { problem, type VaultContext, type VaultEnv } from './http.ts'
import { fileName, mediaType } from './media.ts'
import { accountOf } from './names.ts'

const account = (c: VaultContext) => accountOf(c.env, c.var.session.account)

const ownerOnly: MiddlewareHandler<VaultEnv> = async function ownerOnly(c, next) {
  const session = await readSession(c)
  if (session === undefined) return problem(c, 401, 'signed_out', c.var.say('app.signed_out'))
  c.set('session', session)
  await next()
  return undefined
}

const newUpload = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
  type: v.pipe(v.string(), v.maxLength(256)),
  size: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** What the browser makes of name, size, time and bytes of the file: the same file chosen again goes on. */
  fingerprint: v.pipe(v.string(), v.minLength(16), v.maxLength(128)),
})

export const ownerApi = new Hono<VaultEnv>().use(ownerOnly)

ownerApi.get('/overview', async (c) => c.json(await account(c).overview(), 200, { 'Cache-Control': 'no-store' }))

const newSettings = v.object({ hides_names: v.boolean() })

ownerApi.post('/settings', async (c) => {
  const parsed = v.safeParse(newSettings, await readJson(c.req.raw, 1024))
  if (!parsed.success) return problem(c, 400, 'invalid_request', 'hides_names is needed, true or false')
  await account(c).hideNames(parsed.output.hides_names)
  return c.body(null, 204)
})

ownerApi.get('/files/:id', async (c) => {
  const id = c.req.param('id')
  const overview = await account(c).overview()
  const file = overview.files.find((one) => one.id === id)
  if (file === undefined) return problem(c, 404, 'not_found', c.var.say('thing.gone'))
  const { server, connected } = overview
  return c.json({ server, connected, file, visits: await account(c).visits(id) }, 200, { 'Cache-Control': 'no-store' })
})

ownerApi.get('/files/:id/content', async (c) => {
  const file = await account(c).ownFile(c.req.param('id'))
  if (file === undefined) return problem(c, 404, 'not_found', c.var.say('thing.gone'))
  return sendFile(c, file, c.req.query('download') === '1', { 'cross-origin-resource-policy': 'same-origin' })
})

ownerApi.delete('/files/:id', async (c) =>
  (await account(c).deleteFile(c.req.param('id'))) ? c.body(null, 204) : problem(c, 404, 'not_found', c.var.say('thing.gone')),
)

ownerApi.post('/files/:id/restore', async (c) =>
  (await account(c).undoDelete(c.req.param('id'))) ? c.body(null, 204) : problem(c, 409, 'gone', c.var.say('thing.gone')),
)

ownerApi.post('/uploads', async (c) => {
  const parsed = v.safeParse(newUpload, await readJson(c.req.raw, 8192))
  if (!parsed.success) return problem(c, 400, 'invalid_request', 'name, type, size and fingerprint of the file are needed')
  const { name, type, size, fingerprint } = parsed.output
  if (size > MOST_BYTES) return problem(c, 413, 'too_big', c.var.say('upload.too_big', { name: fileName(name), limit: '20 GB' }))
  return c.json(await account(c).beginUpload({ name: fileName(name), type: mediaType(type), size, fingerprint }), 201, {
    'Cache-Control': 'no-store',
  })
})

/** Reads on and forgets, within reason: a connection that is cut while it sends would hide the answer from the browser. */
async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  const reader = body?.getReader()
  let left = 2 * PART_SIZE
  for (let next = await reader?.read(); next !== undefined && !next.done && left > 0; next = await reader?.read())
    left -= next.value.byteLength
}

ownerApi.put('/uploads/:id/parts/:number', async (c) => {
  const [id, number] = [c.req.param('id'), Number(c.req.param('number'))]
  const target = Number.isInteger(number) ? await account(c).partTarget(id, number) : undefined
  const { body } = c.req.raw
  if (target === undefined || Number(c.req.header('content-length')) !== target.length || body === null) {
    await drain(body)
    return target === undefined
      ? problem(c, 404, 'not_found', 'there is no such part of an upload')
      : problem(c, 400, 'invalid_request', `this part is ${target.length} bytes long`)
  }
  try {
    // The stream goes from the socket into R2; nothing is held here, whatever the size.
    const part = await c.env.FILES.resumeMultipartUpload(target.key, target.uploadId).uploadPart(number, body)
    await account(c).partStored(id, { number, etag: part.etag, size: target.length })
    return c.body(null, 204)
  } catch {
    // The connection broke, or R2 did not take it: the browser sends this part again.
    return problem(c, 503, 'interrupted', 'this part was not stored; send it again')
  }
})

ownerApi.post('/uploads/:id/complete', async (c) => {
  const id = c.req.param('id')
  const outcome = await account(c).completeUpload(id)
  if (outcome === 'done') return c.json({ id })
  return outcome === 'missing'
    ? problem(c, 409, 'parts_missing', 'some parts are not here yet')
    : problem(c, 404, 'not_found', 'there is no such upload')
})

ownerApi.delete('/uploads/:id', async (c) => {
  await account(c).abortUpload(c.req.param('id'))
  return c.body(null, 204)
})
