import type { z } from 'zod'
import { events } from '../../domain/briefcase/item/messages.ts'
import { shareOf } from '../../domain/briefcase/item/sharing.ts'
import {
  currency,
  date,
  id,
  integer,
  jsonObject,
  list,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { wordsIn } from '../memory/texts.ts'
import { rowsSql } from '../rows/as-of.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { spelt } from '../rows/spellings.ts'
import { changed, made } from '../rows/thing.ts'
import { itemPlaces } from './item-places.ts'
import { itemValues } from './item-values.ts'

const row = object({
  org: id('org'),
  id: id('item'),
  type: text(64),
  name: text(500),
  description: text(10_000).optional(),
  status: text(64),
  lifecycle: oneOf('standard', 'free'),
  state: oneOf('active', 'archived'),
  metadata: jsonObject,
  tags: list(text(64), 50),
  briefcase: id('briefcase').optional(),
  owner: subjectName,
  editing: oneOf('open', 'restricted'),
  privacy: oneOf('organization', 'private'),
  readers: list(text(200), 201).meta({
    description: 'who may read it where it is private: `user mira`, `team design`',
  }),
  revision: unsigned64,
  added_revision: unsigned64.meta({ description: 'its revision when it was added, last' }),
  added_at: timestamp,
  updated_at: timestamp,
  archived_at: timestamp.optional(),
  archive_reason: text(1000).optional(),
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ItemAdded: made(({ parent: _, template: __, lifecycle = 'free', tags = [], ...data }, at, revision) => ({
    ...data,
    lifecycle,
    tags,
    state: 'active',
    editing: 'open',
    privacy: data.privacy ?? 'organization',
    readers: [shareOf('user', data.owner)],
    added_revision: revision,
    added_at: at,
  })),
  ItemUpdated: changed(({ type, name, description, metadata, tags, briefcase }, row) => ({
    type: type ?? row.type,
    name: name ?? row.name,
    description: description === undefined ? row.description : (description ?? undefined),
    metadata: metadata ?? row.metadata,
    tags: tags ?? row.tags,
    briefcase: briefcase === undefined ? row.briefcase : (briefcase ?? undefined),
  })),
  ItemStatusChanged: changed(({ to }) => ({ status: to })),
  ItemArchived: changed(({ reason }, _, at) => ({ state: 'archived', archived_at: at, archive_reason: reason })),
  ItemRestored: changed(() => ({ state: 'active', archived_at: undefined, archive_reason: undefined })),
  ItemValued: changed(() => ({})),
  ItemValueWithdrawn: changed(() => ({})),
  ItemShared: changed(({ kind, with: grantee }, { readers }) => ({
    readers: [...new Set([...readers, shareOf(kind, grantee)])],
  })),
  ItemUnshared: changed(({ kind, with: grantee }, { owner, readers }) => ({
    readers: readers.filter(reader => reader === shareOf('user', owner) || reader !== shareOf(kind, grantee)),
  })),
  ItemEditingSet: changed(({ editing }) => ({ editing })),
  ItemPrivacySet: changed(({ privacy }) => ({ privacy })),
  ItemPlacementRefused: changed(() => ({})),
}

const ARCHIVED = ['type', 'name', 'description', 'status', 'metadata', 'tags', 'briefcase', 'owner'] as const

const value = object({ amount: minorUnits, currency, places: integer(0, 30), on: date }).optional()

/** One row per portfolio item, archived ones too. */
export const items = projection({
  name: 'items',
  service: 'briefcase',
  version: 5,
  history: true,
  of: { item: events },
  row,
  key: ['org', 'id'],
  readers: 'own',
  on,
  computed: {
    parent: {
      schema: id('item').optional().meta({ description: 'the item that it stands below' }),
      of: [itemPlaces],
      isDaily: false,
      sql(alias, _, then) {
        const fixed = [
          ['org', `${alias}.org`],
          ['id', `${alias}.id`],
        ] as const
        const places = rowsSql(itemPlaces, fixed, then)
        return `(select p.parent from ${places} p where p.org = ${alias}.org and p.id = ${alias}.id)`
      },
    },
    value: {
      schema: value.meta({ description: 'what it is worth on the day of the answer' }),
      of: [itemValues],
      isDaily: true,
      sql(alias, today, then) {
        const fixed = [
          ['org', `${alias}.org`],
          ['item', `${alias}.id`],
        ] as const
        const values = rowsSql(itemValues, fixed, then)
        const said = `'amount', v.amount::text, 'currency', v.currency, 'places', v.places, 'on', v."on"`
        return `(select jsonb_build_object(${said})
          from ${values} v where v.org = ${alias}.org and v.item = ${alias}.id and v."on" <= ${today}
          order by v."on" desc limit 1)`
      },
    },
    archived_data: {
      schema: jsonObject.optional().meta({ description: 'what it was when it was archived, while it is' }),
      of: [],
      isDaily: false,
      // Nulls within the metadata are the client's.
      sql: item =>
        `(case when ${item}.state = 'archived' then (select jsonb_object_agg(key, value)
          from jsonb_each(jsonb_build_object(${ARCHIVED.map(name => `'${name}', ${item}.${name}`).join(', ')}))
          where value <> 'null') end)`,
    },
    ...spelt({ item_id: 'id', briefcase_id: 'briefcase', owner_id: 'owner', created_at: 'added_at' }),
    ...spelt({ version: 'revision' }, unsigned64),
  },
  reads: [
    {
      one: 'item',
      many: 'items',
      path: '/items',
      permission: 'items.read',
      names: ['id'],
      order: ['id'],
      filters: ['state', 'status', 'type', 'owner', 'briefcase', 'tags', 'name', 'added_at', 'privacy'],
      groups: ['state', 'status', 'type', 'owner', 'briefcase', 'added_at'],
      summary: { list: 'The portfolio: its items, archived ones too.', get: 'An item of the portfolio.' },
    },
    {
      one: 'archived item',
      many: 'archived items',
      path: '/archive',
      permission: 'items.read',
      where: { state: 'archived' },
      names: [],
      order: ['id'],
      filters: ['archived_at'],
      walked: ['type', 'briefcase'],
      groups: ['type', 'status', 'briefcase', 'archived_at'],
      summary: {
        list: 'The archive: the items in it as they were, with when and why they were put there.',
      },
    },
  ],
  memory: {
    kind: 'item',
    on: {
      ItemAdded: {
        anew: ({ name, description, metadata }) => ({ title: name, body: description, details: wordsIn(metadata) }),
      },
      ItemUpdated: {
        revise: ({ name, description, metadata }) => ({
          title: name,
          body: description,
          details: metadata === undefined ? undefined : wordsIn(metadata),
        }),
      },
    },
  },
})
