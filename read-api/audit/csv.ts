/** Lists as CSV (RFC 4180): the pages of a list, one behind the other, in one file. */
import { z } from 'zod'
import type { ApiResponse, Route } from '../../domain/kernel/route.ts'
import { csvField } from '../../domain/record/csv.ts'
import { inQuery, LIMIT_MAX, queriesOf, requestFor, whole } from '../parameters.ts'

/** Rows of one file, and where nothing is said. */
const ROWS_MAX = 50_000
const ROWS_DEFAULT = 10_000

const limitParameter = inQuery('limit', whole(1, ROWS_MAX, ROWS_DEFAULT), 'most rows of the file')

type Row = Readonly<Record<string, unknown>>

/** The route of a list's file: `<path>.csv`. Where there is more, the header `Kogi-Next` is the `after` of the next. */
export function csvOf(list: Route): Route {
  const isPaged = list.parameters.some(({ name }) => name === 'limit')
  const columns = Object.keys(((list.response as z.ZodArray).element as z.ZodObject).shape)
  const parameters = list.parameters
    .filter(({ name }) => !['offset', 'total', 'If-None-Match', 'If-Match'].includes(name))
    .map(parameter => (parameter.name === 'limit' ? limitParameter : parameter))
  return {
    ...list,
    path: `${list.path}.csv`,
    operationId: list.operationId.replace(/^list/, 'export'),
    summary: `The same as CSV. ${list.summary}`,
    parameters,
    media: ['text/csv'],
    answerHeaders: ['Kogi-Position', 'Kogi-Next'],
    response: z.string(),
    async handle(request) {
      const query = queriesOf(request, parameters)
      let left = Number(query.limit ?? ROWS_DEFAULT)
      let content = `${columns.join(',')}\r\n`
      let next = query.after
      let page: ApiResponse
      do {
        const part = { limit: String(Math.min(left, LIMIT_MAX)), ...(next !== undefined && { after: next }) }
        page = await list.handle(requestFor(request, isPaged ? { ...query, ...part } : query))
        const rows = page.data as readonly Row[]
        for (const row of rows) content += `${columns.map(column => cell(row[column])).join(',')}\r\n`
        left -= rows.length
        next = page.pagination?.next
      } while (next !== undefined && left > 0)
      const name = `${list.path.split('/').at(-1)}.csv`
      return {
        file: { name, type: 'text/csv; charset=utf-8', content },
        headers: { ...page.headers, ...(next !== undefined && { 'Kogi-Next': next }) },
      }
    },
  }
}

/** Text and numbers stand as they are, lists and objects as JSON. */
function cell(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string' || typeof value === 'number') return csvField(value)
  return csvField(JSON.stringify(value))
}
