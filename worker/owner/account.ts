// The account as a whole: GET /account, GET /account/takeout (for a wallet: GET /owner/takeout), POST /account/delete. What is taken out
// is one JSON file, written while it is read: labels are opened if this browser or this wallet can, and left sealed otherwise.
import { Hono } from 'hono'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { noteClient, presentedToken } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { readForm } from '../http/form.ts'
import { pageContext } from '../http/page.ts'
import { checkCsrf, closeSession, csrfToken, readNames, requireSession, sameOrigin } from '../http/session.ts'
import type { OwnerObject } from '../objects/owner.ts'
import { RECENT } from '../objects/owner-account.ts'
import { entryOf } from '../objects/owner-activity.ts'
import { dbFor, readActivity } from '../objects/record.ts'
import { AccountDeletedPage, AccountPage } from '../pages/account.tsx'
import { render } from '../pages/layout.tsx'
import { paths } from '../pages/paths.ts'
import { ownerById } from '../store/owners.ts'
import { passkeysOf } from '../store/passkeys.ts'
import { openLabel } from '../tokens/label-key.ts'

const PIECE = 200
const encoder = new TextEncoder()

export const account = new Hono<AppEnv>()
  .get(paths.account, (c) => showAccount(c))
  .get(paths.takeOut, async (c) => {
    const session = await requireSession(c)
    const begun = await ownerObject(c.env, session.owner).takeOut({ sid: session.sid }, seconds(c.var.deps))
    if (begun.kind === 'unauthorized') throw new PageError('signed_out', 'no_session', 401)
    return takenOut(c, session.owner, begun, (await readNames(c, session.owner))?.private_jwk)
  })
  .post(paths.accountDelete, sameOrigin(), async (c) => {
    const params = await readForm(c)
    const session = await requireSession(c)
    await checkCsrf(c.var.deps, session, params)
    if (params.get('confirmed') !== 'yes') return showAccount(c, 'unconfirmed')
    const done = await ownerObject(c.env, session.owner).deleteAccount({ sid: session.sid }, { now: seconds(c.var.deps) })
    if (done.kind === 'sign_in') return showAccount(c)
    await closeSession(c)
    return c.html(render(AccountDeletedPage, { page: pageContext(c), isDone: done.isDone }))
  })

/** The same for a wallet, which opens the labels itself. */
export const takeOut = new Hono<AppEnv>().get('/takeout', async (c) => {
  const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
  const begun = await ownerObject(c.env, owner).takeOut(caller, seconds(c.var.deps))
  if (begun.kind === 'unauthorized') throw refused(begun)
  noteClient(c, begun)
  return takenOut(c, owner, begun, undefined)
})

async function showAccount(c: AppContext, error?: 'unconfirmed'): Promise<Response> {
  const session = await requireSession(c)
  const isRecent = session.since > seconds(c.var.deps) - RECENT
  const props = { page: pageContext(c), csrf: await csrfToken(c.var.deps, session), isRecent, error }
  return c.html(render(AccountPage, props), error === undefined ? 200 : 422)
}

type Begun = Extract<Awaited<ReturnType<OwnerObject['takeOut']>>, { kind: 'ok' }>

/** Members of rows that hold JSON as text. */
const JSON_MEMBERS = ['scopes', 'permissions', 'doc', 'labels', 'line']

function takenOut(c: AppContext, owner: string, begun: Begun, labelPrivate: JsonWebKey | undefined): Response {
  const written = pieces(c, owner, begun, labelPrivate)
  const stream = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await written.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    cancel: () => void written.return(undefined),
  })
  return c.body(stream, 200, {
    'Content-Type': 'application/json',
    'Content-Disposition': 'attachment; filename="latchkey-account.json"',
    'Cache-Control': 'no-store',
  })
}

type Reading = { object: ReturnType<typeof ownerObject>; reading: string; now: number }

/** The file, piece by piece; a list that cannot be read any more ends it in the middle, so that nobody takes it for whole. */
async function* pieces(
  c: AppContext,
  owner: string,
  { parts, reading }: Begun,
  labelPrivate: JsonWebKey | undefined,
): AsyncGenerator<string, void> {
  const { deps } = c.var
  const now = seconds(deps)
  const from = { object: ownerObject(c.env, owner), reading, now }
  const row = await ownerById(c.env.DB, owner)
  const address = row === undefined ? null : ((await deps.keyring.open('address', row.address_sealed, row.id)) ?? null)
  const passkeys = (await passkeysOf(c.env.DB, owner)).map(({ id }) => id)
  yield JSON.stringify({ server: deps.issuer, taken_out_at: now, id: owner, address, passkeys }).slice(0, -1)
  for (const part of parts) {
    yield `,${JSON.stringify(part)}:`
    yield* listed(rowsOf(from, part, labelPrivate))
  }
  yield ',"activity":'
  yield* listed(happened(c, owner, from))
  yield '}'
}

/** A JSON array of what comes. */
async function* listed(items: AsyncGenerator<unknown, void>): AsyncGenerator<string, void> {
  yield '['
  let comma = ''
  for await (const item of items) {
    yield comma + JSON.stringify(item)
    comma = ','
  }
  yield ']'
}

async function* rowsOf(from: Reading, part: Begun['parts'][number], labelPrivate: JsonWebKey | undefined): AsyncGenerator<unknown, void> {
  const { object, reading, now } = from
  for (let after: string | undefined = ''; after !== undefined; ) {
    const piece: Awaited<ReturnType<OwnerObject['takeOutRows']>> = await object.takeOutRows({ reading, part, after, now })
    if (piece === undefined) throw new Error('the account cannot be read any more')
    for (const row of piece.rows) yield await readable(row, labelPrivate)
    after = piece.next
  }
}

/** Newest first; what has left the object is in the record. */
async function* happened(c: AppContext, owner: string, { object, reading, now }: Reading): AsyncGenerator<unknown, void> {
  for (let before = Number.MAX_SAFE_INTEGER; before > 1; ) {
    const recent = await object.takeOutActivity({ reading, before, limit: PIECE, now })
    if (recent === undefined) throw new Error('the account cannot be read any more')
    const entries = recent.length > 0 ? recent : (await readActivity(dbFor(c.env, owner), owner, before, PIECE)).map(entryOf)
    yield* entries
    before = entries.at(-1)?.seq ?? 0
  }
}

/** A row with its JSON unfolded, and its label opened if that can be done here. */
async function readable(
  row: Record<string, string | number | null>,
  labelPrivate: JsonWebKey | undefined,
): Promise<Record<string, unknown>> {
  const done: Record<string, unknown> = { ...row }
  for (const name of JSON_MEMBERS) {
    const text = row[name]
    if (typeof text !== 'string' || !/^[[{]/.test(text)) continue
    done[name] = JSON.parse(text) as unknown
  }
  if (labelPrivate !== undefined && typeof row.label === 'string') done.label = (await openLabel(labelPrivate, row.label)) ?? row.label
  return done
}
