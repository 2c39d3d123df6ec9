// Rules of any kind in the owner API: the list of everything, groups and types that rules speak of, and questions about them.
import * as v from 'valibot'
import {
  group,
  groupRequest,
  importAnswer,
  importRequest,
  joinCodeRequest,
  joinRequest,
  listedType,
  member,
  membership,
  membersRequest,
  organisation,
  organisationRequest,
  pastGroup,
  pastType,
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
import { dpopHeader, FAULTS, FULL, type Operation, OWNER_REFUSALS, type Parameter, pathParameter, query, text } from './operation.ts'

const page = (items: v.GenericSchema, more: Record<string, v.GenericSchema>) =>
  v.object({ ...more, items: v.array(items), next: v.optional(v.string()) })
const common = { tag: 'Owner', access: 'owner' } as const
const id = (what: string) => pathParameter('id', what)
const ifNoneMatch = { name: 'If-None-Match', in: 'header', schema: text(256), description: 'The ETag of an earlier answer.' } as const
const ifMatch = {
  name: 'If-Match',
  in: 'header',
  schema: text(64),
  description: 'The revision that was read, in quotation marks.',
} as const
/** Without it the answer is 428. */
const demandedMatch: Parameter = { ...ifMatch, required: true }
const REFUSED = { 400: ['invalid_request'], ...OWNER_REFUSALS } as const
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
  more: Record<string, v.GenericSchema> = {},
): Operation => ({
  ...common,
  method: 'get',
  path,
  id: name,
  summary,
  parameters: [...parameters, ifNoneMatch, dpopHeader],
  replies: {
    200: {
      description: 'A page; next, if it is there, leads to the next one.',
      schema: page(items, more),
      headers: { ETag: 'Of this answer.' },
    },
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
const undo = (path: string, name: string, summary: string, parameters: Parameter[], schema: v.GenericSchema): Operation => ({
  ...common,
  method: 'post',
  path,
  id: name,
  summary,
  description: 'If-Match is the revision from which it is undone: `rev` of the history.',
  parameters: [...parameters, demandedMatch, dpopHeader],
  replies: { 200: { description: 'What counts again.', schema, headers: { ETag: 'The revision, for If-Match.' } } },
  errors: {
    ...REFUSED,
    404: ['not_found'],
    409: ['invalid_request'],
    412: ['invalid_request'],
    428: ['invalid_request'],
    ...FULL,
    ...FAULTS,
  },
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
  errors: { ...REFUSED, 404: ['not_found'], 413: ['invalid_request'], ...FAULTS },
})
/** What undoing has to have seen. */
const REV = { rev: v.number() }
const revised = v.looseObject({ id: v.string(), rev: v.number() })
const ofType = query('type', 'Which one.', text(256), true)
const one = (description: string) => ({ description, schema: rule, headers: { ETag: 'The revision, for If-Match.' } })

export const ruleOperations: readonly Operation[] = [
  list('/owner/rules', 'listRules', 'Everything that opens or closes something, however it was made', rule, [
    query('kind', 'share, rule, block, upper or once.', text(16)),
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
    errors: { ...OWNER_REFUSALS, 404: ['not_found'], ...FAULTS },
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
    [id('The rule.'), demandedMatch],
  ),
  drop('/owner/rules/{id}', 'dropRule', 'Drop a rule, stop a share or take back what was allowed once', [id('The rule.'), ifMatch]),
  list(
    '/owner/rules/{id}/history',
    'ruleHistory',
    'What it was before, newest first',
    v.object({ ended_at: v.number(), rule }),
    [id('The rule.')],
    REV,
  ),
  undo('/owner/rules/{id}/undo', 'undoRule', 'Bring back what it was last, also a share that was stopped', [id('The rule.')], rule),
  {
    ...common,
    method: 'get',
    path: '/owner/rules/export',
    id: 'exportRules',
    summary: 'Everything that rules are made of, signed by this server',
    description: 'A part of it if there is much; the header Link, and `next` in the bundle, lead to the next one.',
    parameters: [
      query('format', 'bundle (a JWS, the default), cedar or odrl.', text(16)),
      query('cursor', 'The next of the part before.', text(1024)),
      dpopHeader,
    ],
    replies: {
      200: {
        description: 'The bundle as compact JWS; for reading, Cedar policies as text or an ODRL Offer as JSON-LD.',
        type: 'application/jose',
        headers: { Link: 'The next part, if there is one.' },
      },
    },
    errors: { ...REFUSED, ...FAULTS },
  },
  send('post', {
    path: '/owner/rules/import',
    id: 'importRules',
    summary: 'Take rules from a bundle, all at once; without apply only what would happen',
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
    reply: { 201: { description: 'The group.', schema: revised } },
  }),
  send(
    'put',
    {
      path: '/owner/groups/{id}',
      id: 'nameGroup',
      summary: 'Name a group anew',
      schema: groupRequest,
      example: { name: 'Family' },
      reply: { 200: { description: 'The group.', schema: revised } },
    },
    [id('The group.'), ifMatch],
  ),
  drop('/owner/groups/{id}', 'dropGroup', 'Drop a group that no rule speaks of', [id('The group.'), ifMatch]),
  list('/owner/groups/{id}/history', 'groupHistory', 'What a group was before, newest first', pastGroup, [id('The group.')], REV),
  undo(
    '/owner/groups/{id}/undo',
    'undoGroup',
    'Take the last change of a group back, also that it was dropped',
    [id('The group.')],
    revised,
  ),
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
      reply: {
        200: { description: 'How many came in, and the revision of the group.', schema: v.object({ added: v.number(), rev: v.number() }) },
      },
    },
    [id('The group.'), ifMatch],
  ),
  drop('/owner/groups/{id}/members/{member}', 'removeMember', 'Take somebody out of a group; what rested on it ends at once', [
    id('The group.'),
    pathParameter('member', 'The member.'),
    ifMatch,
  ]),
  list('/owner/types', 'listTypes', 'Types of things', listedType, [query('cursor', 'The next of the page before.', text(256))]),
  send(
    'put',
    {
      path: '/owner/types',
      id: 'putType',
      summary: 'Say what a type of things is',
      schema: thingType,
      example: { type: 'https://photos.example/album', implies: { edit: ['view'] }, authority: 'owner' },
      reply: { 200: { description: 'The type.', schema: listedType } },
    },
    [ifMatch],
  ),
  drop('/owner/types', 'dropType', 'Forget a type', [ofType, ifMatch]),
  list('/owner/types/history', 'typeHistory', 'What a type was before, newest first', pastType, [ofType], REV),
  undo('/owner/types/undo', 'undoType', 'Bring back what a type was last, also one that was dropped', [ofType], listedType),
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
    errors: { ...OWNER_REFUSALS, ...FAULTS },
  },
  {
    ...common,
    method: 'get',
    path: '/owner/organisation',
    id: 'organisation',
    summary: 'This owner as an organisation',
    parameters: [ifNoneMatch, dpopHeader],
    replies: { 200: { description: 'Name, members, rules.', schema: organisation }, 304: { description: 'Nothing changed since.' } },
    errors: { ...OWNER_REFUSALS, ...FAULTS },
  },
  send('put', {
    path: '/owner/organisation',
    id: 'nameOrganisation',
    summary: 'Name the organisation; without a name nobody can join',
    schema: organisationRequest,
    example: { name: 'Clinic of the Good Hope' },
    reply: { 200: { description: 'The name.', schema: organisationRequest } },
  }),
  send('post', {
    path: '/owner/organisation/codes',
    id: 'addJoinCode',
    summary: 'A code with which others join',
    schema: joinCodeRequest,
    example: { uses: 1 },
    reply: { 201: { description: 'The code; it is told this once.', schema: v.object({ code: v.string(), expires_at: v.number() }) } },
  }),
  drop('/owner/organisation/codes', 'dropJoinCodes', 'No code that was given out is good any more', []),
  list('/owner/organisation/members', 'listOrganisationMembers', 'Who has joined', v.object({ id: v.string(), joined_at: v.number() }), [
    query('cursor', 'The next of the page before.', text(128)),
  ]),
  drop('/owner/organisation/members/{id}', 'expelMember', 'Let a member go', [id('The member.')]),
  list('/owner/memberships', 'listMemberships', 'Organisations that this owner has joined', membership),
  send('post', {
    path: '/owner/memberships',
    id: 'join',
    summary: 'Join an organisation with a code; without accept only whose code it is',
    schema: joinRequest,
    example: { code: '<code>' },
    reply: {
      200: {
        description: 'Which organisation, and whether it was joined.',
        schema: v.looseObject({ name: v.string(), joined: v.boolean() }),
      },
    },
  }),
  drop('/owner/memberships/{id}', 'leave', 'Leave an organisation', [id('The organisation.')]),
  {
    ...common,
    method: 'post',
    path: '/owner/people/{id}/block',
    id: 'blockPerson',
    summary: 'Shut a person’s address out; dropped like any other rule',
    parameters: [id('The person.'), dpopHeader],
    replies: { 201: { description: 'The rule that does it.', schema: v.object({ id: v.string() }) } },
    errors: { ...OWNER_REFUSALS, 404: ['not_found'], 409: ['invalid_request'], ...FULL, ...FAULTS },
  },
]
