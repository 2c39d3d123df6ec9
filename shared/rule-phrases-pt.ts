// Phrases of conditions in Portuguese (rule-phrases.ts).
import type { RulePhrases } from './rule-phrases.ts'

export const PT: RulePhrases = {
  locale: 'pt-PT',
  claims: {
    email: 'o endereço de e-mail',
    sub: 'a conta',
    acr: 'a força do início de sessão',
    eid_loa: 'o nível de garantia da identidade eletrónica',
    country: 'o país',
    npi_role: 'a função profissional',
    clearance: 'a habilitação',
    roles: 'a lista de funções',
    groups: 'a lista de grupos',
  },
  tests: {
    eq: ['{claim} é {value}', '{claim} não é {value}'],
    in: ['{claim} é um destes valores: {value}', '{claim} não é nenhum destes valores: {value}'],
    domain: ['{claim} é de {value}', '{claim} não é de {value}'],
    group: ['{claim} pertence a {value}', '{claim} não pertence a {value}'],
    gte: ['{claim} é pelo menos {value}', '{claim} é inferior a {value}'],
    covers: ['{claim} abrange {value}', '{claim} não abrange {value}'],
  },
  vouched: (issuers) => `confirmado por ${issuers}`,
  fresh: (age) => `prova com o máximo de ${age}`,
  anyone: ['é qualquer pessoa', 'não é ninguém'],
  link: ['usa-se a ligação secreta', 'não se usa a ligação secreta'],
  purpose: ['a finalidade é {value}', 'a finalidade não é {value}'],
  purposes: ['a finalidade é uma destas: {value}', 'a finalidade não é nenhuma destas: {value}'],
  from: 'o momento é a partir de {value}',
  until: 'o momento é até {value}',
  client: ['a aplicação é {value}', 'a aplicação não é {value}'],
  clients: ['a aplicação é uma destas: {value}', 'a aplicação não é nenhuma destas: {value}'],
  trust: ['a aplicação está {value}', 'a aplicação não está {value}'],
  trusts: {
    pushed: 'registada aqui',
    pulled: 'descrita no seu próprio endereço',
    attested: 'confirmada pelo fabricante',
    instance_key: 'identificada por uma chave própria',
  },
  uses: {
    rqp: (max) =>
      max === 1
        ? ['a pessoa ainda não usou', 'a pessoa já usou']
        : [`cada pessoa usou menos de ${max} vezes`, `cada pessoa usou pelo menos ${max} vezes`],
    rule: (max) =>
      max === 1
        ? ['ainda ninguém usou', 'alguém já usou']
        : [`todos juntos usaram menos de ${max} vezes`, `todos juntos usaram pelo menos ${max} vezes`],
  },
  emergency: ['é declarada uma emergência (por 15 minutos no máximo, e sabe-o de imediato)', 'não é declarada nenhuma emergência'],
  ask: ['concorda quando lhe é perguntado', 'recusa quando lhe é perguntado'],
  context: ['o serviço diz que {name} é {value}', 'o serviço não diz que {name} é {value}'],
  contexts: ['o serviço diz que {name} é um destes valores: {value}', 'o serviço não diz que {name} é um destes valores: {value}'],
  yes: 'sim',
  no: 'não',
  who: {
    everybody: 'qualquer pessoa',
    domain: 'qualquer pessoa com um endereço de e-mail de {value}',
    group: 'qualquer pessoa em {value}',
    link: 'qualquer pessoa que tenha a ligação secreta',
  },
  things: {
    all: 'tudo',
    types: (types) => `tudo o que é do tipo ${types}`,
    labels: (labels) => `tudo o que tem a etiqueta ${labels}`,
    inside: (thing) => `${thing} e tudo o que contém`,
  },
  included: (actions, things) => `, incluindo: ${actions}${things === undefined ? '' : ` (${things})`}`,
  provided: ', desde que se verifique: ',
  whenever: ', se se verificar: ',
  unless: ', a não ser que se verifique: ',
  and: ' e ',
  or: ' ou ',
  not: (inner) => `não ${inner}`,
  first: 'primeiro ',
  next: ', depois ',
  fork: (when, yes, no) => `no caso de ${when}: ${yes}; em qualquer outro caso: ${no}`,
  impossible: 'algo que não pode acontecer',
  quoted: (text) => `«${text}»`,
}
