/** The portfolio item's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { id, jsonObject, object, text } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'

const type = text(64).meta({
  description: 'what it is: project, app, asset, solution, investment …; 1 to 64 characters',
})
const status = text(64)
const details = {
  name: text(500),
  description: text(10_000),
  metadata: jsonObject,
}

export const events = {
  ItemAdded: object({
    type,
    status,
    name: details.name,
    description: details.description.optional(),
    metadata: details.metadata,
    owner: id('user'),
  }),
  ItemUpdated: object({
    type: type.optional(),
    name: details.name.optional(),
    description: details.description.nullable().optional(),
    metadata: details.metadata.optional(),
    reason: reason.optional(),
  }),
  ItemStatusChanged: object({ from: status, to: status, reason: reason.optional() }),
  ItemArchived: object({ reason: reason.optional() }),
} as const

export const commands = {
  add: object({
    id: id('item').optional(),
    type: type.default('project'),
    status: status.default('draft'),
    name: details.name,
    description: details.description.optional(),
    metadata: details.metadata.optional(),
  }).meta({
    examples: [{ id: 'item-1', type: 'project', name: 'Website for a bakery', metadata: { client: 'Bakery Blum' } }],
  }),
  update: object({
    type: type.optional(),
    status: status.optional(),
    name: details.name.optional(),
    description: details.description.nullable().optional(),
    metadata: details.metadata.nullable().optional(),
    reason: reason.optional(),
  }).meta({ examples: [{ name: 'Website and shop for a bakery', metadata: { pages: 12 } }] }),
  changeStatus: object({ status, reason: reason.optional() }).meta({ examples: [{ status: 'active' }] }),
  archive: object({ reason: reason.optional() }).meta({ examples: [{ reason: 'delivered' }] }),
} as const

export const rejections = ['item_already_added', 'item_archived', 'item_metadata_too_large'] as const
