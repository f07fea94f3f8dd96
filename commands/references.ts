/** References are checked against the log: what a command names must exist in its org. */

import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'
import { KogiError } from '../domain/kernel/errors.ts'
import { fieldInfo, plainOf } from '../domain/kernel/schema.ts'
import type { Command } from './command.ts'
import { streamOf } from './ids.ts'
import type { EventStore } from './ports.ts'

/**
 * Throws `reference_unknown` or `reference_removed` where a command names a thing that does not exist. `facts`: what
 * the command changes; a reference that stays as it was is not looked at.
 */
export type CheckReferences = (command: Command, facts: Facts) => Promise<void>
type Facts = readonly { readonly data: object }[]

/** Streams of things that cannot be removed, which were found to exist: some 20 MB at most, and nothing at first. */
const FOUND_MAX = 100_000

/**
 * Makes the check over a list of aggregates. It reads the last event of the stream that a name leads to, so that it is
 * exact; what can never be removed is asked for once.
 */
export function referenceCheck(aggregates: readonly AnyAggregate[], store: Pick<EventStore, 'last'>): CheckReferences {
  const byName = new Map(aggregates.map(aggregate => [aggregate.name, aggregate]))
  const found = new LRUCache<string, true>({ maxSize: FOUND_MAX, sizeCalculation: () => 1 })
  const referencesOf = new Map(
    aggregates.flatMap(({ commands }) =>
      Object.values<z.ZodObject>(commands).map(schema => [schema, referencesIn(schema)] as const),
    ),
  )

  async function check(org: string, { field, category }: Omit<Reference, 'many'>, id: string): Promise<void> {
    const stream = streamOf(org, category, id)
    if (found.has(stream)) return
    const removedBy: readonly string[] = byName.get(category)?.removedBy ?? []
    const last = await store.last(stream)
    const details = [{ field, message: id }]
    if (last === undefined) {
      throw new KogiError('reference_unknown', `There is no ${category} ${id}, which ${field} names.`, details)
    }
    if (removedBy.includes(last.type)) {
      throw new KogiError('reference_removed', `The ${category} ${id}, which ${field} names, was removed.`, details)
    }
    if (removedBy.length === 0) found.set(stream, true)
  }

  return async ({ aggregate, name, id, body, principal }, facts) => {
    if (aggregate.twinOf) await check(principal.org, { field: 'id', category: aggregate.twinOf }, id)
    for (const reference of referencesOf.get(aggregate.commands[name]) ?? []) {
      const value = (body as Readonly<Record<string, unknown>>)[reference.field]
      if (value === undefined || isUnchanged(reference.field, value, facts)) continue
      const ids = reference.many ? ((value ?? []) as readonly string[]) : typeof value === 'string' ? [value] : []
      for (const id of new Set(ids)) await check(principal.org, reference, id)
    }
  }
}

/** Whether the facts of a command say something else than this field: what it named before needs no look. */
function isUnchanged(field: string, value: unknown, facts: Facts): boolean {
  const said = facts.flatMap(({ data }) => Object.values(data as Readonly<Record<string, unknown>>))
  return facts.length > 0 && !facts.some(({ data }) => field in data) && !said.includes(value)
}

/** A field of a command that refers to other things: its name, their category, whether it is a list of ids. */
type Reference = { readonly field: string; readonly category: string; readonly many: boolean }

/** The fields of a command's schema that refer to other things: made by `ref`, alone or in a list. */
export function referencesIn(schema: z.ZodObject): readonly Reference[] {
  return Object.entries(schema.shape).flatMap(([field, type]) => {
    const inner = plainOf(type)
    const many = inner instanceof z.ZodArray
    const category = fieldInfo(many ? plainOf(inner.element) : inner).reference
    return category === undefined ? [] : [{ field, category, many }]
  })
}
