// Issuers whose word this owner takes (DESIGN 3, "One writer", "Shared facts reach the owners"): her own registrations are rows of the record;
// that she relies on an issuer is in the record before the first answer that rests on it, so that an operator's block finds its way here.
// What rests on an issuer that no longer counts is as if it had not been shown; nothing is deleted.
import { issuerRelianceStatements } from './issuer-record.ts'
import type { OwnerRecord, Widened } from './owner-record.ts'
import type { GrantEvidence } from './owner-tables.ts'
import { type ClaimIssuerRow, dbFor, within } from './record.ts'

/** A change of an issuer on its way to the owners; a later one has a higher `seq`. */
export type IssuerChange = { issuer: string; seq: number; blocked: boolean }
type Vouched = Pick<GrantEvidence, 'claim' | 'iss' | 'trust'>

export class OwnerIssuers {
  readonly #sql: SqlStorage
  readonly #env: Env
  readonly #record: OwnerRecord
  readonly #blocked: Set<string>
  readonly #recorded: Set<string>
  /** As of one revision. */
  #rows: ClaimIssuerRow[] = []
  #asOf = -1

  constructor(ctx: DurableObjectState, env: Env, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#env = env
    this.#record = record
    const changes = this.#sql.exec<{ issuer: string }>('SELECT issuer FROM issuer_change WHERE blocked = 1').toArray()
    this.#blocked = new Set(changes.map((row) => row.issuer))
    const reliance = this.#sql.exec<{ issuer: string }>('SELECT issuer FROM issuer_reliance').toArray()
    this.#recorded = new Set(reliance.map((row) => row.issuer))
  }

  /** The owner's own, oldest first. */
  list(): readonly ClaimIssuerRow[] {
    // Invariant: every change of a row goes through the record and raises its revision.
    if (this.#asOf !== this.#record.revision) {
      this.#rows = this.#sql.exec<ClaimIssuerRow>('SELECT * FROM claim_issuer ORDER BY created_at, id').toArray()
      this.#asOf = this.#record.revision
    }
    return this.#rows
  }

  #rowOf(issuer: string): ClaimIssuerRow | undefined {
    return this.list().find((one) => one.issuer === issuer)
  }

  /** What is known here of an issuer. `blocked`: by the operator for everybody, or by the owner for herself. */
  about(issuer: string): { blocked: boolean; row?: ClaimIssuerRow } {
    const row = this.#rowOf(issuer)
    const blocked = this.#blocked.has(issuer) || (row !== undefined && isRefusal(row))
    return { blocked, ...(row === undefined || blocked ? {} : { row }) }
  }

  /** Whether whoever vouches for this counts now. Asked at every use of a token: memory only. */
  trusts({ claim, iss, trust }: Vouched): boolean {
    if (trust === undefined) return true
    if (iss === undefined || this.#blocked.has(iss)) return false
    const row = this.#rowOf(iss)
    // CLAIMS 9: what the owner says of an issuer herself goes before what the operator says, also for what was shown before.
    if (trust === 'operator') return row === undefined
    return row?.id === trust && (JSON.parse(row.claims) as string[]).includes(claim)
  }

  /** Whether it is in the record for sure that the owner relies on all who vouch here. */
  areRecorded(evidence: readonly Vouched[]): boolean {
    return this.#unrecorded(evidence).length === 0
  }

  #unrecorded(evidence: readonly Vouched[]): string[] {
    const named = evidence.filter((one) => one.trust !== undefined && this.trusts(one)).map((one) => one.iss ?? '')
    return [...new Set(named)].filter((issuer) => !this.#recorded.has(issuer))
  }

  /**
   * Writes into the record that the owner relies on those who vouch here, then looks whether one is blocked: whoever blocks it writes first
   * and reads who relies on it afterwards, so that one of the two sees the other. False if the record does not answer.
   */
  async record(evidence: readonly Vouched[]): Promise<boolean> {
    const owner = this.#record.owner
    if (owner === undefined) return false
    for (const issuer of this.#unrecorded(evidence)) {
      try {
        const db = dbFor(this.#env, owner)
        const [, found] = await within(db.batch<{ disabled_at: number | null }>(issuerRelianceStatements(db, owner, issuer)))
        // The change itself may have been sent to everybody already; a later one has a higher number.
        if (typeof found?.results[0]?.disabled_at === 'number') this.change({ issuer, seq: 0, blocked: true })
      } catch {
        return false
      }
      this.#sql.exec('INSERT OR IGNORE INTO issuer_reliance (issuer) VALUES (?)', issuer)
      this.#recorded.add(issuer)
    }
    return true
  }

  /** Takes a change in; false if a later one was here already. Counts when this turn ends. */
  change({ issuer, seq, blocked }: IssuerChange): boolean {
    const known = this.#sql.exec<{ seq: number }>('SELECT seq FROM issuer_change WHERE issuer = ?', issuer).toArray()[0]
    if (known !== undefined && known.seq >= seq) return false
    this.#sql.exec('INSERT OR REPLACE INTO issuer_change (issuer, seq, blocked) VALUES (?, ?, ?)', issuer, seq, blocked ? 1 : 0)
    if (blocked) this.#blocked.add(issuer)
    else this.#blocked.delete(issuer)
    return true
  }

  /** Registers an issuer; refused with `known_issuer` if the owner has it already. */
  add(row: ClaimIssuerRow, finish: () => void): Promise<Widened<ClaimIssuerRow>> {
    return this.#record.widen(() => {
      const refused = this.#refusesToAdd(row)
      if (refused !== undefined) return refused
      return {
        change: { put: [{ table: 'claim_issuer', row }] },
        check: () => (this.#record.owner === undefined ? 'no_owner' : undefined),
        finish: () => {
          finish()
          return row
        },
      }
    })
  }

  #refusesToAdd({ issuer }: Pick<ClaimIssuerRow, 'issuer'>): 'known_issuer' | 'full_issuers' | undefined {
    if (this.#rowOf(issuer) !== undefined) return 'known_issuer'
    return this.#record.isFull('claim_issuer') ? 'full_issuers' : undefined
  }

  /** The owner does not take the word of this issuer, whatever the operator says: in force when the caller's turn ends. */
  refuse({ id, issuer, created_at }: Pick<ClaimIssuerRow, 'id' | 'issuer' | 'created_at'>): ClaimIssuerRow | string {
    const refused = this.#refusesToAdd({ issuer })
    if (refused !== undefined) return refused
    const nothing = { jwks_uri: null, jwks: null, formats: '[]', claims: '[]', email_domains: null, audiences: '{}' }
    const row = { id, issuer, ...nothing, created_at }
    this.#record.narrow({ put: [{ table: 'claim_issuer', row }] })
    return row
  }

  /**
   * Takes a row out. Of an issuer that counted: nothing rests on its word any more when the caller's turn ends, also while D1 is away. Of a
   * refusal: the operator's word on it counts again, which D1 has to know first. `refused` if there is none with this id.
   */
  async drop(id: string, finish: (row: ClaimIssuerRow) => void): Promise<Widened<undefined>> {
    const row = this.list().find((one) => one.id === id)
    if (row === undefined) return { kind: 'refused', reason: 'not_found' }
    if (!isRefusal(row)) {
      this.#record.narrow({ drop: [{ table: 'claim_issuer', id }] })
      finish(row)
      return { kind: 'done', value: undefined }
    }
    const change = { drop: [{ table: 'claim_issuer' as const, id }] }
    const done = () => {
      finish(row)
      return undefined
    }
    return this.#record.widen(() => ({ change, check: () => undefined, finish: done }))
  }
}

/** A registration names at least one format. */
export const isRefusal = (row: Pick<ClaimIssuerRow, 'formats'>): boolean => row.formats === '[]'
