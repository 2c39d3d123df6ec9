// Every case of the suite, in the order of the specifications.
import type { Case } from '../lib/case.ts'
import { approval } from './approval.ts'
import { assessment } from './assessment.ts'
import { authorize } from './authorize.ts'
import { claimTokens } from './claim-tokens.ts'
import { claimsPages } from './claims-pages.ts'
import { claimsRedirectUris } from './claims-redirect-uris.ts'
import { claimsRequest } from './claims-request.ts'
import { claimsReturn } from './claims-return.ts'
import { clientAuth } from './client-auth.ts'
import { codes } from './codes.ts'
import { consent } from './consent.ts'
import { discovery } from './discovery.ts'
import { dpop } from './dpop.ts'
import { expiry } from './expiry.ts'
import { failure } from './failure.ts'
import { http } from './http.ts'
import { introspection } from './introspection.ts'
import { isolation } from './isolation.ts'
import { permission } from './permission.ts'
import { protection } from './protection.ts'
import { refreshAndRevoke } from './refresh-and-revoke.ts'
import { registration } from './registration.ts'
import { resources } from './resources.ts'
import { success } from './success.ts'
import { ticketRequest } from './ticket-request.ts'
import { ticketUse } from './ticket-use.ts'

export const allCases: readonly Case[] = [
  ...discovery,
  ...ticketRequest,
  ...ticketUse,
  ...claimsRequest,
  ...claimsRedirectUris,
  ...claimsReturn,
  ...claimsPages,
  ...assessment,
  ...success,
  ...failure,
  ...approval,
  ...claimTokens,
  ...refreshAndRevoke,
  ...protection,
  ...resources,
  ...isolation,
  ...permission,
  ...introspection,
  ...registration,
  ...clientAuth,
  ...dpop,
  ...authorize,
  ...consent,
  ...codes,
  ...http,
  ...expiry,
]
