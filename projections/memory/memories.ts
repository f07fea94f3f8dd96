/** The read model of what is remembered: made from the `memory` of the other models, and what search is built from. */
import type { z } from 'zod'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import {
  column,
  id,
  list,
  object,
  type Sealed,
  sealed,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { LINKS_MAX, TAGS_MAX } from '../../domain/memory/memory/messages.ts'
import { subjectName } from '../../domain/record/subject.ts'
import {
  type AnyHandler,
  type AnyProjection,
  type Handler,
  type MemoryMapping,
  type MemoryStep,
  type MemoryTexts,
  type MemoryTraits,
  projection,
} from '../rows/projection.ts'
import { DETAILS_MAX } from './texts.ts'

const valid = { valid_from: timestamp.optional(), valid_to: timestamp.optional() }

/** What is known of a memory that was stored as such, beside its words. */
const memoryTraits = object({
  type: text(64),
  author: subjectName,
  tags: list(text(64), TAGS_MAX),
  subjects: list(text(128), TAGS_MAX),
  source: text(128).optional(),
  session: text(128).optional(),
  ...valid,
  links: list(object({ type: text(64), kind: text(64), to: id('thing'), ...valid }), LINKS_MAX),
})

/** A row of the read model. */
export const memoryRow = object({
  org: id('org'),
  /** Which model it is of: `item`, `task`, `entry`. */
  kind: text(64),
  subject: id('thing'),
  /** The thing whose stream holds it: the wallet of an entry, the item of a part of a book, otherwise the subject. */
  source: id('thing'),
  /** Absent where it has traits, and where the thing was removed: that row tells indexes to forget it. */
  title: text(1000).optional(),
  body: text(300_000).optional(),
  /** The body where it is personal data. */
  sealed_body: sealed.optional(),
  /** Further words, one value a line: of free metadata, of tags. */
  details: text(DETAILS_MAX).optional(),
  traits: column(memoryTraits, 'json').optional(),
  /** Who did it last: the person, where a process did it on behalf of one. */
  actor: text(255).optional(),
  at: timestamp,
  position: unsigned64,
})
export type Memory = z.output<typeof memoryRow>

/** One row per thing, or per part of a thing, that has words, of all models that say what is remembered of them. */
export function memoriesOf(models: readonly AnyProjection[]) {
  const remembered = models.filter(({ memory }) => memory !== undefined)
  const of = Object.assign({}, ...remembered.map(model => model.of))
  const on: Record<string, AnyHandler | null> = {}
  for (const vocabulary of Object.values<object>(of)) for (const type of Object.keys(vocabulary)) on[type] = null
  for (const { memory } of remembered) {
    const { kind, on: steps } = memory as MemoryMapping<Record<string, z.ZodObject>>
    for (const [type, step] of Object.entries(steps)) {
      if (on[type]) throw new TypeError(`${type} is remembered by two models`)
      on[type] = handlerOf(kind, step as MemoryStep<unknown>)
    }
  }
  return projection({
    name: 'memories',
    service: 'memory',
    version: 6,
    history: true,
    of,
    row: memoryRow,
    key: ['org', 'kind', 'source', 'subject'],
    indexes: [['org', 'position']],
    on,
  })
}

function handlerOf(kind: string, step: MemoryStep<unknown>): Handler<Memory, unknown> {
  const keys: Extract<Handler<Memory, unknown>, { keys: unknown }>['keys'] = ({ metadata: { org, id } }) => [
    { org, kind, source: id, subject: id },
  ]
  if (step === 'forget') {
    return {
      keys,
      fold: (_, { metadata: { org, id, at }, position }) => ({ org, kind, subject: id, source: id, at, position }),
    }
  }
  if ('once' in step) {
    return {
      append({ data, metadata, position }) {
        const { org, id, at } = metadata
        const texts = step.once(data)
        if (texts === null) return []
        const { subject = id, ...words } = texts
        const memory = withTexts(undefined, words)
        return memory === null ? [] : [{ ...memory, ...by(metadata), org, kind, subject, source: id, at, position }]
      },
    }
  }
  if ('subjects' in step) {
    return {
      keys: ({ data, metadata: { org, id } }) =>
        step.subjects(data).map(subject => ({ org, kind, source: id, subject })),
      fold(_, { data, metadata, position }, key) {
        const { org, id, at } = metadata
        const subject = String(key.subject)
        const texts = step.texts(data, subject)
        const words = texts && { ...withTexts(undefined, texts), ...by(metadata) }
        return { ...words, org, kind, subject, source: id, at, position }
      },
    }
  }
  return {
    keys,
    isOwn: true,
    fold(before, { data, metadata, position }) {
      const { org, id, at } = metadata
      const texts = 'anew' in step ? step.anew(data) : step.revise(data, before?.traits as MemoryTraits | undefined)
      const memory = withTexts('anew' in step ? undefined : before, texts)
      const about = { org, kind, subject: id, source: id, at, position }
      if (memory) return { ...memory, ...by(metadata), ...about }
      // A row is never taken away: indexes would not hear of it.
      return before ? about : null
    },
  }
}

const by = ({ actor, behalf }: DomainEvent['metadata']) => ({ actor: (behalf ?? actor).subject })

type Words = Pick<Memory, 'title' | 'body' | 'sealed_body' | 'details' | 'traits'>

/** A memory with some of its texts replaced; `null` where it has neither a title nor traits to begin with. */
function withTexts(
  before: Words | undefined,
  { title = before?.title, body, details, traits = before?.traits as MemoryTraits | undefined }: MemoryTexts,
): Words | null {
  if (title === undefined && traits === undefined) return null
  return {
    ...(title !== undefined && { title }),
    ...(traits !== undefined && { traits: traits as Words['traits'] }),
    ...(body === undefined ? { body: before?.body, sealed_body: before?.sealed_body } : bodyOf(body)),
    details: details === undefined ? before?.details : (details ?? undefined),
  }
}

const bodyOf = (body: string | Sealed | null) => ({
  body: typeof body === 'string' ? body : undefined,
  sealed_body: typeof body === 'object' && body !== null ? body : undefined,
})

/** The permission that a caller needs for memories of each kind: that of reading the things that they are of. */
export const memoryPermissionsOf = (models: readonly AnyProjection[]): ReadonlyMap<string, string> =>
  new Map(
    models.flatMap(({ service, memory, reads }) =>
      memory ? [[memory.kind, `${service}.${reads![0]!.permission}`] as const] : [],
    ),
  )
