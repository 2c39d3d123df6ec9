// POLICY 8d: an emergency is never silent. Open wallets and the activity hear of it in the turn that grants (objects/owner-redeem.ts); by mail
// the owner does, too, whose wallet is closed. The grant does not wait for the mail, and stands without it.
import type { Deps } from '../http/context.ts'
import { emergencyMail } from '../http/mail-texts.ts'
import { ownerById } from '../store/owners.ts'

/** Mails the owner that somebody broke the glass; nothing if no address can be read or no mail be sent. Never throws. */
export async function mailEmergency({ env, keyring, mailer, issuer }: Deps, owner: string): Promise<void> {
  try {
    const row = await ownerById(env.DB, owner)
    const address = row === undefined ? undefined : await keyring.open('address', row.address_sealed, row.id)
    if (typeof address === 'string') await mailer.send({ to: address, ...emergencyMail(issuer) })
  } catch {
    // D1 is away: the wallet tells.
  }
}
