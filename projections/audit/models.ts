import type { AnyProjection } from '../rows/projection.ts'
import { auditLog } from './audit-log.ts'

export const auditModels: readonly AnyProjection[] = [auditLog]
