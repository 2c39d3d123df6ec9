// A client that an operator has blocked or unblocked, or that has deleted itself (RFC 7592 2.3), an issuer that an operator has blocked or
// unblocked, or the rules of the platform: carries the change to every owner who relies on it (DESIGN 3, "Shared facts reach the owners"), and knows when all have
// acknowledged. One object a client or issuer, and one for the rules, there only when something of the kind happened. Survives everything: what is to be done is
// written before it is begun, and the alarm goes on with it.
import { DurableObject } from 'cloudflare:workers'
import { ownersTrusting, setIssuerBlocked } from './issuer-record.ts'
import type { OwnerObject } from './owner.ts'
import { allOwners, PLATFORM_RULES, readPlatformRules } from './platform-rules.ts'
import { forgetClient, ownersRelyingOn, setClientBlocked, within } from './record.ts'

type Job = {
  /** Or, of the kind `issuer`, the issuer. */
  client_id: string
  kind?: 'issuer' | 'rules'
  seq: number
  blocked: boolean
  /** Seconds. */
  at: number
  /** The record knows; only then the owners are listed, so that none is missed (owner-clients.ts). */
  recorded: boolean
  /** The last owner that was listed; null when all were. */
  cursor: string | null
  /** Owners who were listed. */
  found: number
  /** It has deleted itself: there is no way back. `forgotten`: its row is gone, too. */
  ended?: true
  forgotten?: true
}
/** How far a change has come. `done`: all owners have acknowledged it. */
export type ClientStatus = { blocked: boolean; at: number; owners: number; acknowledged: number; done: boolean }

const SCHEMA = 'CREATE TABLE IF NOT EXISTS waiting (owner TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID'
const PAGE = 200
/** Owners who are told at the same time. */
const ABREAST = 10
/** Milliseconds that whoever asked for the change waits. */
const MOMENT = 3000
/** Seconds until the next try. */
const AGAIN = 5

/** Who has to hear of it. */
const READERS = { client: ownersRelyingOn, issuer: ownersTrusting, rules: allOwners } as const

export class ClientObject extends DurableObject<Env> {
  #running: Promise<void> | undefined

  /** Begins a change, in place of one that is still on its way. Answers how far it has come within a moment. */
  async change(input: { client_id: string; kind?: 'issuer'; blocked: boolean; now: number }): Promise<ClientStatus> {
    if (this.#job()?.ended === true) return this.status() as ClientStatus
    const { now, ...asked } = input
    return this.#begin({ ...asked, at: now, recorded: false })
  }

  /** The platform's rules are about to change: whoever dies before saying that they have is followed by the alarm. */
  async rulesWillChange(input: { now: number }): Promise<void> {
    const job = { client_id: PLATFORM_RULES, kind: 'rules', blocked: false, at: input.now, recorded: false } as const
    this.#put(job)
    await this.ctx.storage.setAlarm((input.now + AGAIN) * 1000)
  }

  /** The platform's rules have changed, which the record knows already. */
  rulesChanged(input: { now: number }): Promise<ClientStatus> {
    return this.#begin({ client_id: PLATFORM_RULES, kind: 'rules', blocked: false, at: input.now, recorded: true })
  }

  /** The client has deleted itself, which the record knows already: its tokens end with every owner, and then its row goes. */
  end(input: { client_id: string; now: number }): Promise<ClientStatus> {
    return this.#begin({ client_id: input.client_id, blocked: true, at: input.now, recorded: true, ended: true })
  }

  async #begin(wanted: Omit<Job, 'seq' | 'cursor' | 'found'>): Promise<ClientStatus> {
    const now = wanted.at
    this.#put(wanted)
    await this.ctx.storage.setAlarm((now + AGAIN) * 1000)
    // Many owners take their time; the run goes on, and so does the alarm.
    await Promise.race([this.#run(), scheduler.wait(MOMENT)])
    return this.status() as ClientStatus
  }

  #put(wanted: Omit<Job, 'seq' | 'cursor' | 'found'>): void {
    this.ctx.storage.kv.put<Job>('job', { ...wanted, seq: (this.#job()?.seq ?? 0) + 1, cursor: '', found: 0 })
    this.ctx.storage.sql.exec(SCHEMA)
    this.ctx.storage.sql.exec('DELETE FROM waiting')
  }

  /** Undefined if nothing of the kind happened to this client. */
  status(): ClientStatus | undefined {
    const job = this.#job()
    if (job === undefined) return undefined
    const left = this.#left()
    const done = job.recorded && job.cursor === null && left === 0 && job.ended === job.forgotten
    return { blocked: job.blocked, at: job.at, owners: job.found, acknowledged: job.found - left, done }
  }

  override async alarm(): Promise<void> {
    await this.#run()
    if (this.status()?.done === false) await this.ctx.storage.setAlarm(Date.now() + AGAIN * 1000)
  }

  /** One at a time; a change that comes meanwhile has its own run after it. */
  #run(): Promise<void> {
    const run = (this.#running ?? Promise.resolve()).then(() => this.#advance())
    this.#running = run
    return run
  }

  /** As far as it goes. Whatever does not answer is left for the alarm. */
  async #advance(): Promise<void> {
    const seq = this.#job()?.seq
    try {
      for (let job = this.#job(); job !== undefined && job.seq === seq && !(job.cursor === null && this.#left() === 0); job = this.#job()) {
        if (!job.recorded) await this.#recordIt(job)
        else if (this.#left() === 0) await this.#listMore(job)
        else if (!(await this.#tellWaiting(job))) return
      }
      const last = this.#job()
      if (last?.ended !== true || last.seq !== seq) return
      await within(forgetClient(this.env.DB, last.client_id))
      this.#write(last, { forgotten: true })
    } catch {
      // D1 does not answer: the alarm goes on.
    }
  }

  async #recordIt(job: Job): Promise<void> {
    const write = job.kind === 'issuer' ? setIssuerBlocked : setClientBlocked
    // Rules are written by whoever changes them.
    if (job.kind !== 'rules') await within(write(this.env.DB, job.client_id, job.blocked, job.at))
    this.#write(job, { recorded: true })
  }

  async #listMore(job: Job): Promise<void> {
    const read = READERS[job.kind ?? 'client']
    const owners = await within(read(this.env.DB, job.client_id, job.cursor ?? '', PAGE))
    if (this.#job()?.seq !== job.seq) return
    for (const owner of owners) this.ctx.storage.sql.exec('INSERT OR IGNORE INTO waiting (owner) VALUES (?)', owner)
    this.#write(job, { found: job.found + owners.length, cursor: owners.length < PAGE ? null : (owners.at(-1) ?? null) })
  }

  /** Everybody who waits, once. False if somebody did not answer, or if the change is not the last one any more. */
  async #tellWaiting(job: Job): Promise<boolean> {
    const sql = this.ctx.storage.sql
    for (let after = '', all = true; ; ) {
      const owners = sql
        .exec<{ owner: string }>('SELECT owner FROM waiting WHERE owner > ? ORDER BY owner LIMIT ?', after, ABREAST)
        .toArray()
      if (owners.length === 0) return all
      const told = await Promise.all(owners.map(({ owner }) => this.#tell(owner, job)))
      if (this.#job()?.seq !== job.seq) return false
      all &&= told.every(Boolean)
      after = owners.at(-1)?.owner ?? after
    }
  }

  async #tell(owner: string, { client_id, kind, seq, blocked, at, ended }: Job): Promise<boolean> {
    const object = this.env.OWNER.get(this.env.OWNER.idFromName(owner))
    try {
      if (kind === 'rules') await this.#tellRules(object, seq)
      else if (kind === 'issuer') await within(object.issuerChanged({ issuer: client_id, seq, blocked }))
      else if (ended === true) await within(Promise.resolve(object.clientEnded({ client_id, now: at })))
      else await within(object.clientChanged({ client_id, seq, blocked }))
    } catch {
      return false // told again by the alarm
    }
    if (this.#job()?.seq === seq) this.ctx.storage.sql.exec('DELETE FROM waiting WHERE owner = ?', owner)
    return true
  }

  /** As they are now in the record: a rule that is changed meanwhile is told by the run after this one, too. */
  async #tellRules(object: DurableObjectStub<OwnerObject>, seq: number): Promise<void> {
    const rules = await readPlatformRules(this.env.DB)
    if (rules === undefined) throw new Error('D1 does not answer')
    await within(Promise.resolve(object.platformRules({ seq, rules })))
  }

  #job(): Job | undefined {
    return this.ctx.storage.kv.get<Job>('job')
  }

  /** Unless another change has come meanwhile. */
  #write(job: Job, changes: Partial<Job>): void {
    if (this.#job()?.seq === job.seq) this.ctx.storage.kv.put<Job>('job', { ...job, ...changes })
  }

  #left(): number {
    return this.ctx.storage.sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM waiting').one().n
  }
}
