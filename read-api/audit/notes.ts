/**
 * Lists of notes: what is written beside the log, in streams of their own, because it changes nothing. They are read
 * backwards, and looked through, the latest first.
 */
import { z } from 'zod'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { unsigned64 } from '../../domain/kernel/schema.ts'
import { noHistoryErrors } from '../as-of.ts'
import { cursorOf, placeOf } from '../cursor.ts'
import { inQuery, LIMIT_DEFAULT, pageParameters, queriesOf } from '../parameters.ts'

/** The field that every note begins with. */
export const number = unsigned64.meta({ description: 'number of the note: later ones have greater numbers' })

/** At most so many notes of an org, the latest first, from a number on. */
export type ReadNotes<R> = (org: string, limit: number, from?: bigint) => Promise<readonly R[]>

type Note = { readonly number: bigint }
type Notes<R> = Pick<Route, 'operationId' | 'summary' | 'permission'> & {
  /** Last part of the path, and the name of the list in cursors. */
  readonly name: string
  readonly row: z.ZodObject
  readonly filters: readonly (keyof R & string)[]
  readonly read: ReadNotes<R>
}

/** Notes that are looked through for one answer: it may have fewer rows than its limit, and say where to go on. */
export const LOOKED_AT_MAX = 10_000
const PAGE = 500

/** The route of a list of notes. */
export function notesRoute<R extends Note>({ name, row, filters, read, ...rest }: Notes<R>): Route {
  const parameters: readonly Parameter[] = [
    ...filters.map(filter => inQuery(filter, row.shape[filter] as z.ZodType, `only those of this ${filter}`)),
    ...pageParameters,
  ]
  return {
    ...rest,
    method: 'GET',
    path: `/kmg/${name}`,
    tag: 'kmg',
    parameters,
    response: z.array(row),
    errors: { ...noHistoryErrors, 503: ['engine_unavailable'] },
    async handle(request) {
      const query = queriesOf(request, parameters)
      const limit = Number(query.limit ?? LIMIT_DEFAULT)
      const isWanted = (note: R) =>
        filters.every(filter => query[filter] === undefined || note[filter] === query[filter])
      const found: R[] = []
      // The number of the note behind which the next page begins; all are seen where there is none.
      let last = query.after === undefined ? undefined : BigInt(placeOf(query.after, name, [number])[0]!)
      for (let seen = 0, isEnd = last === 0n; !isEnd && found.length < limit && seen < LOOKED_AT_MAX; ) {
        const notes = await read(request.principal.org, PAGE, last === undefined ? undefined : last - 1n)
        for (const note of notes) {
          if (found.length === limit) break
          last = note.number
          seen += 1
          if (isWanted(note)) found.push(note)
        }
        isEnd = notes.length === 0 || last === 0n
        if (isEnd) last = 0n
      }
      const next = last === undefined || last === 0n ? undefined : cursorOf(name, [last])
      return {
        data: found.map(note => ({ ...note, number: String(note.number) })),
        pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
      }
    },
  }
}
