/** The portfolio item's storage and wire contract: add, never rename; change a shape with an upcaster. */
import {
  currency,
  date,
  id,
  integer,
  jsonObject,
  list,
  object,
  oneOf,
  ref,
  text,
  unsignedMinorUnits,
} from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { subjectName } from '../../record/subject.ts'

/** What a portfolio is made of; other words are taken as well. */
const TYPES = ['project', 'app', 'asset', 'solution', 'investment', 'sub-portfolio'] as const

const type = text(64).meta({
  description: `what it is: ${TYPES.join(', ')}, or a word of yours of up to 64 characters`,
})
const status = text(64)
const lifecycle = oneOf('standard', 'free').meta({
  description:
    '`standard`: draft, active, on-hold, completed, cancelled, by the moves that make sense; `free`: any words. Left ' +
    'out, it is `standard` where it begins with one of these words',
})
const details = {
  name: text(500),
  description: text(10_000),
  metadata: jsonObject,
  tags: list(text(64), 50),
}
const briefcase = ref('briefcase')
const value = {
  amount: unsignedMinorUnits.meta({ description: 'what it is worth, in minor units of the currency' }),
  currency,
  places: integer(0, 30).meta({
    description: 'decimal places of the amount: those of ISO 4217 where nothing is said, and none for another unit',
  }),
  on: date.meta({ description: 'the day from which on it is worth this' }),
  note: text(1000),
}
const withWhom = oneOf('user', 'team')
const grantee = id('user or team')
const role = oneOf('reader', 'editor', 'owner').meta({
  description:
    '`reader`: changes nothing; `editor`: changes it, its book, files, place and workspaces; `owner`: shares it too. ' +
    'The highest of a user and their teams counts',
})
const editing = oneOf('open', 'restricted').meta({
  description:
    '`open`: everybody who may write items can change it, except its readers; `restricted`: only owners and editors',
})
const privacy = oneOf('organization', 'private').meta({
  description:
    '`organization`: read by everybody who may read items; `private`: read and changed by its owner, by those it is ' +
    'shared with, and by who administers items or reads the audit log',
})

export const events = {
  ItemAdded: object({
    type,
    status,
    name: details.name,
    description: details.description.optional(),
    metadata: details.metadata,
    owner: subjectName,
    lifecycle: lifecycle.optional(),
    tags: details.tags.optional(),
    briefcase: id('briefcase').optional(),
    /** The item that it is to be placed under, which a process asks for. */
    parent: id('item').optional(),
    /** The template that it began with. */
    template: id('item template').optional(),
    privacy: privacy.optional(),
  }),
  ItemUpdated: object({
    type: type.optional(),
    name: details.name.optional(),
    description: details.description.nullable().optional(),
    metadata: details.metadata.optional(),
    tags: details.tags.optional(),
    briefcase: id('briefcase').nullable().optional(),
    reason: reason.optional(),
  }),
  ItemStatusChanged: object({ from: status, to: status, reason: reason.optional() }),
  ItemArchived: object({ reason: reason.optional() }),
  ItemRestored: object({ reason: reason.optional() }),
  ItemValued: object({
    ...value,
    places: value.places.optional(),
    note: value.note.optional(),
  }),
  ItemValueWithdrawn: object({ on: date, reason: reason.optional() }),
  ItemShared: object({ kind: withWhom, with: grantee, role }),
  ItemUnshared: object({ kind: withWhom, with: grantee }),
  ItemEditingSet: object({ editing }),
  ItemPrivacySet: object({ privacy }),
  ItemPlacementRefused: object({ parent: id('item'), code: text(64), reason: text(1000) }),
} as const

const shared = {
  name: details.name,
  description: details.description.optional(),
  metadata: details.metadata.optional(),
  tags: details.tags.optional(),
  briefcase: briefcase.optional(),
}

export const commands = {
  add: object({
    id: id('item').optional(),
    type: type.optional(),
    status: status.optional(),
    lifecycle: lifecycle.optional(),
    ...shared,
    parent: ref('item').optional(),
    privacy: privacy.optional(),
    template: ref('itemtemplate')
      .optional()
      .meta({ description: 'the template that gives what is left out; without one it is a project and a draft' }),
  }).meta({
    examples: [{ id: 'item-1', type: 'project', name: 'Website for a bakery', metadata: { client: 'Bakery Blum' } }],
  }),
  replace: object({ type: type.optional(), status: status.optional(), ...shared, reason: reason.optional() }).meta({
    examples: [{ type: 'project', name: 'Website for a bakery', tags: ['web'], metadata: { client: 'Bakery Blum' } }],
  }),
  update: object({
    type: type.optional(),
    status: status.optional(),
    name: details.name.optional(),
    description: details.description.nullable().optional(),
    metadata: details.metadata.nullable().optional(),
    tags: details.tags.nullable().optional(),
    briefcase: briefcase.nullable().optional(),
    reason: reason.optional(),
  }).meta({ examples: [{ name: 'Website and shop for a bakery', metadata: { pages: 12 } }] }),
  changeStatus: object({ status, reason: reason.optional() }).meta({ examples: [{ status: 'active' }] }),
  archive: object({ reason: reason.optional() }).meta({ examples: [{ reason: 'delivered' }] }),
  restore: object({ reason: reason.optional() }),
  appraise: object({
    amount: value.amount,
    currency,
    places: value.places.optional(),
    on: value.on.optional(),
    note: value.note.optional(),
  }).meta({ examples: [{ amount: '250000', currency: 'EUR', on: '2026-01-01', note: 'Offer of a buyer' }] }),
  withdrawValue: object({ on: date, reason: reason.optional() }).meta({ examples: [{ on: '2026-01-01' }] }),
  share: object({ kind: withWhom.default('user'), with: grantee, role }).meta({
    examples: [{ kind: 'user', with: 'jon', role: 'editor' }],
  }),
  unshare: object({ kind: withWhom, with: grantee }).meta({ examples: [{ kind: 'user', with: 'jon' }] }),
  setEditing: object({ editing }).meta({ examples: [{ editing: 'restricted' }] }),
  setPrivacy: object({ privacy }).meta({ examples: [{ privacy: 'private' }] }),
  refusePlacement: object({ parent: id('item'), code: text(64), reason: text(1000) }),
} as const

export const rejections = [
  'item_already_added',
  'item_archived',
  'item_metadata_too_large',
  'item_status_not_allowed',
  'item_value_unknown',
  'item_not_yours',
  'item_shares_full',
] as const
