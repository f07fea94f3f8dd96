import { service } from '../kernel/service.ts'

export const auditService = service({
  code: 'kmg',
  word: 'audit',
  title: 'Manager: audit log',
  aggregates: [],
  roles: { auditor: ['*.read'] },
})
