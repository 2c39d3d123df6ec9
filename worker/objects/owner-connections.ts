// Connections of services and wallets: a code becomes tokens, tokens are refreshed and revoked (RFC 6749 4.1.3, 6; RFC 7009).

import type { OwnerGrants } from './owner-grants.ts'
import type { OwnerNotices } from './owner-notices.ts'
import type { OwnerRecord, Widened } from './owner-record.ts'
import type { TokenRow } from './owner-tables.ts'
import type { NewToken, OwnerTokens, Proof } from './owner-tokens.ts'
import type { ConnectionRow } from './record.ts'

export type Connecting = {
  now: number
  /** The code: its jti is spent here; a second use takes the tokens of the first along (RFC 6749 4.1.2). */
  code: { jti: string; exp: number }
  connection: Omit<ConnectionRow, 'created_at'>
  tokens: NewToken[]
  /** Nothing is connected, but a code that was used before still ends its tokens. */
  expired: boolean
  /** The owner allows the client to get its tokens by itself from now on (RFC 6749 4.4). */
  standing?: boolean
}

export class OwnerConnections {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord
  readonly #tokens: OwnerTokens
  readonly #grants: OwnerGrants
  readonly #notices: OwnerNotices

  constructor(ctx: DurableObjectState, record: OwnerRecord, tokens: OwnerTokens, grants: OwnerGrants, notices: OwnerNotices) {
    this.#sql = ctx.storage.sql
    this.#record = record
    this.#tokens = tokens
    this.#grants = grants
    this.#notices = notices
  }

  /** Exchanges a code for a connection with tokens; the connection of the same client and kind is kept. */
  async connect(input: Connecting): Promise<Widened<{ connection_id: string }> | { kind: 'spent' }> {
    if (this.#tokens.isSpent(input.code.jti)) {
      this.#tokens.dropOrigin(input.code.jti)
      return { kind: 'spent' }
    }
    if (input.expired) return { kind: 'refused', reason: 'expired' }
    const done = await this.#record.widen(() => {
      if (this.#tokens.isSpent(input.code.jti)) return 'spent'
      const row = this.#rowFor(input)
      if (this.#grants.connection(row.id) === undefined && this.#record.isFull('connection')) return 'full_connections'
      const finish = () => {
        this.#tokens.spend(input.code.jti, input.code.exp)
        for (const token of input.tokens) this.#tokens.insert(token, row.id, row.client_id, input.code.jti)
        this.#stand(row.id, input.standing === true)
        this.#notices.note(
          row.kind === 'service' ? 'service_connected' : 'wallet_connected',
          { connection_id: row.id, client_id: row.client_id },
          input.now,
        )
        return { connection_id: row.id }
      }
      return {
        change: { put: [{ table: 'connection', row }] },
        check: () => (this.#record.owner === undefined ? 'no_owner' : undefined),
        finish,
      }
    })
    if (done.kind !== 'refused' || done.reason !== 'spent') return done
    // It was used while this use waited: a second use all the same.
    this.#tokens.dropOrigin(input.code.jti)
    return { kind: 'spent' }
  }

  /** What the owner allowed last counts, nothing that was allowed before. */
  #stand(connectionId: string, isAllowed: boolean): void {
    if (isAllowed) this.#sql.exec('INSERT OR IGNORE INTO standing (connection_id) VALUES (?)', connectionId)
    else this.#sql.exec('DELETE FROM standing WHERE connection_id = ?', connectionId)
  }

  /** The live connection of a service that may get its tokens by itself. */
  #standing(clientId: string): string | undefined {
    return this.#sql
      .exec<{ id: string }>(
        "SELECT c.id FROM connection c JOIN standing s ON s.connection_id = c.id WHERE c.client_id = ? AND c.kind = 'service'",
        clientId,
      )
      .toArray()[0]?.id
  }

  /** Whether the owner lets this client get its tokens by itself. */
  actsByItself(input: { client_id: string }): boolean {
    return this.#standing(input.client_id) !== undefined
  }

  /** Stores a token that such a client asked for; `gone` if it may not (any more), `replayed` if the proof was seen before (RFC 9449 11.1). */
  tokenByItself(input: { client_id: string; token: NewToken; proof?: Proof; now: number }): 'done' | 'gone' | 'replayed' {
    const connection = this.#standing(input.client_id)
    if (connection === undefined || this.#tokens.isBlocked(input.client_id)) return 'gone'
    if (input.proof !== undefined && !this.#tokens.takeProof(input.proof, input.now, true)) return 'replayed'
    this.#tokens.insert(input.token, connection, input.client_id, null)
    this.#notices.wakeLater()
    return 'done'
  }

  #rowFor(input: Connecting): ConnectionRow {
    const known = this.#sql
      .exec<ConnectionRow>('SELECT * FROM connection WHERE client_id = ? AND kind = ?', input.connection.client_id, input.connection.kind)
      .toArray()[0]
    return {
      ...input.connection,
      id: known?.id ?? input.connection.id,
      created_at: known?.created_at ?? input.now,
      wrapped_label_key: input.connection.wrapped_label_key ?? known?.wrapped_label_key ?? null,
    }
  }

  /** A live refresh token of this client; a public client's is good only with the key it was bound to (RFC 9449 5). */
  refreshRow(input: { hash: string; client_id: string; jkt: string | null; now: number }): TokenRow | undefined {
    const row = this.#tokens.find(input.hash, input.now)
    return row?.kind === 'f' && row.client_id === input.client_id && row.jkt === input.jkt ? row : undefined
  }

  /** Stores what the refresh token was traded for; `gone` if it died meanwhile, `replayed` if the proof was seen before (RFC 9449 11.1). */
  refreshed(input: { hash: string; token: NewToken; proof?: Proof; now: number }): 'done' | 'gone' | 'replayed' {
    const row = this.#tokens.find(input.hash, input.now)
    if (row === undefined || this.#grants.connection(row.connection_id) === undefined) return 'gone'
    if (input.proof !== undefined && !this.#tokens.takeProof(input.proof, input.now, true)) return 'replayed'
    this.#tokens.insert(input.token, row.connection_id, row.client_id, row.origin)
    return 'done'
  }

  /**
   * RFC 7009: a client ends one of its own tokens; a refresh token takes the access tokens of its code along. Returns the connection if
   * no token of it is left.
   */
  revoke(input: { hash: string; client_id: string; now: number }): string | undefined {
    const rpt = this.#grants.rpt(input.hash, input.now)
    if (rpt?.client_id === input.client_id) this.#grants.dropRpt(input.hash)
    const token = this.#tokens.find(input.hash, input.now)
    if (token?.client_id !== input.client_id) return undefined
    if (token.kind === 'f' && token.origin !== null) this.#tokens.dropOrigin(token.origin)
    this.#tokens.drop(token.hash)
    return this.#tokens.hasTokens(token.connection_id, input.now) ? undefined : token.connection_id
  }
}
