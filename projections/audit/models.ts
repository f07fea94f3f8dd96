import type { AnyProjection } from '../rows/projection.ts'
import { auditExports } from './audit-exports.ts'
import { auditLog } from './audit-log.ts'
import { erasures } from './erasures.ts'

export const auditModels: readonly AnyProjection[] = [erasures, auditExports, auditLog]
