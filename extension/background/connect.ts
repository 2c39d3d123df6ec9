// Connecting to a server as its owner, in two steps with the person's visit there in between. Everything between the steps lies in
// storage.session; the page that opened the sign-in window holds nothing but the flow's id.

import * as v from 'valibot'
import browser from 'webextension-polyfill'
import { owner } from '../../shared/protocol/owner-api.ts'
import { authorizationUrl, makeSecrets, redeem, register, revoke } from '../as/connect.ts'
import { labelsOf, unwrapLabelKey } from '../as/labels.ts'
import { discover, type Metadata } from '../as/oauth.ts'
import { forgetAnswers, get } from '../as/owner-client.ts'
import { WalletError } from '../errors.ts'
import type { Server } from '../messages.ts'
import { hostOf, issuerOf, patternOf } from '../origin.ts'
import { changeConnection, connections, connectionTo, dropConnection, isApproved, keepConnection } from '../wallet/connections.ts'
import { forgetProofs } from '../wallet/credentials.ts'
import { forgetKeys } from '../wallet/keys.ts'
import { type ConnectFlow, type Connection, read, update } from '../wallet/storage.ts'
import { approve, unapprove } from './approve.ts'
import { badge } from './badge.ts'

const FLOW_MS = 15 * 60_000

/** `id` members beyond what the server must name; unknown members are dropped. */
const ownerAnswer = v.object(owner.entries)

const redirectUri = (): string => browser.identity.getRedirectURL('cb')

/** One server as views see it. */
export const serverOf = async (connection: Connection): Promise<Server> => ({
  issuer: connection.issuer,
  host: hostOf(connection.issuer),
  email: (await (await labelsOf(connection.issuer)).person(connection.owner_label))?.email,
  names: connection.names,
  state: connection.state,
})

/** Finds the server and gets a client_id there. A wallet that is known comes back as itself; one that was ended there starts anew. */
const introduce = async (issuer: string): Promise<{ metadata: Metadata; clientId: string }> => {
  const metadata = await discover(issuer)
  const known = (await read('connections'))[issuer]
  return { metadata, clientId: known?.state === 'connected' ? known.client_id : await register(metadata, redirectUri()) }
}

/** Gives the browser's permission back for a host that turned out to be of no use. */
const releaseHost = async (origin: string): Promise<void> => {
  const isUsed = (await isApproved(origin)) || (await connections()).some(({ issuer }) => new URL(issuer).origin === origin)
  if (!isUsed) await browser.permissions.remove({ origins: [patternOf(origin)] }).catch(() => undefined)
}

/**
 * First step: finds the server, registers the wallet there, remembers the flow.
 * @returns where the person must go (in the browser's own sign-in window)
 * Throws `address`, `insecure`, `permission`, `unreachable`, `no_server`, `rejected`.
 */
export const beginConnect = async (typed: string): Promise<{ flow: string; url: string }> => {
  const address = issuerOf(typed)
  if (address.kind === 'no_address') throw new WalletError('address')
  if (address.kind === 'insecure') throw new WalletError('insecure')
  const { issuer } = address
  if (!(await browser.permissions.contains({ origins: [patternOf(issuer)] }))) throw new WalletError('permission', hostOf(issuer))
  const { metadata, clientId } = await introduce(issuer).catch(async (error: unknown) => {
    await releaseHost(new URL(issuer).origin)
    throw error
  })
  const secrets = makeSecrets()
  const url = await authorizationUrl(metadata, clientId, redirectUri(), secrets)
  const flow = crypto.randomUUID()
  const now = Date.now()
  await update('flows', (all) => {
    for (const [id, { at }] of Object.entries(all)) if (now - at > FLOW_MS) delete all[id]
    all[flow] = { issuer, client_id: clientId, metadata, ...secrets, at: now }
  })
  return { flow, url }
}

const takeFlow = async (id: string): Promise<ConnectFlow> => {
  const flow = (await read('flows'))[id]
  if (!flow || Date.now() - flow.at > FLOW_MS) throw new WalletError('expired')
  return flow
}

/** Reads who the owner is, and opens the label key if the server's page handed it to this device. */
const learnOwner = async (issuer: string): Promise<Connection> => {
  const me = await get(issuer, '/me', ownerAnswer)
  const isOpen = me.wrapped_label_key !== undefined && (await unwrapLabelKey(issuer, me.wrapped_label_key, me.label_key))
  const { names } = await connectionTo(issuer)
  await changeConnection(issuer, {
    names: isOpen ? 'readable' : names,
    ...(me.label === undefined ? {} : { owner_label: me.label }),
  })
  return connectionTo(issuer)
}

/**
 * Second step: checks the redirect, redeems the code, learns who the owner is. A worker that dies after the tokens came finds the
 * connection kept and only repeats what may be repeated.
 * Throws `expired`, `declined`, `ended`, `no_server`, `unreachable`.
 */
export const finishConnect = async (id: string, redirect: string): Promise<Server> => {
  const flow = await takeFlow(id)
  const { issuer, client_id, metadata } = flow
  const tokens = await redeem(metadata, client_id, redirectUri(), flow, redirect)
  const before = (await read('connections'))[issuer]
  await keepConnection({
    issuer,
    client_id,
    metadata,
    ...tokens,
    names: before?.names ?? 'closed',
    state: 'connected',
    connected_at: Date.now(),
  })
  await update('flows', (all) => void delete all[id])
  await forgetAnswers(issuer)
  const connection = await learnOwner(issuer)
  await approve(new URL(issuer).origin, undefined)
  return serverOf(connection)
}

/** Forgets a server: tells it, then deletes tokens, keys, proofs and the permission for its host. */
export const leave = async (issuer: string): Promise<null> => {
  const connection = (await read('connections'))[issuer]
  if (connection) {
    await dropConnection(issuer)
    if (connection.state === 'connected')
      await revoke(connection.metadata, connection.client_id, connection.refresh_token ?? connection.access_token)
  }
  await forgetAnswers(issuer)
  await forgetKeys(issuer)
  await forgetProofs(issuer)
  await update('asked', (all) => void delete all[issuer])
  await badge()
  const { origin } = new URL(issuer)
  if (!(await connections()).some((other) => new URL(other.issuer).origin === origin)) await unapprove(origin)
  return null
}
