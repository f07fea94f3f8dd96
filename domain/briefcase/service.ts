import { service } from '../kernel/service.ts'
import { item } from './item/item.ts'

export const briefcaseService = service({
  code: 'kbfc',
  word: 'briefcase',
  title: 'Briefcase: portfolio items',
  aggregates: [item],
  roles: {
    'team-lead': ['*'],
    'team-member': ['*'],
    contributor: ['*'],
    viewer: ['*.read'],
    guest: ['items.read'],
    auditor: ['*.read'],
  },
})
