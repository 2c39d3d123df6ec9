// What the server keeps of people who came by (CLAIMS 5.6, 11 #23; DESIGN decision 7): nothing that can be read, in no file and no log.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { codeIn, goBack, showAddress } from '../support/actors.ts'
import { stage, walletPart } from '../support/claims.ts'
import { obtainCredential } from '../support/proofs.ts'
import { ownAs } from '../support/server.ts'
import { answerWith, askWallet, sendAnswer } from '../support/wallet-answer.ts'

it('CLAIMS 11 #23: after a whole scenario no file and no log line holds an address, a code, a ticket or a key', async () => {
  const as = await ownAs()
  try {
    const s = await stage(as)
    const guest = await s.guest()
    const tickets = [await s.ticket()]
    const credential = await obtainCredential(as, guest, s.app, tickets[0] ?? '')
    const byWallet = await s.arrive(guest)
    const request = await askWallet(as, guest, byWallet.page)
    await sendAnswer(guest, byWallet.page, await answerWith(as, credential, request))
    const waiting = await s.arrive(guest)
    await askWallet(as, guest, waiting.page)
    const byCode = await s.arrive(guest)
    const done = await showAddress(as, guest, byCode.page)
    const { request: keep, csrf } = walletPart(done, 'keep')
    await guest.browser.post(done, keep, {}, { 'x-csrf': csrf })
    const back = await goBack(guest, s.app, done)
    tickets.push(byWallet.ticket, waiting.ticket, byCode.ticket, String(back.get('ticket')))
    const granted = await s.app.token(String(back.get('ticket')))
    expect(granted.status).toBe(200)

    const codes = as.mailbox.to(guest.address).map(codeIn)
    const local = guest.address.split('@')[0] ?? ''
    const secrets = [
      guest.address,
      local,
      s.alice.address,
      ...codes.map((code) => `"${code}"`),
      ...tickets,
      String(granted.json.access_token),
      s.service.pat,
      csrf,
    ]
    const cookies = Object.values({ ...guest.browser.cookies(as.origin), ...s.alice.browser.cookies(as.origin) })
    const files = readdirSync(as.state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    const bytes =
      Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name)))).toString('latin1') + as.logs.join('\n')
    expect(bytes.length).toBeGreaterThan(100_000)
    expect([...secrets, ...cookies].filter((secret) => secret !== '' && bytes.includes(secret))).toEqual([])
  } finally {
    await as.stop()
  }
})
