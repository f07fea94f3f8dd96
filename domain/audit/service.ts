import { service } from '../kernel/service.ts'
import { accessrequest } from './accessrequest/accessrequest.ts'
import { consent } from './consent/consent.ts'
import { erasure } from './erasure/erasure.ts'
import { auditExport } from './export/export.ts'
import { retentionrule } from './retentionrule/retentionrule.ts'

/** What the law gives to every person. */
const EVERYBODY = ['own-data.read']

export const auditService = service({
  code: 'kmg',
  word: 'audit',
  title: 'Manager: audit log, personal data',
  aggregates: [erasure, auditExport, consent, accessrequest, retentionrule],
  roles: {
    'team-lead': [...EVERYBODY, 'consents.read', 'consents.write'],
    'team-member': EVERYBODY,
    contributor: EVERYBODY,
    viewer: EVERYBODY,
    guest: EVERYBODY,
    auditor: ['*.read', 'exports.write'],
  },
  adminOnly: [
    'erasures.write',
    'disclosures.write',
    'legal-holds.write',
    'retention-rules.write',
    'access-requests.write',
  ],
})
