// verify-state must see what is wrong, or its silence means nothing: a record that was changed, lost or forged behind the object's back.
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectService, connectWallet, type Service, share, signIn, someone, stopSharing, type WalletApi } from '../support/actors.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { d1File } from '../support/state-files.ts'
import { verifyState } from '../support/verify-state.ts'

describe('DESIGN 3: one writer', () => {
  let as: Running
  let service: Service
  let wallet: WalletApi
  let resource: string
  beforeAll(async () => {
    as = await ownAs()
    const alice = await signIn(as)
    service = await connectService(as, alice)
    wallet = await connectWallet(as, alice)
    resource = await service.register({ resource_scopes: ['view'], name: 'One' })
  })
  afterAll(() => as.stop())

  const differences = (): string[] => verifyState(as.state).flatMap((report) => report.differences)

  /** Changes the record behind the server's back, looks, and puts it back. */
  const tamper = (change: string, undo: string): string[] => {
    const database = new DatabaseSync(d1File(as.state) ?? '')
    try {
      database.exec(change)
      const found = differences()
      database.exec(undo)
      return found
    } finally {
      database.close()
    }
  }

  it('DESIGN 3: after edits that were acknowledged, object and record agree', async () => {
    const first = await share(wallet, resource, someone('bob'))
    await share(wallet, resource, someone('carol'))
    await stopSharing(wallet, first)
    expect(differences()).toEqual([])
    expect(verifyState(as.state)[0]?.summary).toMatch(/2 connections, 1 resource, 2 people, 1 policy/)
  })

  it.each([
    ['a row that was changed', "UPDATE resource SET type = 'forged'", 'UPDATE resource SET type = NULL', /^resource\/.* differs/],
    [
      'a row that was lost',
      'CREATE TABLE kept AS SELECT * FROM policy; DELETE FROM policy',
      'INSERT INTO policy SELECT * FROM kept; DROP TABLE kept',
      /^policy\/.* is in the object only/,
    ],
    [
      'a row that nobody wrote',
      "INSERT INTO person (owner, id, mac, label, created_at) SELECT id, 'forged', 'm', 'l', 1 FROM owner",
      "DELETE FROM person WHERE id = 'forged'",
      /^person\/forged is in D1 only/,
    ],
    ['a writer that the object does not know', 'UPDATE owner SET writer = writer + 1', 'UPDATE owner SET writer = writer - 1', /^writer /],
  ])('DESIGN 3: verify-state names %s', (_why, change, undo, expected) => {
    const found = tamper(change, undo)
    expect(found.length).toBeGreaterThan(0)
    for (const one of found) expect(one).toMatch(expected)
    expect(differences()).toEqual([])
  })

  it('DESIGN 3: stopping while D1 is away counts at once, is on its way to D1, and arrives', async () => {
    const id = await share(wallet, resource, someone('dora'))
    await as.setFault({ mode: 'fail', count: 1000 })
    await stopSharing(wallet, id)
    expect(differences()).toEqual([])
    expect(verifyState(as.state)[0]?.summary).toMatch(/on the way to D1/)
    await as.setFault(undefined)
    const [object] = await as.objects('OwnerObject')
    await as.runAlarm('OWNER', object ?? '')
    expect(verifyState(as.state)[0]?.summary).not.toMatch(/on the way to D1/)
    expect(differences()).toEqual([])
  })

  it('DESIGN 3: after kill -9 in the middle of edits, object and record agree', async () => {
    const edits = Array.from({ length: 24 }, () => share(wallet, resource, someone('eve')).catch(() => undefined))
    await Promise.race(edits)
    await as.kill()
    await Promise.all(edits)
    expect(differences()).toEqual([])
    await share(wallet, resource, someone('frank'))
    expect(differences()).toEqual([])
  })
})
