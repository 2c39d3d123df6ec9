// Another owner of the same server, with a service, a thing, a share and a wallet of her own: nothing of hers may be seen or touched by others.
import { type Alice, connectService, connectWallet, type Server, type Service, share, signIn, someone, type WalletApi } from './actors.ts'
import { expectStatus, type Json } from './http.ts'

export type AnotherOwner = {
  alice: Alice
  service: Service
  wallet: WalletApi
  resource: string
  policy: string
  person: string
  connection: string
}

/** The items of a list of the owner API. */
export const items = async (wallet: WalletApi, path: string): Promise<Json[]> =>
  expectStatus(await wallet.call(path), 200, path).json.items as Json[]

export const anotherOwner = async (server: Server): Promise<AnotherOwner> => {
  const alice = await signIn(server)
  const [service, wallet] = [await connectService(server, alice), await connectWallet(server, alice)]
  const resource = await service.register({ resource_scopes: ['view'], name: 'Hers' })
  const policy = await share(wallet, resource, someone('dave'))
  const [people, connections] = [await items(wallet, '/owner/people'), await items(wallet, '/owner/connections')]
  const connection = String(connections.find(({ kind }) => kind === 'service')?.id)
  return { alice, service, wallet, resource, policy, person: String(people[0]?.id), connection }
}
