import { service } from '../kernel/service.ts'
import { erasure } from './erasure/erasure.ts'
import { auditExport } from './export/export.ts'

export const auditService = service({
  code: 'kmg',
  word: 'audit',
  title: 'Manager: audit log',
  aggregates: [erasure, auditExport],
  roles: { auditor: ['*.read', 'exports.write'] },
  adminOnly: ['erasures.write', 'disclosures.write'],
})
