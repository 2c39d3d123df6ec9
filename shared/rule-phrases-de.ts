// Phrases of conditions in German (rule-phrases.ts).
import type { RulePhrases } from './rule-phrases.ts'

export const DE: RulePhrases = {
  locale: 'de-DE',
  claims: {
    email: 'die E-Mail-Adresse',
    sub: 'das Konto',
    acr: 'die Stärke der Anmeldung',
    eid_loa: 'das Vertrauensniveau der elektronischen Identität',
    country: 'das Land',
    npi_role: 'die berufliche Rolle',
    clearance: 'die Freigabe',
    roles: 'die Liste der Rollen',
    groups: 'die Liste der Gruppen',
  },
  tests: {
    eq: ['{claim} ist {value}', '{claim} ist nicht {value}'],
    in: ['{claim} ist einer dieser Werte: {value}', '{claim} ist keiner dieser Werte: {value}'],
    domain: ['{claim} ist eine bei {value}', '{claim} ist keine bei {value}'],
    group: ['{claim} gehört zu {value}', '{claim} gehört nicht zu {value}'],
    gte: ['{claim} ist mindestens {value}', '{claim} ist unter {value}'],
    covers: ['{claim} umfasst {value}', '{claim} umfasst nicht {value}'],
  },
  vouched: (issuers) => `bestätigt von ${issuers}`,
  fresh: (age) => `Nachweis höchstens ${age} alt`,
  anyone: ['es ist irgendjemand', 'es ist niemand'],
  link: ['der geheime Link wird benutzt', 'der geheime Link wird nicht benutzt'],
  purpose: ['der Zweck ist {value}', 'der Zweck ist nicht {value}'],
  purposes: ['der Zweck ist einer von: {value}', 'der Zweck ist keiner von: {value}'],
  from: 'die Zeit ist frühestens {value}',
  until: 'die Zeit ist spätestens {value}',
  client: ['die App ist {value}', 'die App ist nicht {value}'],
  clients: ['die App ist eine von: {value}', 'die App ist keine von: {value}'],
  trust: ['die App ist {value}', 'die App ist nicht {value}'],
  trusts: {
    pushed: 'hier registriert',
    pulled: 'unter eigener Adresse beschrieben',
    attested: 'von ihrem Hersteller bestätigt',
    instance_key: 'an einem eigenen Schlüssel erkannt',
  },
  uses: {
    rqp: (max) =>
      max === 1
        ? ['die Person hat es noch nicht benutzt', 'die Person hat es schon benutzt']
        : [`jede Person hat es weniger als ${max}-mal benutzt`, `jede Person hat es mindestens ${max}-mal benutzt`],
    rule: (max) =>
      max === 1
        ? ['noch niemand hat es benutzt', 'jemand hat es schon benutzt']
        : [`alle zusammen haben es weniger als ${max}-mal benutzt`, `alle zusammen haben es mindestens ${max}-mal benutzt`],
  },
  emergency: ['ein Notfall wird erklärt (für höchstens 15 Minuten, und Sie erfahren es sofort)', 'kein Notfall wird erklärt'],
  ask: ['Sie stimmen auf Nachfrage zu', 'Sie lehnen auf Nachfrage ab'],
  context: ['der Dienst sagt, dass {name} {value} ist', 'der Dienst sagt nicht, dass {name} {value} ist'],
  contexts: [
    'der Dienst sagt, dass {name} einer dieser Werte ist: {value}',
    'der Dienst sagt nicht, dass {name} einer dieser Werte ist: {value}',
  ],
  yes: 'ja',
  no: 'nein',
  who: {
    everybody: 'jede Person',
    domain: 'jede Person mit einer E-Mail-Adresse bei {value}',
    group: 'jede Person in {value}',
    link: 'jede Person, die den geheimen Link hat,',
  },
  things: {
    all: 'alles',
    types: (types) => `alles von der Art ${types}`,
    labels: (labels) => `alles mit der Kennzeichnung ${labels}`,
    inside: (thing) => `${thing} und alles darin`,
  },
  included: (actions, things) => `, eingeschlossen: ${actions}${things === undefined ? '' : ` (${things})`}`,
  provided: ', wenn gilt: ',
  whenever: ', wenn gilt: ',
  unless: ', außer es gilt: ',
  and: ' und ',
  or: ' oder ',
  not: (inner) => `nicht ${inner}`,
  first: 'zuerst ',
  next: ', dann ',
  fork: (when, yes, no) => `falls ${when}: ${yes}; in jedem anderen Fall: ${no}`,
  impossible: 'etwas, das nicht sein kann',
  quoted: (text) => `„${text}“`,
}
