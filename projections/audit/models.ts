import type { AnyProjection } from '../rows/projection.ts'
import { accessRequestTimers } from './access-request-timers.ts'
import { accessRequests } from './access-requests.ts'
import { auditExports } from './audit-exports.ts'
import { auditLog } from './audit-log.ts'
import { consentTimers } from './consent-timers.ts'
import { consents } from './consents.ts'
import { erasures } from './erasures.ts'
import { legalHolds } from './legal-holds.ts'
import { personalData } from './personal-data.ts'
import { retentionRules } from './retention-rules.ts'

export const auditModels: readonly AnyProjection[] = [
  erasures,
  legalHolds,
  consents,
  consentTimers,
  accessRequests,
  accessRequestTimers,
  retentionRules,
  auditExports,
  personalData,
  auditLog,
]
