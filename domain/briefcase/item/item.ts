import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Json, storableFault } from '../../kernel/json.ts'
import { changedFields, mergePatch } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

type Details = {
  readonly type: string
  readonly name: string
  readonly description?: string | undefined
  readonly metadata: { readonly [key: string]: Json }
  readonly stage: string
}

export type Item =
  | { readonly status: 'none' }
  | ({ readonly status: 'active' } & Details)
  | ({ readonly status: 'archived' } & Details)

const evolve: Evolve<Item, typeof events> = {
  ItemAdded: (_, { type, name, description, metadata, status }) => ({
    status: 'active',
    type,
    name,
    description,
    metadata,
    stage: status,
  }),
  ItemUpdated: (item, { type, name, description, metadata }) => {
    const active = inStatus(item, 'active')
    return {
      ...active,
      type: type ?? active.type,
      name: name ?? active.name,
      description: description === undefined ? active.description : (description ?? undefined),
      metadata: metadata ?? active.metadata,
    }
  },
  ItemStatusChanged: (item, { to }) => ({ ...inStatus(item, 'active'), stage: to }),
  ItemArchived: item => ({ ...inStatus(item, 'active'), status: 'archived' }),
}

const ARCHIVED = ['item_archived', 'The item is archived; add it again first.'] as const

const decide: Decide<Item, typeof commands, typeof events> = {
  add(item, { type, status, name, description, metadata = {} }, { actor }) {
    if (item.status === 'active')
      throw rejected('item_already_added', 'The item exists; update it or choose another id.')
    const data = { type, status, name, metadata, owner: actor, ...(description !== undefined && { description }) }
    return [{ type: 'ItemAdded', data }]
  },
  update(item, { metadata, status, reason, ...changes }, context) {
    const active = inStatus(item, 'active', ARCHIVED)
    const merged = metadata === undefined ? undefined : mergedMetadata(active.metadata, metadata)
    const { type, name } = active
    const before = { type, name, description: active.description ?? null, metadata: active.metadata }
    const changed = changedFields(before, { ...changes, metadata: merged })
    const moved = status === undefined ? [] : decide.changeStatus(item, { status, reason }, context)
    if (Object.keys(changed).length === 0) return moved
    return [{ type: 'ItemUpdated', data: { ...changed, ...because(reason) } }, ...moved]
  },
  changeStatus(item, { status, reason }) {
    const { stage } = inStatus(item, 'active', ARCHIVED)
    if (status === stage) return []
    return [{ type: 'ItemStatusChanged', data: { from: stage, to: status, ...because(reason) } }]
  },
  archive(item, { reason }) {
    if (item.status === 'archived') return []
    inStatus(item, 'active', ARCHIVED)
    return [{ type: 'ItemArchived', data: because(reason) }]
  },
}

/** A thing of the portfolio: added, described, moved through its stages, archived; may be added again later. */
export const item = aggregate({
  name: 'item',
  events,
  commands,
  api: {
    add: ['POST /items', 'items.write', 'Add an item to the portfolio, or add an archived one again.'],
    update: [
      'PATCH /items/:id',
      'items.write',
      'Change any fields of an item, merged as RFC 7396 says: null removes; what is not named stays.',
    ],
    changeStatus: ['PUT /items/:id/status', 'items.write', 'Move an item to another status.'],
    archive: ['DELETE /items/:id', 'items.write', 'Archive an item.'],
  },
  rejections,
  initial: { status: 'none' } as Item,
  evolve,
  decide,
  stateSchema: 2,
  activity,
})

/** Members that are null are removed; the whole must still be metadata that can be stored. */
function mergedMetadata(before: Details['metadata'], patch: Details['metadata'] | null): Details['metadata'] {
  if (patch === null) return {}
  const merged = mergePatch(before, patch) as Details['metadata']
  const fault = storableFault(merged)
  if (fault === undefined) return merged
  throw rejected('item_metadata_too_large', `Merged, the metadata cannot be stored: ${fault}. Remove some of it first.`)
}
