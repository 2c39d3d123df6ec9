// AuthZEN 9: where the policy decision point answers (/.well-known/authzen-configuration).
import { Hono } from 'hono'
import type { AppEnv } from '../http/context.ts'

export const accessMetadata = new Hono<AppEnv>().get('/', (c) => {
  const { issuer } = c.var.deps
  const at = `${issuer}/access/v1`
  return c.json(
    {
      policy_decision_point: issuer,
      access_evaluation_endpoint: `${at}/evaluation`,
      access_evaluations_endpoint: `${at}/evaluations`,
      search_subject_endpoint: `${at}/search/subject`,
      search_resource_endpoint: `${at}/search/resource`,
      search_action_endpoint: `${at}/search/action`,
    },
    200,
    { 'Cache-Control': 'public, max-age=3600' },
  )
})
