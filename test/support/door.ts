// A thing that a guest can open at once: shared, with a proof in the guest's hands, so that one token request is enough.
import { share } from './actors.ts'
import type { Stage } from './claims.ts'
import { type Answer, expectStatus } from './http.ts'
import { type Credential, obtainCredential, pushed } from './proofs.ts'

export type Key = { address: string; credential: Credential }
export type Door = {
  resource: string
  /** Id of the share. */
  share: string
  /** A token request with a fresh ticket and the proof. */
  ask: () => Promise<Answer>
  /** A token that is good as long as the share is. */
  rpt: string
}

/** A guest with a proof of an address; asked for once, good for all doors of a stage. */
export const newKey = async (stage: Stage): Promise<Key> => {
  const guest = await stage.guest()
  return { address: guest.address, credential: await obtainCredential(stage.server, guest, stage.app, await stage.ticket()) }
}

/** Registers a thing, shares it with the holder of the key, who opens it. */
export const openDoor = async (stage: Stage, key: Key): Promise<Door> => {
  const { service, wallet, app } = stage
  const resource = await service.register({ resource_scopes: ['view'], name: 'A door' })
  const id = await share(wallet, resource, key.address)
  const ask = async (): Promise<Answer> => {
    const ticket = await service.ticket({ resource_id: resource, resource_scopes: ['view'] })
    return app.token(ticket, await pushed(key.credential, ticket))
  }
  return { resource, share: id, ask, rpt: String(expectStatus(await ask(), 200, 'RPT').json.access_token) }
}
