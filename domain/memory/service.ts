import { service } from '../kernel/service.ts'

export const memoryService = service({
  code: 'kse',
  word: 'memory',
  title: 'Memory: search',
  aggregates: [],
  roles: {
    'team-lead': ['*.read'],
    'team-member': ['*.read'],
    contributor: ['*.read'],
    viewer: ['*.read'],
    auditor: ['*.read'],
  },
})
