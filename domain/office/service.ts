import { service } from '../kernel/service.ts'
import { note } from './note/note.ts'

export const officeService = service({
  code: 'koff',
  word: 'office',
  title: 'Office: notes',
  aggregates: [note],
  roles: {
    'team-lead': ['*'],
    'team-member': ['*'],
    contributor: ['*'],
    viewer: ['*.read'],
    auditor: ['*.read'],
  },
})
