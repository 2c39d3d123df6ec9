// AuthZEN 1.0: what a policy enforcement point asks.
import * as v from 'valibot'
import {
  actionSearch,
  decision,
  decisions,
  evaluationRequest,
  evaluationsRequest,
  resourceSearch,
  searchResults,
  subjectSearch,
} from '../../shared/protocol/authzen.ts'
import { dpopHeader, FAULTS, type Operation, TOKEN_REFUSALS, TOO_MANY, text } from './operation.ts'

const SUBJECT = { type: 'email', id: 'bob@example.net' }
const RESOURCE = { type: 'file', id: '<id>' }
const requestId = { name: 'X-Request-ID', in: 'header', schema: text(200), description: 'Sent back with the answer.' } as const

const ask = (path: string, id: string, summary: string, schema: v.GenericSchema, answer: v.GenericSchema, example: unknown): Operation => ({
  method: 'post',
  path: `/access/v1/${path}`,
  id,
  tag: 'Decisions',
  access: 'protection',
  summary,
  description:
    'With a PAT about the things of that service, with a wallet’s token about all of its owner’s. Nothing is counted or asked of anybody.',
  parameters: [requestId, dpopHeader],
  body: { type: 'json', schema, example },
  replies: { 200: { description: 'The answer.', schema: answer } },
  errors: { 400: ['invalid_request'], ...TOKEN_REFUSALS, 413: ['invalid_request'], ...TOO_MANY, ...FAULTS },
})

export const accessOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/.well-known/authzen-configuration',
    id: 'authzenConfiguration',
    tag: 'Discovery',
    access: 'anyone',
    summary: 'Where decisions are asked for (AuthZEN 9)',
    replies: { 200: { description: 'The endpoints.', schema: v.looseObject({ policy_decision_point: v.string() }) } },
    errors: { ...FAULTS },
  },
  ask('evaluation', 'evaluate', 'May this be done? (AuthZEN 6)', evaluationRequest, decision, {
    subject: SUBJECT,
    action: { name: 'view' },
    resource: RESOURCE,
  }),
  ask('evaluations', 'evaluateAll', 'The same, many at once (AuthZEN 7)', evaluationsRequest, v.union([decisions, decision]), {
    subject: SUBJECT,
    resource: RESOURCE,
    evaluations: [{ action: { name: 'view' } }, { action: { name: 'download' } }],
  }),
  ask('search/subject', 'searchSubjects', 'Which people may do it? (AuthZEN 8.4)', subjectSearch, searchResults, {
    subject: { type: 'person' },
    action: { name: 'view' },
    resource: RESOURCE,
  }),
  ask('search/resource', 'searchResources', 'With which things? (AuthZEN 8.5)', resourceSearch, searchResults, {
    subject: SUBJECT,
    action: { name: 'view' },
    resource: { type: 'file' },
  }),
  ask('search/action', 'searchActions', 'What may be done? (AuthZEN 8.6)', actionSearch, searchResults, {
    subject: SUBJECT,
    resource: RESOURCE,
  }),
]
