// One owner of files: the connection to the authorization server that decides for them, signed-in browsers, files, uploads, visits.
// The only place that holds the owner's PAT. Every guest's request is put to the owner's server from here, nothing is remembered of it.
import { DurableObject } from 'cloudflare:workers'
import * as v from 'valibot'
import type { OwnerConnection } from '../../../shared/owner-connection.ts'
import type { Pat } from '../../../shared/protection-api.ts'
import type { FileScope, Overview, StoredFile, UploadView, Visit, VisitKind } from '../domain.ts'
import { UNDO_SECONDS } from '../domain.ts'
import { type Env, nowOf } from '../env.ts'
import { type Keyring, keyringOf, openJson, sealJson } from '../keyring.ts'
import { newRecoveryCode, recoveryPlaceOf } from '../names.ts'
import { openOwner, readConnection } from './account-connection.ts'
import { type AccountContext, type Connection, storedOf } from './account-context.ts'
import { admitGuest, type FileAdmission, type FileRequest, type GuestTicket, ticketForGuest } from './account-guests.ts'
import * as tables from './account-tables.ts'
import { upkeep } from './account-upkeep.ts'
import * as uploads from './account-uploads.ts'
import { overviewOf } from './account-view.ts'

const RECOVERY_CODES = 6

export type SignIn = { connection: Connection; pat: Pat; sessionHash: string; sessionExpires: number }

export class AccountObject extends DurableObject<Env> {
  readonly #sql: SqlStorage
  /** While it is here, two requests do not register a file twice. */
  #owner: Promise<OwnerConnection | undefined> | undefined
  #working: Promise<void> | undefined

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#sql = ctx.storage.sql
    tables.addColumns(this.#sql)
  }

  // ── Signing in ──

  /**
   * Begins a session. `moved`: this person's files live in another account, sign in there.
   * `first`: the account is new; recovery codes wait to be shown.
   */
  async signIn(name: string, input: SignIn): Promise<{ kind: 'moved'; account: string } | { kind: 'signed_in'; first: boolean }> {
    const keyring = await keyringOf(this.env)
    this.#sql.exec(tables.TABLES)
    const alias = tables.readSetting(this.#sql, 'alias')
    const target = alias === undefined ? undefined : await openJson(keyring, 'alias', alias)
    if (typeof target === 'string') return { kind: 'moved', account: target }
    const isFirst = tables.readSetting(this.#sql, 'connection') === undefined
    await this.#connect(name, input)
    if (isFirst) await this.#makeCodes(name)
    tables.addSession(this.#sql, input.sessionHash, input.sessionExpires, nowOf())
    return { kind: 'signed_in', first: isFirst }
  }

  /** An account under another name than its (iss, sub): the owner moved to another server. False when there is an account already. */
  async becomeAlias(account: string): Promise<boolean> {
    const sealed = await sealJson(await keyringOf(this.env), 'alias', account)
    this.#sql.exec(tables.TABLES)
    if (tables.readSetting(this.#sql, 'connection') !== undefined) return false
    tables.writeSetting(this.#sql, 'alias', sealed)
    return true
  }

  /** Replaces the connection of a signed-in owner; at another server everything is registered anew. */
  async move(name: string, input: Pick<SignIn, 'connection' | 'pat'>): Promise<void> {
    const before = await readConnection(this.#sql, await keyringOf(this.env))
    await this.#connect(name, input)
    if (before?.issuer !== input.connection.issuer || before.subject !== input.connection.subject) tables.unregisterAll(this.#sql, nowOf())
    await this.#workLater()
  }

  async #connect(name: string, input: Pick<SignIn, 'connection' | 'pat'>): Promise<void> {
    const keyring = await keyringOf(this.env)
    const [connection, pat] = await Promise.all([sealJson(keyring, 'connection', input.connection), sealJson(keyring, 'pat', input.pat)])
    tables.writeSetting(this.#sql, 'name', name)
    tables.writeSetting(this.#sql, 'connection', connection)
    tables.writeSetting(this.#sql, 'pat', pat)
    this.#owner = undefined
    tables.writeSetting(this.#sql, 'reconcile', '1')
    tables.retryAll(this.#sql, nowOf())
    await this.#workLater()
  }

  async #makeCodes(name: string): Promise<void> {
    const keyring = await keyringOf(this.env)
    const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode)
    for (const code of codes) {
      const { hash, shard } = await recoveryPlaceOf(this.env, keyring, code.replaceAll('-', ''))
      await shard.keep(hash, await sealJson(keyring, 'recovery', name))
    }
    tables.writeSetting(this.#sql, 'codes', await sealJson(keyring, 'codes', codes))
  }

  /** Recovery codes that the owner has not confirmed to have kept; shown until then and never again. */
  async unseenCodes(): Promise<string[]> {
    const sealed = this.#isEmpty() ? undefined : tables.readSetting(this.#sql, 'codes')
    const opened = sealed === undefined ? undefined : await openJson(await keyringOf(this.env), 'codes', sealed)
    return v.is(v.array(v.string()), opened) ? opened : []
  }

  codesKept(): void {
    if (!this.#isEmpty()) tables.writeSetting(this.#sql, 'codes', undefined)
  }

  /** A session without the server: somebody had a recovery code. */
  openSession(hash: string, expires: number): void {
    if (!this.#isEmpty()) tables.addSession(this.#sql, hash, expires, nowOf())
  }

  hasSession(hash: string): boolean {
    return !this.#isEmpty() && tables.hasSession(this.#sql, hash, nowOf())
  }

  endSession(hash: string): void {
    if (!this.#isEmpty()) tables.dropSession(this.#sql, hash)
  }

  // ── The owner's view ──

  async overview(): Promise<Overview> {
    return overviewOf(await this.#context())
  }

  /** Whether the owner's server may know what files are called (UMA FedAuthz 8); it is told at once, of all of them. */
  async hideNames(hide: boolean): Promise<void> {
    tables.writeSetting(this.#sql, 'names', hide ? 'hidden' : undefined)
    tables.describeAgain(this.#sql, nowOf())
    await this.#work()
  }

  visits(id: string): Visit[] {
    return tables.listVisits(this.#sql, id, 30).map((row) => ({ at: row.at, kind: row.kind as VisitKind }))
  }

  /** The owner's own look at a file: no server is asked, it is the owner's. */
  async ownFile(id: string): Promise<StoredFile | undefined> {
    const row = tables.readFile(this.#sql, id)
    return row?.state === 'stored' ? storedOf(await keyringOf(this.env), row) : undefined
  }

  /** Gone for everybody at once; forgotten after the time in which it can be undone. False when there is no such file. */
  async deleteFile(id: string): Promise<boolean> {
    if (tables.readFile(this.#sql, id)?.state !== 'stored') return false
    tables.setState(this.#sql, id, 'deleting', nowOf() + UNDO_SECONDS)
    await this.#workLater()
    return true
  }

  /** Takes a deletion back, while it can be. */
  async undoDelete(id: string): Promise<boolean> {
    const row = tables.readFile(this.#sql, id)
    if (row?.state !== 'deleting' || row.due === null || row.due <= nowOf()) return false
    tables.setState(this.#sql, id, 'stored', row.resource_id === null ? nowOf() : null)
    await this.#workLater()
    return true
  }

  // ── Uploads ──

  async beginUpload(upload: uploads.NewUpload): Promise<UploadView> {
    const view = await uploads.beginUpload(await this.#context(), upload)
    await this.#workLater()
    return view
  }

  async partTarget(id: string, number: number): Promise<uploads.PartTarget | undefined> {
    return uploads.partTarget(await this.#context(), id, number)
  }

  async partStored(id: string, part: { number: number; etag: string; size: number }): Promise<void> {
    uploads.partStored(await this.#context(), id, part)
  }

  async completeUpload(id: string): Promise<'done' | 'missing' | 'gone'> {
    const outcome = await uploads.completeUpload(await this.#context(), id)
    // Registered before the answer when the server is there: the next thing an owner does is to share.
    if (outcome === 'done') await this.#work()
    return outcome
  }

  async abortUpload(id: string): Promise<void> {
    await uploads.abortUpload(await this.#context(), id)
  }

  // ── Guests ──

  /** Puts one request of a guest to the owner's server. UMA Grant 3.2, 3.5; introspection is never cached. */
  async admit(file: string, scopes: FileScope[], presented: FileRequest): Promise<FileAdmission> {
    return this.#isEmpty() ? { kind: 'gone' } : admitGuest(await this.#context(), file, scopes, presented)
  }

  /** A fresh ticket for the vault's own guest client (UMA FedAuthz 4). */
  async guestTicket(file: string, scopes: FileScope[]): Promise<GuestTicket> {
    return this.#isEmpty() ? { kind: 'gone' } : ticketForGuest(await this.#context(), file, scopes)
  }

  /** Issuer of the authorization server that decides here; empty when nobody does. */
  async server(): Promise<string> {
    return this.#isEmpty() ? '' : ((await readConnection(this.#sql, await keyringOf(this.env)))?.issuer ?? '')
  }

  recordVisit(file: string, kind: VisitKind): void {
    if (!this.#isEmpty() && tables.readFile(this.#sql, file) !== undefined) tables.addVisit(this.#sql, file, nowOf(), kind)
  }

  // ── Inside ──

  /** A stranger's guess at a name must leave nothing behind, so tables come with the first sign-in. */
  #isEmpty(): boolean {
    return this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'setting'").toArray().length === 0
  }

  #server(keyring: Keyring): Promise<OwnerConnection | undefined> {
    this.#owner ??= openOwner(this.env, this.#sql, keyring).catch((error) => {
      this.#owner = undefined
      throw error
    })
    return this.#owner
  }

  async #context(): Promise<AccountContext> {
    const name = tables.readSetting(this.#sql, 'name') ?? ''
    const keyring = await keyringOf(this.env)
    return { env: this.env, sql: this.#sql, keyring, name, owner: () => this.#server(keyring) }
  }

  /** One upkeep at a time; two would register a file twice. */
  #work(): Promise<void> {
    this.#working ??= (async () => {
      const next = await upkeep(await this.#context())
      if (next !== undefined) await this.ctx.storage.setAlarm(Math.max(next, nowOf() + 1) * 1000)
    })().finally(() => {
      this.#working = undefined
    })
    return this.#working
  }

  async #workLater(): Promise<void> {
    const next = Math.min(tables.nextDue(this.#sql) ?? Number.POSITIVE_INFINITY, nowOf() + 86_400)
    const isUrgent = tables.readSetting(this.#sql, 'reconcile') !== undefined
    await this.ctx.storage.setAlarm(isUrgent ? Date.now() : next * 1000)
  }

  override async alarm(): Promise<void> {
    if (!this.#isEmpty()) await this.#work()
  }
}
