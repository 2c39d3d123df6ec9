// What the endpoints about rules have in common: reading and compiling a document, who is meant by a question, what a refusal says.
import type { PolicyDocument, Rule } from '../../shared/protocol/owner-policy.ts'
import { canonicalAddress } from '../claims/address.ts'
import { supposedEvidence } from '../claims/supposed.ts'
import { unavailable } from '../http/bearer.ts'
import { type AppContext, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { FULL, isFull, quotaExceeded } from '../http/quota.ts'
import { shownFacts } from '../objects/owner-facts.ts'
import type { LedgerEntry } from '../objects/owner-ledger.ts'
import { factFor } from '../objects/owner-questions.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Policy } from '../policy/policy.ts'
import { readSafely } from '../policy/read-safely.ts'
import type { Fact } from '../policy/world.ts'
import { type Compiled, compileRule, peopleIn, RuleRefused } from './rule-document.ts'
import { ruleSentence } from './rule-sentence.ts'
import { ruleView } from './rule-view.ts'

export const NO_STORE = { 'Cache-Control': 'no-store' }

export const invalid = (description: string) => new OAuthError('invalid_request', description)

/** Ids of rules, groups, people and things. */
export function idOf(text: string | undefined, what: string): string {
  if (text === undefined || !/^[\w.:/-]{1,256}$/.test(text)) throw new OAuthError('not_found', `no such ${what}`, { status: 404 })
  return text
}

/** Compiles a document for this owner under an id. OAuthError `invalid_request` with what to change. */
export async function compiled(c: AppContext, owner: string, document: PolicyDocument, id: string): Promise<Compiled> {
  const object = ownerObject(c.env, owner)
  const [labelPublic, macs] = await Promise.all([object.labelPublic(), object.macsOf(peopleIn(document))])
  try {
    return await compileRule({ keyring: c.var.deps.keyring, owner, labelPublic, macOfPerson: (person) => macs[person] }, document, id)
  } catch (error) {
    if (error instanceof RuleRefused) throw invalid(error.message)
    throw error
  }
}

/** A rule as it is decided by. An address that is shut out is no rule: it is looked up by itself. */
export const enforced = ({ kind, policy }: Pick<LedgerEntry, 'kind' | 'policy'>): Policy =>
  kind === 'block' ? policy : readSafely(policy, isMultiClaim)

/** Entries of the ledger as the owner API shows them, sentences in the language of the request. */
export const shownRules = (c: AppContext, entries: readonly LedgerEntry[], people: Readonly<Record<string, string>>): Rule[] =>
  entries.map((entry) =>
    ruleView(
      entry,
      (mac) => people[mac],
      () =>
        ruleSentence(
          { ...enforced(entry), along: entry.along },
          { lang: c.var.lang, now: seconds(c.var.deps), timeZone: entry.time_zone },
          people,
        ),
    ),
  )

type Somebody = { person: string } | { email: string }

/**
 * What somebody would show: the address, as if this server had checked it now. Of a known person only the address counts (its hash is all
 * that is kept), of a typed one its domain too. Undefined for a person that is not known.
 */
export async function factsOfSomebody(c: AppContext, owner: string, who: Somebody | undefined): Promise<Fact[] | undefined> {
  const { issuer, keyring } = c.var.deps
  const now = seconds(c.var.deps)
  if (who === undefined) return []
  const { macs, organisations } = await ownerObject(c.env, owner).knownAs('person' in who ? [who.person] : [])
  if ('person' in who) {
    const mac = macs[who.person]
    return mac === undefined ? undefined : [factFor(mac, { issuer, now })]
  }
  if (canonicalAddress(who.email) === undefined) throw invalid('"email" is no e-mail address')
  return shownFacts(await supposedEvidence(keyring, [{ claim: 'email', said: who.email, iss: issuer }], { owner, organisations, now }))
}

const REASONS: Readonly<Record<string, { status: 400 | 404 | 409 | 412; text: string }>> = {
  refused_some: { status: 409, text: 'not all of it can come; ask what would happen, or say that you want the rest' },
  other_kind: { status: 409, text: 'what stands here under its number is of another kind' },
  no_share: { status: 400, text: 'it lacks what a share is made of' },
  no_block: { status: 400, text: 'it does not shut an address out' },
  no_scope: { status: 400, text: 'the thing does not offer what it speaks of (any more)' },
  once: { status: 409, text: 'what was allowed once is not allowed again' },
  twice: { status: 400, text: 'it is in the file twice' },
  conflict: { status: 412, text: 'it was changed since; read it again and decide anew' },
  no_rule: { status: 404, text: 'no such rule' },
  no_past: { status: 404, text: 'there is nothing to go back to' },
  no_resource: { status: 400, text: 'a thing that it speaks of is not there' },
  no_group: { status: 400, text: 'a group that it speaks of is not there' },
  no_person: { status: 400, text: 'no such person' },
  no_tier: { status: 400, text: 'rules of this tier are not made here' },
  upper: { status: 409, text: 'this is a rule of the organisation or of the server; it is changed there' },
  no_code: { status: 400, text: 'this code is not good (any more); ask the organisation for another' },
  itself: { status: 400, text: 'this is your own organisation' },
  in_use: { status: 409, text: 'a rule speaks of it; change that first' },
  taken_away: { status: 409, text: 'it was taken away meanwhile' },
}

/** What a reason means, for people. */
export const reasonText = (reason: string): string => (isFull(reason) ? FULL[reason] : (REASONS[reason]?.text ?? 'this cannot be done'))

/** The error for what the owner's object did not do. */
export function refusal(done: { kind: 'refused'; reason: string } | { kind: 'unavailable' }): OAuthError {
  if (done.kind === 'unavailable') return unavailable()
  if (isFull(done.reason)) return quotaExceeded(done.reason)
  const { status, text } = REASONS[done.reason] ?? { status: 400 as const, text: 'this cannot be done' }
  return new OAuthError(status === 404 ? 'not_found' : 'invalid_request', text, { status })
}

/** 429 with Retry-After (RFC 6585 4). */
export const tooFast = (wait: number): OAuthError =>
  new OAuthError('temporarily_unavailable', `too many questions at once; wait ${wait} seconds`, {
    status: 429,
    headers: { 'Retry-After': String(wait) },
  })
