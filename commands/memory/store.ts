/** Storing memories names those that say the same; `POST /kse/memory/store` is for clients of the memory service. */
import { z } from 'zod'
import type { ApiRequest, ApiResponse, Route } from '../../domain/kernel/route.ts'
import { exampleOf } from '../examples.ts'

/** Memories that say what another one says: the same, or nearly so. */
const duplicates = z
  .array(
    z.strictObject({
      id: z.string(),
      kind: z.enum(['exact', 'near']),
      similarity: z.number().meta({ description: 'of 1: what part of all runs of three words both have' }),
    }),
  )
  .nullable()
  .meta({
    description:
      'memories that say the same (`exact`, but for case, accents and marks) or nearly so (`near`), which the caller ' +
      'may read, the most similar first; nothing is merged. `null` where the index does not answer in time',
  })
const checked = {
  duplicates,
  duplicates_position: z
    .string()
    .optional()
    .meta({ description: 'up to which position memories were compared: one that was stored just now may not be' }),
}

type Found = Readonly<Record<keyof typeof checked, unknown>>

/** Looks for the duplicates of a text among the memories that a caller may read. */
export type FindDuplicates = (
  of: Pick<ApiRequest, 'principal' | 'signal'>,
  text: string,
  self: string,
) => Promise<Found>

const SEED = '/kse/memory/store'

/** The routes of commands, of which those that store a memory name its duplicates. */
export function flaggingDuplicates(routes: readonly Route[], find: FindDuplicates): Route[] {
  return routes.flatMap(route => {
    if (route.operationId !== 'memory.store') return [route]
    const flagged = flagging(route, find)
    return [flagged, asSeed(flagged)]
  })
}

function flagging(route: Route, find: FindDuplicates): Route {
  return {
    ...route,
    response: (route.response as z.ZodObject).extend(checked).meta({ title: 'StoredMemory' }),
    async handle(request) {
      const answer = await route.handle(request)
      const { id } = answer.data as { readonly id: string }
      const { text, content = text } = request.body as { readonly text?: string; readonly content?: string }
      return { ...answer, data: { ...(answer.data as object), ...(await find(request, content!, id)) } }
    },
  }
}

/** The same under the names of the memory service. */
function asSeed(route: Route): Route {
  const { text, type, ...more } = exampleOf(route.body!) as Readonly<Record<string, unknown>>
  const { shape } = route.body as z.ZodObject
  const { text: content, type: memoryType, ...fields } = shape
  return {
    ...route,
    path: SEED,
    operationId: 'storeMemory',
    summary: 'Store a memory under the names that clients of the memory service use.',
    body: z
      .strictObject({ content: content!, memory_type: memoryType!, ...fields })
      .meta({ examples: [{ ...more, id: 'memory-2', content: text, memory_type: type }] }),
    response: z.strictObject({
      memory_id: z.string(),
      status: z.literal('stored'),
      revision: z.string(),
      position: z.string().meta({ description: 'position to hand to reads as Kogi-Min-Position' }),
      replayed: z.boolean().meta({ description: 'true where this key had done its work before' }),
      dry_run: z.literal(true).optional().meta({ description: 'there where nothing was written' }),
      ...checked,
    }),
    async handle(request): Promise<ApiResponse> {
      const answer = await route.handle(request)
      const { id, stream: _, events: __, ...data } = answer.data as Readonly<Record<string, unknown>>
      return { ...answer, data: { memory_id: id, status: 'stored', ...data } }
    },
  }
}
