import { service } from '../kernel/service.ts'
import { binder } from './binder/binder.ts'
import { book } from './book/book.ts'
import { briefcase } from './briefcase/briefcase.ts'
import { file } from './file/file.ts'
import { item } from './item/item.ts'
import { itemtemplate } from './itemtemplate/itemtemplate.ts'
import { library } from './library/library.ts'
import { libraryasset } from './libraryasset/libraryasset.ts'
import { tree } from './tree/tree.ts'
import { workspace } from './workspace/workspace.ts'

export const briefcaseService = service({
  code: 'kbfc',
  word: 'briefcase',
  title: 'Briefcase: portfolio items',
  aggregates: [item, tree, briefcase, book, file, workspace, binder, library, libraryasset, itemtemplate],
  roles: {
    'team-lead': ['*'],
    'team-member': ['*'],
    contributor: ['*'],
    viewer: ['*.read'],
    guest: ['items.read'],
    auditor: ['*.read'],
  },
})
