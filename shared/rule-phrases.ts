// Phrases of conditions in each language, for rule-words.ts. Every atom has one for "it is so" and one for "it is not so", each a clause with
// a subject of its own, so that they can be joined, negated and nested without changing. Data and tiny functions; here English.
/** The clause for what is so, and the one for what is not. */
type Both = readonly [string, string]
type Test = 'eq' | 'in' | 'domain' | 'group' | 'gte' | 'covers'

export type RulePhrases = {
  locale: string
  /** Claims by their names in the language; any other is told by its own name. */
  claims: Readonly<Record<string, string>>
  /** What is tested (`{claim}`) and against what (`{value}`). */
  tests: Readonly<Record<Test, Both>>
  vouched: (issuers: string) => string
  fresh: (age: string) => string
  anyone: Both
  link: Both
  purpose: Both
  purposes: Both
  from: string
  until: string
  client: Both
  clients: Both
  trust: Both
  trusts: Readonly<Record<string, string>>
  uses: Readonly<Record<'rqp' | 'rule', (max: number) => Both>>
  ask: Both
  emergency: Both
  context: Both
  contexts: Both
  yes: string
  no: string
  /** Whoever is meant where nobody is named. */
  who: Readonly<Record<'everybody' | 'domain' | 'group' | 'link', string>>
  things: { all: string; types: (types: string) => string; labels: (labels: string) => string; inside: (thing: string) => string }
  /** What comes along with what is allowed, forbidden or demanded; of which things, unless of all. */
  included: (actions: string, things: string | undefined) => string
  /** Between what is allowed, forbidden or demanded, and its conditions. */
  provided: string
  whenever: string
  unless: string
  and: string
  or: string
  not: (inner: string) => string
  first: string
  next: string
  fork: (when: string, yes: string, no: string) => string
  impossible: string
  quoted: (text: string) => string
}

export const EN: RulePhrases = {
  locale: 'en-GB',
  claims: {
    email: 'the e-mail address',
    sub: 'the account',
    acr: 'the strength of the sign-in',
    eid_loa: 'the assurance of the electronic identity',
    country: 'the country',
    npi_role: 'the professional role',
    clearance: 'the clearance',
    roles: 'the list of roles',
    groups: 'the list of groups',
  },
  tests: {
    eq: ['{claim} is {value}', '{claim} is not {value}'],
    in: ['{claim} is one of {value}', '{claim} is none of {value}'],
    domain: ['{claim} is one at {value}', '{claim} is not one at {value}'],
    group: ['{claim} belongs to {value}', '{claim} does not belong to {value}'],
    gte: ['{claim} is at least {value}', '{claim} is below {value}'],
    covers: ['{claim} covers {value}', '{claim} does not cover {value}'],
  },
  vouched: (issuers) => `vouched for by ${issuers}`,
  fresh: (age) => `proof at most ${age} old`,
  anyone: ['it is anybody', 'it is nobody'],
  link: ['the secret link is used', 'the secret link is not used'],
  purpose: ['the purpose is {value}', 'the purpose is not {value}'],
  purposes: ['the purpose is one of {value}', 'the purpose is none of {value}'],
  from: 'the time is {value} at the earliest',
  until: 'the time is {value} at the latest',
  client: ['the app is {value}', 'the app is not {value}'],
  clients: ['the app is one of {value}', 'the app is none of {value}'],
  trust: ['the app is {value}', 'the app is not {value}'],
  trusts: {
    pushed: 'registered here',
    pulled: 'described at its own address',
    attested: 'confirmed by its maker',
    instance_key: 'known by a key of its own',
  },
  uses: {
    rqp: (max) =>
      max === 1
        ? ['the person has not used it yet', 'the person has used it already']
        : [`each person has used it fewer than ${max} times`, `each person has used it ${max} times or more`],
    rule: (max) =>
      max === 1
        ? ['nobody has used it yet', 'somebody has used it already']
        : [`all together have used it fewer than ${max} times`, `all together have used it ${max} times or more`],
  },
  emergency: ['an emergency is declared (for 15 minutes at most, and you are told at once)', 'no emergency is declared'],
  ask: ['you agree when asked', 'you refuse when asked'],
  context: ['the service says that {name} is {value}', 'the service does not say that {name} is {value}'],
  contexts: ['the service says that {name} is one of {value}', 'the service does not say that {name} is one of {value}'],
  yes: 'yes',
  no: 'no',
  who: {
    everybody: 'everybody',
    domain: 'everybody with an e-mail address at {value}',
    group: 'everybody in {value}',
    link: 'everybody who has the secret link',
  },
  things: {
    all: 'everything',
    types: (types) => `everything of the kind ${types}`,
    labels: (labels) => `everything labelled ${labels}`,
    inside: (thing) => `${thing} and all that is in it`,
  },
  included: (actions, things) => `, included: ${actions}${things === undefined ? '' : ` (${things})`}`,
  provided: ', provided that ',
  whenever: ', if ',
  unless: ', unless ',
  and: ' and ',
  or: ' or ',
  not: (inner) => `not ${inner}`,
  first: 'first ',
  next: ', then ',
  fork: (when, yes, no) => `in case ${when}: ${yes}; in any other case: ${no}`,
  impossible: 'something happens that cannot be',
  quoted: (text) => `“${text}”`,
}
