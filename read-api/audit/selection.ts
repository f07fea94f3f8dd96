/** Which events of an org an export has: by their sealed headers, so that it can be checked that all are there. */
import { z } from 'zod'
import { categoryOf } from '../../domain/kernel/codec.ts'
import { text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import type { EventHeader } from '../../projections/notary/leaf.ts'

const several = (max: number) => z.array(text(max)).min(1).max(1_000).optional()

/**
 * An event is selected where it fits every part that is there: one of the categories, of the streams, of the actors; a
 * person whose sealed data it holds; its time, from one instant on and before another; its position, from one on and up
 * to another. Positions alone are not sealed: that their order is that of the sealed events is all that can be checked.
 */
export const selectionSchema = z
  .strictObject({
    categories: several(64),
    streams: several(255),
    actors: several(255),
    subjects: several(255),
    from: timestamp.optional(),
    to: timestamp.optional(),
    from_position: unsigned64.optional(),
    up_to_position: unsigned64.optional(),
  })
  .refine(parts => Object.keys(parts).length > 0)
export type Selection = z.output<typeof selectionSchema>

/** Whether an event is selected. Metadata of another program may have any form: it fits no part that asks for it. */
export function isSelected(
  selection: Selection,
  { stream, metadata, position }: Pick<EventHeader, 'stream' | 'metadata' | 'position'>,
): boolean {
  const { categories, streams, actors, subjects, from, to, from_position: first, up_to_position: last } = selection
  const { actor, at, subjects: held } = metadata as unknown as Readonly<Record<string, unknown>>
  const by = typeof actor === 'object' && actor !== null && 'subject' in actor ? actor.subject : undefined
  const fits = (wanted: readonly string[] | undefined, value: unknown) =>
    wanted === undefined || wanted.some(each => each === value)
  return (
    fits(categories, categoryOf(stream)) &&
    fits(streams, stream) &&
    fits(actors, by) &&
    (subjects === undefined || (Array.isArray(held) && held.some(each => subjects.includes(each)))) &&
    (from === undefined || (typeof at === 'string' && at >= from)) &&
    (to === undefined || (typeof at === 'string' && at < to)) &&
    (first === undefined || position >= first) &&
    (last === undefined || position <= last)
  )
}

/** The parts of a selection in words. */
export function selectionSaid({ categories, streams, actors, subjects, from, to, ...positions }: Selection): string {
  const { from_position: first, up_to_position: last } = positions
  const of = (what: string, values: readonly string[] | undefined) => (values ? [`${what} ${values.join(', ')}`] : [])
  return [
    ...of('category', categories),
    ...of('stream', streams),
    ...of('actor', actors),
    ...of('subject', subjects),
    ...of('from', from === undefined ? undefined : [from]),
    ...of('before', to === undefined ? undefined : [to]),
    ...of('from position', first === undefined ? undefined : [String(first)]),
    ...of('up to position', last === undefined ? undefined : [String(last)]),
  ].join('; ')
}
