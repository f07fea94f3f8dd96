import { service } from '../kernel/service.ts'
import { consent } from './consent/consent.ts'
import { erasure } from './erasure/erasure.ts'
import { auditExport } from './export/export.ts'
import { retentionrule } from './retentionrule/retentionrule.ts'

export const auditService = service({
  code: 'kmg',
  word: 'audit',
  title: 'Manager: audit log, personal data',
  aggregates: [erasure, auditExport, consent, retentionrule],
  roles: {
    'team-lead': ['consents.read', 'consents.write'],
    auditor: ['*.read', 'exports.write'],
  },
  adminOnly: ['erasures.write', 'disclosures.write', 'legal-holds.write', 'retention-rules.write'],
})
