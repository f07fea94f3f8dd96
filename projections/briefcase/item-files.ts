import type { z } from 'zod'
import { events } from '../../domain/briefcase/file/messages.ts'
import { id, integer, jsonObject, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { spelt } from '../rows/spellings.ts'
import { changed, made, removed } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('file'),
  item: id('item'),
  name: text(255),
  type: text(127),
  size: unsigned64,
  sha256: text(64),
  version: integer(1, 2 ** 31 - 1),
  metadata: jsonObject,
  owner: subjectName,
  revision: unsigned64,
  created_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  FileAdded: made((data, at) => ({ ...data, version: 1, metadata: {}, created_at: at })),
  FileVersionAdded: changed(data => data),
  FileChanged: changed(({ name, metadata }, row) => ({ name: name ?? row.name, metadata: metadata ?? row.metadata })),
  FileRemoved: removed,
}

/** One row per file of an item; the versions of the row have those of the file. */
export const itemFiles = projection({
  name: 'item_files',
  service: 'briefcase',
  version: 1,
  history: true,
  of: { file: events },
  row,
  key: ['org', 'id'],
  // The files that an item had are found without those of others.
  versionLookups: ['item'],
  readers: { like: { item: 'items' } },
  on,
  computed: {
    ...spelt({ item_id: 'item', file_type: 'type' }),
    ...spelt({ file_size: 'size' }, unsigned64),
    file_path: {
      schema: text(500).meta({ description: 'path of its bytes' }),
      of: [],
      isDaily: false,
      sql: alias => `'/api/v1/kbfc/files/' || ${alias}.id || '/content'`,
    },
  },
  reads: [
    {
      one: 'file',
      many: 'files',
      path: '/files',
      permission: 'files.read',
      names: ['id'],
      order: ['id'],
      filters: ['item', 'name', 'type', 'sha256', 'created_at'],
      groups: ['item', 'type', 'owner', 'created_at'],
      sums: ['size'],
      units: { size: null },
      summary: { list: 'The files of all items.', get: 'A file, without its bytes.' },
    },
    {
      one: 'file of an item',
      many: 'files of an item',
      path: '/items/:id/files',
      permission: 'files.read',
      parents: { id: 'item' },
      names: [],
      order: ['id'],
      walked: ['type'],
      groups: ['type'],
      sums: ['size'],
      units: { size: null },
      summary: { list: 'The files of an item.' },
    },
  ],
})
