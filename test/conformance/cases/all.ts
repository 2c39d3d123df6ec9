// Every case of the suite, in the order of the specifications.
import type { Case } from '../lib/case.ts'
import { assessment } from './assessment.ts'
import { claimTokens } from './claim-tokens.ts'
import { discovery } from './discovery.ts'
import { failure } from './failure.ts'
import { introspection } from './introspection.ts'
import { isolation } from './isolation.ts'
import { permission } from './permission.ts'
import { protection } from './protection.ts'
import { resources } from './resources.ts'
import { ticketRequest } from './ticket-request.ts'
import { ticketUse } from './ticket-use.ts'

export const allCases: readonly Case[] = [
  ...discovery,
  ...ticketRequest,
  ...ticketUse,
  ...assessment,
  ...failure,
  ...claimTokens,
  ...protection,
  ...resources,
  ...isolation,
  ...permission,
  ...introspection,
]
