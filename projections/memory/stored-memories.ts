import type { z } from 'zod'
import { id, jsonObject, list, object, oneOf, sealed, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events, LINKS_MAX, SHARES_MAX } from '../../domain/memory/memory/messages.ts'
import { grantOf } from '../../domain/memory/memory/rights.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { type Handlers, type MemoryStep, type MemoryTraits, projection } from '../rows/projection.ts'
import { speltAs } from '../rows/spellings.ts'
import { changed, made, removed } from '../rows/thing.ts'
import { wordsIn } from './texts.ts'

const { type, source, session, subjects, validFrom, validTo, tags, privacy } = events.MemoryStored.shape
const valid = { valid_from: validFrom, valid_to: validTo }

const row = object({
  org: id('org'),
  id: id('memory'),
  type,
  text: sealed,
  source,
  session,
  subjects,
  author: subjectName,
  ...valid,
  metadata: jsonObject.optional(),
  tags,
  links: list(object({ type: text(64), kind: text(64), to: id('thing'), ...valid }), LINKS_MAX),
  privacy,
  readers: list(text(200), SHARES_MAX + 1).meta({
    description: 'who may read it where it is private: `user mira`, `team design`, `module causal`',
  }),
  state: oneOf('active', 'archived'),
  expires_at: timestamp.optional().meta({ description: 'when it is forgotten by itself' }),
  revision: unsigned64,
  stored_at: timestamp,
  updated_at: timestamp,
})
type Row = z.output<typeof row>

const isOther = (a: MemoryTraits['links'][number]) => (b: MemoryTraits['links'][number]) =>
  a.type !== b.type || a.kind !== b.kind || a.to !== b.to

type Linked = z.output<typeof events.MemoryLinked>

const linkOf = ({ type, kind, to, validFrom, validTo }: Linked) => ({
  type,
  kind,
  to,
  ...(validFrom !== undefined && { valid_from: validFrom }),
  ...(validTo !== undefined && { valid_to: validTo }),
})

/** A field as it is after a change: `undefined` where it stays, null where it goes. */
const revised = <T>(change: T | null | undefined, before: T | undefined): T | undefined =>
  change === undefined ? before : (change ?? undefined)

const on: Handlers<Row, typeof events> = {
  MemoryStored: made(({ validFrom, validTo, expiresAt, ...data }, at) => ({
    ...data,
    valid_from: validFrom,
    valid_to: validTo,
    expires_at: expiresAt,
    links: [],
    readers: [grantOf('user', data.author)],
    state: 'active',
    stored_at: at,
  })),
  MemoryRevised: changed(({ type, text, source, session, validFrom, validTo, metadata }, row) => ({
    type: type ?? row.type,
    text: text ?? row.text,
    source: revised(source, row.source),
    session: revised(session, row.session),
    valid_from: revised(validFrom, row.valid_from),
    valid_to: revised(validTo, row.valid_to),
    metadata: revised(metadata, row.metadata),
  })),
  MemoryTagged: changed(({ tags }, row) => ({ tags: [...row.tags, ...tags] })),
  MemoryUntagged: changed(({ tags }, row) => ({ tags: row.tags.filter(tag => !tags.includes(tag)) })),
  MemoryLinked: changed((link, row) => ({ links: [...row.links.filter(isOther(link)), linkOf(link)] })),
  MemoryUnlinked: changed((link, row) => ({ links: row.links.filter(isOther(link)) })),
  MemoryExpirySet: changed(({ expiresAt }) => ({ expires_at: expiresAt ?? undefined })),
  MemoryPrivacySet: changed(({ privacy }) => ({ privacy })),
  MemoryShared: changed(({ kind, with: name }, { readers }) => ({
    readers: [...new Set([...readers, grantOf(kind, name)])],
  })),
  MemoryUnshared: changed(({ kind, with: name }, { author, readers }) => ({
    readers: readers.filter(reader => reader === grantOf('user', author) || reader !== grantOf(kind, name)),
  })),
  MemoryArchived: changed(() => ({ state: 'archived' })),
  MemoryUnarchived: changed(() => ({ state: 'active' })),
  MemoryExpired: removed,
  MemoryForgotten: removed,
}

type Steps = { readonly [K in keyof typeof events]?: MemoryStep<z.output<(typeof events)[K]>> }

/** The traits are there: the memory began with them. */
const traitsWith = <D>(change: (data: D, before: MemoryTraits) => Partial<MemoryTraits>): MemoryStep<D> => ({
  revise: (data, before) => ({ traits: { ...before!, ...change(data, before!) } }),
})

const remembered: Steps = {
  MemoryStored: {
    anew: ({ type, author, text, tags, subjects, source, session, validFrom, validTo, metadata }) => ({
      body: text,
      details: metadata === undefined ? undefined : wordsIn(metadata),
      traits: { type, author, tags, subjects, source, session, valid_from: validFrom, valid_to: validTo, links: [] },
    }),
  },
  MemoryRevised: {
    revise: ({ type, text, source, session, validFrom, validTo, metadata }, before) => ({
      body: text,
      details: metadata === undefined ? undefined : metadata && wordsIn(metadata),
      traits: {
        ...before!,
        type: type ?? before!.type,
        source: revised(source, before!.source),
        session: revised(session, before!.session),
        valid_from: revised(validFrom, before!.valid_from),
        valid_to: revised(validTo, before!.valid_to),
      },
    }),
  },
  MemoryTagged: traitsWith(({ tags }, before) => ({ tags: [...before.tags, ...tags] })),
  MemoryUntagged: traitsWith(({ tags }, before) => ({ tags: before.tags.filter(tag => !tags.includes(tag)) })),
  MemoryLinked: traitsWith((link, { links }) => ({ links: [...links.filter(isOther(link)), linkOf(link)] })),
  MemoryUnlinked: traitsWith((link, { links }) => ({ links: links.filter(isOther(link)) })),
  MemoryExpired: 'forget',
  MemoryForgotten: 'forget',
}

/** One row for each memory that was stored as such and is not forgotten. */
export const storedMemories = projection({
  name: 'stored_memories',
  service: 'memory',
  version: 1,
  history: true,
  of: { memory: events },
  row,
  key: ['org', 'id'],
  readers: 'own',
  computed: speltAs(row.shape, { memory_type: 'type' }),
  on,
  reads: [
    {
      one: 'memory',
      many: 'memories',
      path: '/memories',
      permission: 'memories.read',
      names: ['id'],
      order: ['id'],
      filters: ['type', 'source', 'session', 'author', 'stored_at', 'expires_at'],
      walked: ['tags', 'subjects', 'state', 'privacy'],
      groups: ['type', 'source', 'session', 'author', 'state', 'stored_at'],
      summary: { list: 'The memories that were stored, by type, session and who stored them.', get: 'A memory.' },
    },
  ],
  memory: { kind: 'memory', on: remembered },
})
