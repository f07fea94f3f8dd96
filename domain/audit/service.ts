import { service } from '../kernel/service.ts'
import { erasure } from './erasure/erasure.ts'

export const auditService = service({
  code: 'kmg',
  word: 'audit',
  title: 'Manager: audit log',
  aggregates: [erasure],
  roles: { auditor: ['*.read'] },
  adminOnly: ['erasures.write'],
})
