import { aggregate, type Context, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import type { Json } from '../../kernel/json.ts'
import type { Sealed } from '../../kernel/schema.ts'
import { type Keyed, memberOf } from '../../record/keyed.ts'
import { changedFields } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import { activity } from './activity.ts'
import { api } from './api.ts'
import { commands, events, LINKS_MAX, rejections, SHARES_MAX, TAGS_MAX } from './messages.ts'
import { grantOf, mustBeAuthor, mustBeOpen } from './rights.ts'

type Details = {
  readonly type: string
  readonly text: Sealed
  readonly source: string | null
  readonly session: string | null
  readonly validFrom: string | null
  readonly validTo: string | null
  readonly metadata: { readonly [key: string]: Json } | null
}

type Kept = {
  readonly author: string
  readonly subjects: readonly string[]
  readonly privacy: 'organization' | 'private'
  readonly details: Details
  readonly tags: readonly string[]
  /** Links, each as `linkOf` writes it. */
  readonly links: readonly string[]
  readonly shares: readonly string[]
  readonly expiresAt: string | null
}

export type Memory =
  | { readonly status: 'none' }
  | ({ readonly status: 'active' } & Kept)
  | ({ readonly status: 'archived' } & Kept)
  | { readonly status: 'forgotten' }
type Present = Extract<Memory, Kept>

type Link = { readonly type: string; readonly kind: string; readonly to: string }
/** No id and no type has a line feed within. */
const linkOf = ({ type, kind, to }: Link): string => JSON.stringify([type, kind, to])

const evolve: Evolve<Memory, typeof events> = {
  MemoryStored(_, { type, text, author, subjects, privacy, tags, ...more }) {
    const { source = null, session = null, validFrom = null, validTo = null, metadata = null, expiresAt = null } = more
    const details = { type, text, source, session, validFrom, validTo, metadata }
    return { status: 'active', author, subjects, privacy, details, tags, links: [], shares: [], expiresAt }
  },
  MemoryRevised(memory, { reason: _, ...changes }) {
    const active = inStatus(memory, 'active')
    return { ...active, details: { ...active.details, ...changes } as Details }
  },
  MemoryTagged(memory, { tags }) {
    const active = inStatus(memory, 'active')
    return { ...active, tags: [...active.tags, ...tags] }
  },
  MemoryUntagged(memory, { tags }) {
    const active = inStatus(memory, 'active')
    return { ...active, tags: active.tags.filter(tag => !tags.includes(tag)) }
  },
  MemoryLinked(memory, link) {
    const active = inStatus(memory, 'active')
    return { ...active, links: [...active.links.filter(each => each !== linkOf(link)), linkOf(link)] }
  },
  MemoryUnlinked(memory, link) {
    const active = inStatus(memory, 'active')
    return { ...active, links: active.links.filter(each => each !== linkOf(link)) }
  },
  MemoryExpirySet: (memory, { expiresAt }) => ({ ...presentOf(memory), expiresAt }),
  MemoryPrivacySet: (memory, { privacy }) => ({ ...presentOf(memory), privacy }),
  MemoryShared(memory, { kind, with: name }) {
    const present = presentOf(memory)
    return { ...present, shares: [...present.shares, grantOf(kind, name)] }
  },
  MemoryUnshared(memory, { kind, with: name }) {
    const present = presentOf(memory)
    return { ...present, shares: present.shares.filter(share => share !== grantOf(kind, name)) }
  },
  MemoryArchived: memory => ({ ...inStatus(memory, 'active'), status: 'archived' }),
  MemoryUnarchived: memory => ({ ...inStatus(memory, 'archived'), status: 'active' }),
  MemoryExpired: () => ({ status: 'forgotten' }),
  MemoryForgotten: () => ({ status: 'forgotten' }),
}

const decide: Decide<Memory, typeof commands, typeof events> = {
  store(memory, { id: _, ...given }, { actor, at }) {
    if (memory.status === 'forgotten') throw forgotten()
    if (memory.status !== 'none') {
      throw rejected('memory_already_stored', 'The memory exists; revise it or choose another id.')
    }
    const { valid_from: validFrom, valid_to: validTo, expires_at: expiresAt, subjects, tags, ...rest } = given
    mustHold(validFrom, validTo)
    mustBeAhead(expiresAt, at)
    const data = {
      ...rest,
      subjects: subjectsOf(subjects, actor),
      author: actor,
      ...(validFrom !== undefined && { validFrom }),
      ...(validTo !== undefined && { validTo }),
      tags: [...new Set(tags)],
      ...(expiresAt !== undefined && { expiresAt }),
    }
    return [{ type: 'MemoryStored', data }]
  },
  revise(memory, { valid_from: validFrom, valid_to: validTo, reason, ...others }, context) {
    const { details } = activeOf(memory, context)
    const changes = changedFields(details, { ...others, validFrom, validTo })
    if (Object.keys(changes).length === 0) return []
    const revised = { ...details, ...changes }
    mustHold(revised.validFrom, revised.validTo)
    return [{ type: 'MemoryRevised', data: { ...changes, ...because(reason) } }]
  },
  tag(memory, { tags }, context) {
    const before = activeOf(memory, context).tags
    const added = [...new Set(tags)].filter(tag => !before.includes(tag))
    mustHaveRoom('tags', before.length + added.length, TAGS_MAX)
    return added.length === 0 ? [] : [{ type: 'MemoryTagged', data: { tags: added } }]
  },
  untag(memory, { tags }, context) {
    const gone = activeOf(memory, context).tags.filter(tag => tags.includes(tag))
    return gone.length === 0 ? [] : [{ type: 'MemoryUntagged', data: { tags: gone } }]
  },
  link(memory, { valid_from: validFrom, valid_to: validTo, ...link }, context) {
    const { links } = activeOf(memory, context)
    mustHold(validFrom, validTo)
    if (link.kind === 'memory' && link.to === context.id) throw unknownLink(link)
    const { status } = context.seen as { readonly status: string }
    if (['none', 'removed', 'forgotten'].includes(status)) throw unknownLink(link)
    if (links.includes(linkOf(link))) return []
    mustHaveRoom('links', links.length + 1, LINKS_MAX)
    const data = { ...link, ...(validFrom && { validFrom }), ...(validTo && { validTo }) }
    return [{ type: 'MemoryLinked', data }]
  },
  unlink(memory, link, context) {
    return activeOf(memory, context).links.includes(linkOf(link)) ? [{ type: 'MemoryUnlinked', data: link }] : []
  },
  setExpiry(memory, { expires_at: expiresAt }, context) {
    const { expiresAt: before } = openOf(memory, context)
    if (before === expiresAt) return []
    mustBeAhead(expiresAt, context.at)
    return [{ type: 'MemoryExpirySet', data: { expiresAt } }]
  },
  setPrivacy(memory, { privacy }, context) {
    return ownOf(memory, context).privacy === privacy ? [] : [{ type: 'MemoryPrivacySet', data: { privacy } }]
  },
  share(memory, { kind, with: name }, context) {
    const { shares } = ownOf(memory, context)
    if (shares.includes(grantOf(kind, name))) return []
    mustHaveRoom('shares', shares.length + 1, SHARES_MAX)
    return [{ type: 'MemoryShared', data: { kind, with: name } }]
  },
  unshare(memory, { kind, with: name }, context) {
    const isShared = ownOf(memory, context).shares.includes(grantOf(kind, name))
    return isShared ? [{ type: 'MemoryUnshared', data: { kind, with: name } }] : []
  },
  archive(memory, { reason }, context) {
    return openOf(memory, context).status === 'archived' ? [] : [{ type: 'MemoryArchived', data: because(reason) }]
  },
  unarchive(memory, _, context) {
    return openOf(memory, context).status === 'active' ? [] : [{ type: 'MemoryUnarchived', data: {} }]
  },
  /** Late timers, and those of another time, change nothing; while a person of it is held the timer comes again. */
  expire(memory, { expires_at: expiresAt }, { at, seen }) {
    if (!isPresent(memory) || memory.expiresAt !== expiresAt || at < expiresAt) return []
    return matterOf(memory, seen) !== undefined ? [] : [{ type: 'MemoryExpired', data: { expiresAt } }]
  },
  forget(memory, { reason }, context) {
    if (memory.status === 'forgotten') return []
    const matter = matterOf(openOf(memory, context), context.seen)
    if (matter !== undefined) {
      throw rejected('memory_held', 'It holds data of a person who is under legal hold: lift that first.', { matter })
    }
    return [{ type: 'MemoryForgotten', data: because(reason) }]
  },
}

const isPresent = (memory: Memory): memory is Present => memory.status === 'active' || memory.status === 'archived'

const presentOf = (memory: Memory): Present => (memory.status === 'archived' ? memory : inStatus(memory, 'active'))

const forgotten = () =>
  rejected('memory_forgotten', 'The memory is forgotten for good: store another one, under an id of its own.')

/** The memory, where the caller may change it. */
function openOf(memory: Memory, context: Context): Present {
  if (!isPresent(memory)) throw forgotten()
  mustBeOpen(memory, context)
  return memory
}

/** The memory, where the caller may say who reads it. */
function ownOf(memory: Memory, context: Context): Present {
  if (!isPresent(memory)) throw forgotten()
  mustBeAuthor(memory, context)
  return memory
}

function activeOf(memory: Memory, context: Context): Present {
  return inStatus(openOf(memory, context), 'active', ['memory_archived', 'The memory is archived; unarchive it first.'])
}

function mustHold(from: string | null | undefined, to: string | null | undefined): void {
  if (!from || !to || from < to) return
  throw rejected('memory_valid_before', 'What it says must hold from a time before its end.', { from, to })
}

function mustBeAhead(expiresAt: string | null | undefined, at: string): void {
  if (expiresAt && expiresAt <= at) {
    throw rejected('memory_expires_before', 'The memory would be over already: name a time to come.', { expiresAt })
  }
}

function mustHaveRoom(what: string, count: number, most: number): void {
  if (count > most)
    throw rejected('memory_full', `A memory has at most ${most} ${what}: take others out first.`, { most })
}

const unknownLink = ({ kind, to }: Link) =>
  rejected('memory_link_unknown', 'There is no such thing to link the memory to.', { kind, to })

/** A matter for which one of its persons is under legal hold. */
function matterOf({ subjects }: Present, erasures: unknown): string | undefined {
  const { held } = erasures as { readonly held: Keyed<readonly string[]> }
  return subjects.flatMap(subject => memberOf(held, subject) ?? [])[0]
}

const subjectsOf = (named: readonly string[] | undefined, caller: string): string[] =>
  named === undefined || named.length === 0 ? [caller] : [...new Set(named)]

const ERASURES = () => ({ category: 'erasure', id: 'erasures' })

/**
 * Something that an organization wants to remember: stored, revised, tagged, linked, shared, archived, and forgotten
 * for good, by a command or when its time is over. Each has a key of its own, which goes with it, and with the data of
 * each of its subjects.
 */
export const memory = aggregate({
  name: 'memory',
  events,
  commands,
  api,
  rejections,
  initial: { status: 'none' } as Memory,
  evolve,
  decide,
  sees: {
    link: ({ kind, to }) => ({ category: kind, id: to }),
    expire: ERASURES,
    forget: ERASURES,
  },
  stateSchema: 1,
  subjectOf: memory => (isPresent(memory) ? memory.subjects[0] : undefined),
  ownersOf: (memory, { subjects }, caller) => {
    if (memory.status === 'none') return subjectsOf(subjects as readonly string[] | undefined, caller)
    return isPresent(memory) ? memory.subjects : []
  },
  removedBy: ['MemoryExpired', 'MemoryForgotten'],
  activity,
  spellings: { content: 'text', memory_type: 'type' },
})
