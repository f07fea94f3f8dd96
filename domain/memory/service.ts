import { service } from '../kernel/service.ts'
import { memory } from './memory/memory.ts'

export const memoryService = service({
  code: 'kse',
  word: 'memory',
  title: 'Memory: what an organization remembers, and search',
  aggregates: [memory],
  roles: {
    'team-lead': ['*'],
    'team-member': ['*'],
    contributor: ['*'],
    viewer: ['*.read'],
    auditor: ['*.read'],
  },
})
