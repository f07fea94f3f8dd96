import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import type { Json } from '../../kernel/json.ts'
import { changedFields } from '../../record/merge.ts'
import { said, THING } from '../../record/said.ts'
import { partBy } from '../item/part.ts'
import { commands, events, rejections } from './messages.ts'

export type File =
  | { readonly status: 'none' }
  | {
      readonly status: 'present'
      readonly item: string
      readonly name: string
      readonly owner: string
      readonly version: number
      readonly sha256: string
      readonly metadata: { readonly [key: string]: Json }
    }
  | { readonly status: 'removed' }

const evolve: Evolve<File, typeof events> = {
  FileAdded: (_, { item, name, owner, sha256 }) => ({
    status: 'present',
    item,
    name,
    owner,
    version: 1,
    sha256,
    metadata: {},
  }),
  FileVersionAdded: (file, { version, sha256 }) => ({ ...inStatus(file, 'present'), version, sha256 }),
  FileChanged(file, { name, metadata }) {
    const present = inStatus(file, 'present')
    return { ...present, name: name ?? present.name, metadata: metadata ?? present.metadata }
  },
  FileRemoved: () => ({ status: 'removed' }),
}

const REMOVED = ['file_removed', 'The file is removed: add it again.'] as const

const decide: Decide<File, typeof commands, typeof events> = {
  add(file, { id: _, ...added }, { actor }) {
    if (file.status === 'present') {
      throw rejected('file_already_added', 'The file exists: add a version of it, or choose another id.')
    }
    return [{ type: 'FileAdded', data: { ...added, owner: actor } }]
  },
  addVersion(file, content) {
    const { version, sha256 } = inStatus(file, 'present', REMOVED)
    return content.sha256 === sha256 ? [] : [{ type: 'FileVersionAdded', data: { version: version + 1, ...content } }]
  },
  change(file, changes) {
    const { name, metadata } = inStatus(file, 'present', REMOVED)
    const data = changedFields({ name, metadata }, changes)
    return Object.keys(data).length === 0 ? [] : [{ type: 'FileChanged', data }]
  },
  remove(file) {
    if (file.status === 'removed') return []
    inStatus(file, 'present', REMOVED)
    return [{ type: 'FileRemoved', data: {} }]
  },
}

/** A file of an item, with versions. Its bytes are stored before the event that tells of them. */
export const file = aggregate({
  name: 'file',
  events,
  commands,
  api: {
    add: 'internal',
    addVersion: 'internal',
    change: ['PATCH /files/:id', 'files.write', 'Give a file another name or other metadata.'],
    remove: ['DELETE /files/:id', 'files.write', 'Remove a file. Earlier positions still show it.'],
  },
  rejections,
  initial: { status: 'none' } as File,
  evolve,
  decide,
  partOf: partBy('item', (file: File, { item }) => [file.status === 'present' ? file.item : item]),
  stateSchema: 3,
  subjectOf: file => (file.status === 'present' ? file.owner : undefined),
  keeps: ['add', 'addVersion'],
  removedBy: ['FileRemoved'],
  activity: {
    called: 'name',
    on: {
      FileAdded: said`added the file ${THING} to an item`,
      FileVersionAdded: ({ version }) => said`added version ${String(version)} of the file ${THING}`,
      FileChanged: said`changed the file ${THING}`,
      FileRemoved: said`removed the file ${THING}`,
    },
  },
})
