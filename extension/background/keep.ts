// Keeping a proof that a page offers: the offer's code is spent first, then a batch of one-time credentials is fetched. The access token
// between the two lies in storage.session, bound to a key that only this visit has.
import type { WalletMessage } from '../../shared/protocol/wallet.ts'
import { fetchCredentials, readOffer, redeemOffer } from '../as/credential-issuer.ts'
import { WalletError } from '../errors.ts'
import { keepCredentials } from '../wallet/credentials.ts'
import type { NextStep, Visit } from '../wallet/storage.ts'

/** Does what comes next for this visit. Throws a WalletError that ends the visit. */
export const keepStep = async (visit: Visit): Promise<NextStep | { result: WalletMessage }> => {
  const offer = readOffer(visit.offer, visit.origin)
  if (visit.step === 'redeem') return { step: 'fetch', access_token: await redeemOffer(offer, visit.id) }
  if (visit.step !== 'fetch' || visit.access_token === undefined) throw new WalletError('failed', `step ${visit.step}`)
  const now = Math.floor(Date.now() / 1000)
  const credentials = await fetchCredentials(offer.issuer, visit.access_token, visit.id, now)
  await keepCredentials(credentials, now)
  return { result: { kind: 'kept', id: visit.id, count: credentials.length } }
}
