// Rules of any kind in the owner API: the list of everything, groups and types that rules speak of, and questions about them.
import * as v from 'valibot'
import {
  group,
  groupRequest,
  importAnswer,
  importRequest,
  member,
  membersRequest,
  policyDocument,
  rule,
  template,
  thingType,
  whatAnswer,
  whatIfAnswer,
  whatIfRequest,
  whatRequest,
  whoAnswer,
  whoRequest,
  whyAnswer,
  whyRequest,
} from '../../shared/protocol/owner-policy.ts'
import { dpopHeader, FAULTS, FULL, type Operation, pathParameter, query, TOKEN_REFUSALS, TOO_MANY, text } from './operation.ts'

const page = (items: v.GenericSchema) => v.object({ items: v.array(items), next: v.optional(v.string()) })
const common = { tag: 'Owner', access: 'owner' } as const
const id = (what: string) => pathParameter('id', what)
const ifNoneMatch = { name: 'If-None-Match', in: 'header', schema: text(256), description: 'The ETag of an earlier answer.' } as const
const ifMatch = {
  name: 'If-Match',
  in: 'header',
  schema: text(64),
  description: 'The revision that was read, in quotation marks.',
} as const
const REFUSED = { 400: ['invalid_request'], ...TOKEN_REFUSALS } as const
const EXAMPLE = {
  v: 1,
  effect: 'permit',
  target: { resources: ['<id>'] },
  scopes: ['view'],
  when: { all: [{ claim: 'email', domain: 'clinic.example' }, { before: 1_924_905_600 }] },
}

const list = (
  path: string,
  name: string,
  summary: string,
  items: v.GenericSchema,
  parameters: Operation['parameters'] = [],
): Operation => ({
  ...common,
  method: 'get',
  path,
  id: name,
  summary,
  parameters: [...parameters, ifNoneMatch, dpopHeader],
  replies: {
    200: { description: 'A page; next, if it is there, leads to the next one.', schema: page(items), headers: { ETag: 'Of this answer.' } },
    304: { description: 'Nothing changed since.' },
  },
  errors: { ...REFUSED, 404: ['not_found'], ...FAULTS },
})
type Body = { path: string; id: string; summary: string; schema: v.GenericSchema; example?: unknown; reply: Operation['replies'] }
const send = (
  method: 'post' | 'put',
  { path, id: name, summary, schema, example, reply }: Body,
  parameters: Operation['parameters'] = [],
): Operation => ({
  ...common,
  method,
  path,
  id: name,
  summary,
  parameters: [...parameters, dpopHeader],
  body: { type: 'json', schema, ...(example === undefined ? {} : { example }) },
  replies: reply,
  errors: {
    ...REFUSED,
    404: ['not_found'],
    409: ['invalid_request'],
    412: ['invalid_request'],
    413: ['invalid_request'],
    428: ['invalid_request'],
    ...FULL,
    ...FAULTS,
  },
})
const drop = (path: string, name: string, summary: string, parameters: Operation['parameters']): Operation => ({
  ...common,
  method: 'delete',
  path,
  id: name,
  summary,
  parameters: [...(parameters ?? []), dpopHeader],
  replies: { 204: { description: 'Gone, or gone already.' } },
  errors: { ...REFUSED, 404: ['not_found'], 409: ['invalid_request'], 412: ['invalid_request'], ...FAULTS },
})
const ask = (name: string, summary: string, schema: v.GenericSchema, answer: v.GenericSchema, example: unknown): Operation => ({
  ...common,
  method: 'post',
  path: `/owner/questions/${name}`,
  id: `question${name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
  summary,
  description: 'Nothing is stored, counted or asked of anybody.',
  parameters: [dpopHeader],
  body: { type: 'json', schema, example },
  replies: { 200: { description: 'The answer.', schema: answer } },
  errors: { ...REFUSED, 404: ['not_found'], 413: ['invalid_request'], ...TOO_MANY, ...FAULTS },
})
const one = (description: string) => ({ description, schema: rule, headers: { ETag: 'The revision, for If-Match.' } })

export const ruleOperations: readonly Operation[] = [
  list('/owner/rules', 'listRules', 'Everything that opens or closes something, however it was made', rule, [
    query('kind', 'share, rule, block or upper.', text(16)),
    query('effect', 'permit, forbid or require.', text(16)),
    query('tier', 'owner, org or platform.', text(16)),
    query('resource_id', 'Only what can matter for this thing.', text(128)),
    query('person_id', 'Only what names this person.', text(128)),
    query('cursor', 'The next of the page before.', text(128)),
  ]),
  send('post', {
    path: '/owner/rules',
    id: 'addRule',
    summary: 'Add a rule',
    schema: policyDocument,
    example: EXAMPLE,
    reply: { 201: one('The rule.') },
  }),
  {
    ...common,
    method: 'get',
    path: '/owner/rules/{id}',
    id: 'rule',
    summary: 'One rule or share',
    parameters: [id('The rule.'), dpopHeader],
    replies: { 200: one('The rule.') },
    errors: { ...TOKEN_REFUSALS, 404: ['not_found'], ...FAULTS },
  },
  send(
    'put',
    {
      path: '/owner/rules/{id}',
      id: 'changeRule',
      summary: 'Change a rule, whole',
      schema: policyDocument,
      example: EXAMPLE,
      reply: { 200: one('The rule as it is now.') },
    },
    [id('The rule.'), ifMatch],
  ),
  drop('/owner/rules/{id}', 'dropRule', 'Drop a rule or stop a share', [id('The rule.'), ifMatch]),
  list('/owner/rules/{id}/history', 'ruleHistory', 'What it was before, newest first', v.object({ ended_at: v.number(), rule }), [
    id('The rule.'),
  ]),
  {
    ...common,
    method: 'post',
    path: '/owner/rules/{id}/undo',
    id: 'undoRule',
    summary: 'Bring back what it was last, also a share that was stopped',
    parameters: [id('The rule.'), dpopHeader],
    replies: { 200: one('What counts again.') },
    errors: { ...REFUSED, 404: ['not_found'], 409: ['invalid_request'], 412: ['invalid_request'], ...FULL, ...FAULTS },
  },
  {
    ...common,
    method: 'get',
    path: '/owner/rules/export',
    id: 'exportRules',
    summary: 'Everything that rules are made of, signed by this server',
    parameters: [query('form', 'bundle (a JWS, the default) or cedar.', text(16)), dpopHeader],
    replies: { 200: { description: 'The bundle as compact JWS, or Cedar policies as text.', type: 'application/jose' } },
    errors: { ...REFUSED, ...FAULTS },
  },
  send('post', {
    path: '/owner/rules/import',
    id: 'importRules',
    summary: 'Take rules from a bundle; without apply only what would happen',
    schema: importRequest,
    reply: { 200: { description: 'What happened, or would.', schema: importAnswer } },
  }),
  list('/owner/groups', 'listGroups', 'Groups of people', group, [query('cursor', 'The next of the page before.', text(128))]),
  send('post', {
    path: '/owner/groups',
    id: 'addGroup',
    summary: 'Make a group',
    schema: groupRequest,
    example: { name: 'Family' },
    reply: { 201: { description: 'The group.', schema: v.looseObject({ id: v.string() }) } },
  }),
  send(
    'put',
    {
      path: '/owner/groups/{id}',
      id: 'nameGroup',
      summary: 'Name a group anew',
      schema: groupRequest,
      example: { name: 'Family' },
      reply: { 200: { description: 'The group.', schema: v.looseObject({ id: v.string() }) } },
    },
    [id('The group.')],
  ),
  drop('/owner/groups/{id}', 'dropGroup', 'Drop a group that no rule speaks of', [id('The group.')]),
  list('/owner/groups/{id}/members', 'listMembers', 'Who is in a group', member, [
    id('The group.'),
    query('cursor', 'The next of the page before.', text(128)),
  ]),
  send(
    'post',
    {
      path: '/owner/groups/{id}/members',
      id: 'addMembers',
      summary: 'Put people into a group',
      schema: membersRequest,
      example: { people: [{ email: 'bob@example.net' }] },
      reply: { 200: { description: 'How many came in.', schema: v.object({ added: v.number() }) } },
    },
    [id('The group.')],
  ),
  drop('/owner/groups/{id}/members/{member}', 'removeMember', 'Take somebody out of a group; what rested on it ends at once', [
    id('The group.'),
    pathParameter('member', 'The member.'),
  ]),
  list('/owner/types', 'listTypes', 'Types of things', thingType),
  send('put', {
    path: '/owner/types',
    id: 'putType',
    summary: 'Say what a type of things is',
    schema: thingType,
    example: { type: 'https://photos.example/album', implies: { edit: ['view'] }, authority: 'owner' },
    reply: { 200: { description: 'The type.', schema: thingType } },
  }),
  drop('/owner/types', 'dropType', 'Forget a type', [query('type', 'Which one.', text(256), true)]),
  ask('why', 'Would this be given now, and because of what?', whyRequest, whyAnswer, {
    resource_id: '<id>',
    scope: 'view',
    who: { email: 'bob@example.net' },
  }),
  ask('who', 'Who can open it: each way in words', whoRequest, whoAnswer, { resource_id: '<id>', scope: 'view' }),
  ask('what', 'What can somebody open now?', whatRequest, whatAnswer, { who: { email: 'bob@example.net' } }),
  ask('what-if', 'What would change if this rule were saved?', whatIfRequest, whatIfAnswer, { rule: EXAMPLE }),
  {
    ...common,
    method: 'get',
    path: '/owner/templates',
    id: 'listTemplates',
    summary: 'The shares that people choose from',
    parameters: [dpopHeader],
    replies: { 200: { description: 'Forms of rules.', schema: v.object({ items: v.array(template) }) } },
    errors: { ...TOKEN_REFUSALS, ...FAULTS },
  },
]
