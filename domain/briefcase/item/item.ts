import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { canonicalJson, type Json } from '../../kernel/json.ts'
import { commands, events, rejections } from './messages.ts'

type Details = {
  readonly name: string
  readonly description?: string | undefined
  readonly metadata: { readonly [key: string]: Json }
  readonly stage: string
}

export type Item =
  | { readonly status: 'none' }
  | ({ readonly status: 'active' } & Details)
  | ({ readonly status: 'archived' } & Details)
type ActiveItem = Extract<Item, { status: 'active' }>

const evolve: Evolve<Item, typeof events> = {
  ItemAdded: (_, { name, description, metadata, status }) => ({
    status: 'active',
    name,
    description,
    metadata,
    stage: status,
  }),
  ItemUpdated: (item, { name, description, metadata }) => {
    const active = activeOf(item)
    return {
      ...active,
      name: name ?? active.name,
      description: description === undefined ? active.description : (description ?? undefined),
      metadata: metadata ?? active.metadata,
    }
  },
  ItemStatusChanged: (item, { to }) => ({ ...activeOf(item), stage: to }),
  ItemArchived: item => ({ ...activeOf(item), status: 'archived' }),
}

const decide: Decide<Item, typeof commands, typeof events> = {
  add(item, { type, status, name, description, metadata = {} }, { actor }) {
    if (item.status === 'active')
      throw rejected('item_already_added', 'The item exists; update it or choose another id.')
    const data = { type, status, name, metadata, owner: actor, ...(description !== undefined && { description }) }
    return [{ type: 'ItemAdded', data }]
  },
  update(item, changes) {
    const active = mustBeActive(item)
    const before = { name: active.name, description: active.description ?? null, metadata: active.metadata }
    const changed = Object.entries(changes).filter(
      ([field, value]) =>
        value !== undefined && canonicalJson(value) !== canonicalJson(before[field as keyof typeof before]),
    )
    return changed.length === 0 ? [] : [{ type: 'ItemUpdated', data: Object.fromEntries(changed) }]
  },
  changeStatus(item, { status }) {
    const { stage } = mustBeActive(item)
    return status === stage ? [] : [{ type: 'ItemStatusChanged', data: { from: stage, to: status } }]
  },
  archive(item, { reason }) {
    if (item.status === 'archived') return []
    mustBeActive(item)
    return [{ type: 'ItemArchived', data: reason === undefined ? {} : { reason } }]
  },
}

/** A thing of the portfolio: added, described, moved through its stages, archived; may be added again later. */
export const item = aggregate({
  name: 'item',
  service: 'kbfc',
  events,
  commands,
  rejections,
  initial: { status: 'none' } as Item,
  evolve,
  decide,
  stateSchema: 1,
  http: {
    add: 'POST /items',
    update: 'PATCH /items/:id',
    changeStatus: 'PUT /items/:id/status',
    archive: 'DELETE /items/:id',
  },
  allow: {
    add: 'briefcase.items.write',
    update: 'briefcase.items.write',
    changeStatus: 'briefcase.items.write',
    archive: 'briefcase.items.write',
  },
  summary: {
    add: 'Add an item to the portfolio, or add an archived one again.',
    update: 'Change the name, description or metadata of an item; what is not named stays.',
    changeStatus: 'Move an item to another status.',
    archive: 'Archive an item.',
  },
})

function mustBeActive(item: Item): ActiveItem {
  if (item.status !== 'active') throw rejected('item_archived', 'The item is archived; add it again first.')
  return item
}

function activeOf(item: Item): ActiveItem {
  invariant(item.status === 'active', `an event of an item that is ${item.status}`)
  return item
}
