// One entry of the activity as a sentence, for the dashboard and the popup. Where a name is missing (closed, gone, unknown) the sentence
// says less, never something else.
import type { JSX } from 'preact'
import type { Happening } from '../messages.ts'
import { hostOf } from '../origin.ts'
import type { IconName } from './parts.tsx'
import type { Texts } from './texts.ts'
import { personName, plain, thingName } from './words.ts'

export type Kind = 'opened' | 'refused' | 'mine'

/** Which filter an entry belongs to. */
export const kindOf = ({ event }: Happening): Kind => {
  if (event === 'access_granted' || event === 'access_used' || event === 'glass_broken') return 'opened'
  return event === 'access_denied' || event === 'ticket_replayed' || event === 'proof_refused' ? 'refused' : 'mine'
}

const ICONS: Record<Happening['event'], { icon: IconName; tone: '' | ' node-done' | ' node-stop' }> = {
  signed_in: { icon: 'user', tone: '' },
  service_connected: { icon: 'plug', tone: '' },
  wallet_connected: { icon: 'key', tone: '' },
  disconnected: { icon: 'x', tone: '' },
  resource_registered: { icon: 'file', tone: '' },
  resource_deleted: { icon: 'x', tone: '' },
  share_created: { icon: 'share', tone: ' node-done' },
  share_stopped: { icon: 'x', tone: '' },
  access_granted: { icon: 'check', tone: '' },
  glass_broken: { icon: 'alert', tone: ' node-stop' },
  access_denied: { icon: 'block', tone: ' node-stop' },
  access_used: { icon: 'eye', tone: '' },
  ticket_replayed: { icon: 'alert', tone: ' node-stop' },
  proof_refused: { icon: 'alert', tone: ' node-stop' },
  proof_forgotten: { icon: 'x', tone: '' },
  request_received: { icon: 'inbox', tone: '' },
  request_answered: { icon: 'check', tone: '' },
  request_withdrawn: { icon: 'x', tone: '' },
  account_deleted: { icon: 'x', tone: '' },
  rule_saved: { icon: 'check', tone: '' },
  rule_dropped: { icon: 'x', tone: '' },
  rule_restored: { icon: 'check', tone: '' },
  rules_imported: { icon: 'check', tone: '' },
  group_saved: { icon: 'check', tone: '' },
  group_dropped: { icon: 'x', tone: '' },
  group_restored: { icon: 'check', tone: '' },
  type_saved: { icon: 'check', tone: '' },
  type_dropped: { icon: 'x', tone: '' },
  type_restored: { icon: 'check', tone: '' },
  person_blocked: { icon: 'block', tone: '' },
  organisation_joined: { icon: 'check', tone: '' },
  organisation_left: { icon: 'x', tone: '' },
  upper_rules_changed: { icon: 'alert', tone: '' },
  issuer_trusted: { icon: 'check', tone: '' },
  issuer_distrusted: { icon: 'x', tone: '' },
}

export const happeningIcon = ({ event }: Happening): { icon: IconName; tone: string } => ICONS[event]

const namesOf = (entry: Happening, texts: Texts) => ({
  person: personName(entry.person, texts),
  thing: thingName(entry.resource_id === undefined ? undefined : { name: entry.thing }, texts),
  service: plain(entry.claim_issuer ?? entry.service ?? entry.client_name ?? texts.t('a_service')),
})

/** The sentence, names in bold. */
export const happeningText = (entry: Happening, texts: Texts): (string | JSX.Element)[] =>
  texts.rich(
    `ev_${entry.event}`,
    Object.fromEntries(Object.entries(namesOf(entry, texts)).map(([name, text]) => [name, <strong key={name}>{text}</strong>])),
  )

/** The same without bold, for a screen reader's announcement. */
export const happeningWords = (entry: Happening, texts: Texts): string => texts.t(`ev_${entry.event}`, namesOf(entry, texts))

const PROOFS: ReadonlyMap<string, 'by_code' | 'by_wallet' | 'by_issuer'> = new Map([
  ['email-code', 'by_code'],
  ['dc+sd-jwt', 'by_wallet'],
  ['id-token', 'by_issuer'],
  ['jwt', 'by_issuer'],
] as const)

/** How many things an entry is about beside the one that its sentence names. */
const otherThings = ({ resource_id, cells = [], more_cells = 0 }: Happening): number =>
  new Set(cells.map((cell) => cell.resource_id).filter((id) => id !== resource_id)).size + more_cells

/** What else was given or refused, by which proof, with which app, at which service. */
export const happeningMeta = (entry: Happening, { t, counted }: Texts): string => {
  const { method, client_name, service, event, person, issuer } = entry
  const isVisit = event.startsWith('access_') || event === 'glass_broken'
  const others = isVisit ? otherThings(entry) : 0
  const proof = PROOFS.get(method ?? '')
  const isAtServer = event === 'signed_in' || event === 'wallet_connected'
  const parts = [
    others === 0 ? undefined : counted('more_things', others),
    isAtServer ? t('proof_at', { host: hostOf(issuer) }) : undefined,
    isVisit && person?.email !== undefined && person.name !== undefined ? plain(person.email) : undefined,
    proof === undefined ? undefined : t(proof),
    isVisit && client_name !== undefined && client_name !== service ? t('with_app', { app: plain(client_name) }) : undefined,
    (isVisit || event.startsWith('share_')) && service !== undefined ? t('at_service', { service: plain(service) }) : undefined,
  ]
  return parts.filter((part) => part !== undefined).join(' · ')
}
