// The shares that people choose from (POLICY 2, "UX template"), as `when` of a rule in the owner API with what has to be filled in as `{name}`:
// who, and within which limits. Flat lists only; whatever needs `any`, `seq`, `if` or `not` is written by hand. Pure.

/** A condition of the owner API (shared/protocol/owner-policy.ts) in which any value may be a `{name}`. */
type Blank = Readonly<Record<string, unknown>>
/** `needs`: names of what has to be filled in, in order. A name takes the place of the whole value, also of a number. */
export type Template = { name: string; needs: readonly string[]; when: { all: readonly Blank[] } }

const PERSON = { claim: 'email', eq: '{email}' }

/** Who; one of these comes first in every share. */
const WHO: Readonly<Record<string, Blank>> = {
  person: PERSON,
  /** Everybody with an address of exactly this domain. */
  domain: { claim: 'email', domain: '{domain}' },
  group: { claim: 'email', group: '{group}' },
  /** Whoever has the link: its secret. */
  link: { link: '{link}' },
  /** UMA Grant 5.6: everybody must be said in so many words. */
  anyone: { anyone: true },
}

/** Limits of a share; what the requesting party can show comes first, the owner's answer last. */
const LIMITS: Readonly<Record<string, readonly Blank[]>> = {
  /** A stronger sign-in, not older than so many seconds. */
  'step-up': [{ claim: 'acr', gte: '{level}', max_age: '{max_age}' }],
  'for-a-purpose': [{ purpose: ['{purpose}'] }],
  /** With one app, by its id. */
  'with-an-app': [{ client: ['{client}'] }],
  /** With apps that sign with a key of their installation. */
  'with-proven-apps': [{ client_trust: ['instance_key'] }],
  /** From an instant on, before another one; seconds since 1970. */
  'for-a-time': [{ after: '{from}' }, { before: '{until}' }],
  'some-times': [{ uses: { max: '{max}', per: 'rqp' } }],
  'ask-me-first': [{ ask: true }],
}

/** Everything that is offered: each kind of people without limits, and one person with each limit. */
export const TEMPLATES: readonly Template[] = [
  ...Object.entries(WHO).map(([name, who]) => template(name, [who])),
  ...Object.entries(LIMITS).map(([name, limits]) => template(name, [PERSON, ...limits])),
]

function template(name: string, all: readonly Blank[]): Template {
  const needs = [...JSON.stringify(all).matchAll(/"\{(\w+)\}"/g)].flatMap(([, need]) => need ?? [])
  return { name, needs: [...new Set(needs)], when: { all } }
}
