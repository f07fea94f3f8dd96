import { service } from '../kernel/service.ts'
import { memory } from './memory/memory.ts'
import { searchprofile } from './searchprofile/searchprofile.ts'

export const memoryService = service({
  code: 'kse',
  word: 'memory',
  title: 'Memory: what an organization remembers, and search',
  aggregates: [memory, searchprofile],
  roles: {
    'team-lead': ['*'],
    'team-member': ['memories.*', '*.read'],
    contributor: ['memories.*', '*.read'],
    viewer: ['*.read'],
    auditor: ['*.read'],
  },
})
