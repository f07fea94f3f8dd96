import { service } from '../kernel/service.ts'
import { book } from './book/book.ts'
import { briefcase } from './briefcase/briefcase.ts'
import { file } from './file/file.ts'
import { item } from './item/item.ts'
import { tree } from './tree/tree.ts'

export const briefcaseService = service({
  code: 'kbfc',
  word: 'briefcase',
  title: 'Briefcase: portfolio items',
  aggregates: [item, tree, briefcase, book, file],
  roles: {
    'team-lead': ['*'],
    'team-member': ['*'],
    contributor: ['*'],
    viewer: ['*.read'],
    guest: ['items.read'],
    auditor: ['*.read'],
  },
})
