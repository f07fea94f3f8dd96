import { aggregate, type Context, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Json, storableFault } from '../../kernel/json.ts'
import { changedFields, isSame, mergePatch } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import { activity } from './activity.ts'
import { api } from './api.ts'
import { lifecycleOf, mustBegin, mustMove } from './lifecycle.ts'
import { commands, events, rejections } from './messages.ts'
import { granteeOf, mustEdit, mustOwn, SHARES_MAX, type Shares, shareOf } from './sharing.ts'

type Valued = ReturnType<(typeof events)['ItemValued']['parse']>

type Details = {
  readonly type: string
  readonly name: string
  readonly description?: string | undefined
  readonly metadata: { readonly [key: string]: Json }
  readonly tags: readonly string[]
  readonly briefcase?: string | undefined
  readonly stage: string
  readonly lifecycle: 'standard' | 'free'
  readonly owner: string
  readonly shares: Shares
  readonly editing: 'open' | 'restricted'
  readonly privacy: 'organization' | 'private'
  /** The valuation that was recorded last. */
  readonly valued?: Valued | undefined
}

export type Item =
  | { readonly status: 'none' }
  | ({ readonly status: 'active' } & Details)
  | ({ readonly status: 'archived' } & Details)
type Active = Extract<Item, { status: 'active' }>

const evolve: Evolve<Item, typeof events> = {
  // Logs of before have items that were made anew without a word of the shares of before.
  ItemAdded: (_, { status, tags = [], lifecycle = 'free', privacy = 'organization', ...said }) => ({
    status: 'active',
    type: said.type,
    name: said.name,
    description: said.description,
    metadata: said.metadata,
    tags,
    briefcase: said.briefcase,
    stage: status,
    lifecycle,
    owner: said.owner,
    shares: {},
    editing: 'open',
    privacy,
  }),
  ItemUpdated: (item, { type, name, description, metadata, tags, briefcase }) => {
    const active = inStatus(item, 'active')
    return {
      ...active,
      type: type ?? active.type,
      name: name ?? active.name,
      description: description === undefined ? active.description : (description ?? undefined),
      metadata: metadata ?? active.metadata,
      tags: tags ?? active.tags,
      briefcase: briefcase === undefined ? active.briefcase : (briefcase ?? undefined),
    }
  },
  ItemStatusChanged: (item, { to }) => ({ ...inStatus(item, 'active'), stage: to }),
  ItemArchived: item => ({ ...inStatus(item, 'active'), status: 'archived' }),
  ItemRestored: item => ({ ...inStatus(item, 'archived'), status: 'active' }),
  ItemValued: (item, valued) => ({ ...inStatus(item, 'active'), valued }),
  ItemValueWithdrawn(item, { on }) {
    const active = inStatus(item, 'active')
    return active.valued?.on === on ? { ...active, valued: undefined } : active
  },
  ItemShared(item, { kind, with: grantee, role }) {
    const active = inStatus(item, 'active')
    return { ...active, shares: { ...active.shares, [shareOf(kind, grantee)]: role } }
  },
  ItemUnshared(item, { kind, with: grantee }) {
    const before = item.status === 'archived' ? item : inStatus(item, 'active')
    const { [shareOf(kind, grantee)]: _, ...shares } = before.shares
    return { ...before, shares }
  },
  ItemEditingSet: (item, { editing }) => ({ ...inStatus(item, 'active'), editing }),
  ItemPrivacySet: (item, { privacy }) => ({ ...inStatus(item, 'active'), privacy }),
  ItemPlacementRefused: item => item,
}

const ARCHIVED = ['item_archived', 'The item is archived; restore it first.'] as const

const decide: Decide<Item, typeof commands, typeof events> = {
  add(item, { id: _, ...given }, context) {
    const { actor, behalf, seen } = context
    if (item.status === 'active')
      throw rejected('item_already_added', 'The item exists; update it or choose another id.')
    if (item.status === 'archived') mustOwn(item, context)
    const shares = item.status === 'archived' ? Object.keys(item.shares) : []
    const said = { ...templateOf(seen), ...given }
    const { type = 'project', status = 'draft', metadata = {} } = said
    const { lifecycle = lifecycleOf(status) } = said
    mustBegin(lifecycle, status)
    const owner = behalf?.subject ?? actor
    return [
      ...shares.map(share => ({ type: 'ItemUnshared' as const, data: granteeOf(share) })),
      { type: 'ItemAdded', data: { ...said, type, status, lifecycle, metadata, owner } },
    ]
  },
  replace(item, { status, reason, type, name, description, metadata, tags, briefcase }, context) {
    const wanted = {
      name,
      description: description ?? null,
      metadata: metadata ?? {},
      tags: tags ?? [],
      briefcase: briefcase ?? null,
      ...(type !== undefined && { type }),
    }
    return changes(item, wanted, { status, reason }, context)
  },
  update(item, { metadata, tags, status, reason, ...rest }, context) {
    const { metadata: before } = inStatus(item, 'active', ARCHIVED)
    const merged = metadata === undefined ? undefined : mergedMetadata(before, metadata)
    const wanted = { ...rest, metadata: merged, tags: tags === null ? [] : tags }
    return changes(item, wanted, { status, reason }, context)
  },
  changeStatus(item, { status, reason }, context) {
    const { stage, lifecycle } = editable(item, context)
    if (status === stage) return []
    mustMove(lifecycle, stage, status)
    return [{ type: 'ItemStatusChanged', data: { from: stage, to: status, ...because(reason) } }]
  },
  archive(item, { reason }, context) {
    if (item.status === 'archived') return []
    editable(item, context)
    return [{ type: 'ItemArchived', data: because(reason) }]
  },
  restore(item, { reason }, context) {
    if (item.status === 'active') return []
    mustEdit(inStatus(item, 'archived'), context)
    return [{ type: 'ItemRestored', data: because(reason) }]
  },
  appraise(item, { on, places, ...value }, context) {
    const { valued } = editable(item, context)
    const data = { ...value, ...(places !== undefined && { places }), on: on ?? context.at.slice(0, 10) }
    return valued && isSame(written(valued), written(data)) ? [] : [{ type: 'ItemValued', data }]
  },
  withdrawValue(item, { on, reason }, context) {
    editable(item, context)
    if (!context.found) throw rejected('item_value_unknown', 'The item was never valued on this day.', { on })
    if (context.found.type === 'ItemValueWithdrawn') return []
    return [{ type: 'ItemValueWithdrawn', data: { on, ...because(reason) } }]
  },
  share(item, { kind, with: grantee, role }, context) {
    const { shares } = owned(item, context)
    const key = shareOf(kind, grantee)
    if (Object.hasOwn(shares, key) && shares[key] === role) return []
    if (!Object.hasOwn(shares, key) && Object.keys(shares).length >= SHARES_MAX) {
      throw rejected('item_shares_full', 'Share it with teams instead of so many users.', { most: SHARES_MAX })
    }
    return [{ type: 'ItemShared', data: { kind, with: grantee, role } }]
  },
  unshare(item, { kind, with: grantee }, context) {
    const { shares } = owned(item, context)
    const isShared = Object.hasOwn(shares, shareOf(kind, grantee))
    return isShared ? [{ type: 'ItemUnshared', data: { kind, with: grantee } }] : []
  },
  setEditing(item, { editing }, context) {
    return owned(item, context).editing === editing ? [] : [{ type: 'ItemEditingSet', data: { editing } }]
  },
  setPrivacy(item, { privacy }, context) {
    return owned(item, context).privacy === privacy ? [] : [{ type: 'ItemPrivacySet', data: { privacy } }]
  },
  refusePlacement: (_, refusal) => [{ type: 'ItemPlacementRefused', data: refusal }],
}

/** A thing of the portfolio: added, described, moved through its stages, valued, shared, archived and restored. */
export const item = aggregate({
  name: 'item',
  events,
  commands,
  api,
  rejections,
  initial: { status: 'none' } as Item,
  evolve,
  decide,
  looksUp: {
    withdrawValue: ({ on }) => ({ types: ['ItemValued', 'ItemValueWithdrawn'], is: data => data.on === on }),
  },
  sees: {
    add: ({ template }) => (template === undefined ? undefined : { category: 'itemtemplate', id: template }),
  },
  stateSchema: 6,
  guard: (item, context) => {
    if (item.status === 'none') return
    mustEdit(item, context)
    inStatus(item, 'active', ARCHIVED)
  },
  activity,
  spellings: { briefcase_id: 'briefcase', parent_id: 'parent' },
})

type Given = Partial<Pick<Details, 'type' | 'description' | 'metadata'>> & {
  readonly status?: string
  readonly tags?: string[]
}

/** What a template says of new items; its title is its own, and a field that is null says nothing. */
function templateOf(seen: unknown): Given {
  const { fields: { title: _, ...said } = {} } = (seen ?? {}) as { readonly fields?: Record<string, unknown> }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null)) as Given
}

function editable(item: Item, context: Context): Active {
  const active = inStatus(item, 'active', ARCHIVED)
  mustEdit(active, context)
  return active
}

function owned(item: Item, context: Context): Active {
  const active = inStatus(item, 'active', ARCHIVED)
  mustOwn(active, context)
  return active
}

type Move = { readonly status: string | undefined; readonly reason: string | undefined }

/** The events that lead from an item as it is to what is wanted. */
function changes(item: Item, wanted: Readonly<Record<string, unknown>>, { status, reason }: Move, context: Context) {
  const { type, name, description, metadata, tags, briefcase } = editable(item, context)
  const before = { type, name, description: description ?? null, metadata, tags, briefcase: briefcase ?? null }
  const changed = changedFields(before, wanted)
  const moved = status === undefined ? [] : decide.changeStatus(item, { status, reason }, context)
  if (Object.keys(changed).length === 0) return moved
  return [{ type: 'ItemUpdated' as const, data: { ...changed, ...because(reason) } }, ...moved]
}

const written = ({ amount, ...value }: Valued) => ({ ...value, amount: String(amount) })

/** Members that are null are removed; the whole must still be metadata that can be stored. */
function mergedMetadata(before: Details['metadata'], patch: Details['metadata'] | null): Details['metadata'] {
  if (patch === null) return {}
  const merged = mergePatch(before, patch) as Details['metadata']
  const fault = storableFault(merged)
  if (fault === undefined) return merged
  throw rejected('item_metadata_too_large', `Merged, the metadata cannot be stored: ${fault}. Remove some of it first.`)
}
