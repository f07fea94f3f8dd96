/** Lists as CSV (RFC 4180): the pages of a list, one behind the other, in one file. */
import { z } from 'zod'
import type { ApiResponse, Route } from '../../domain/kernel/route.ts'
import { csvField } from '../../domain/record/csv.ts'
import { inQuery, LIMIT_MAX, queriesOf, requestFor, whole } from '../parameters.ts'

/** Rows of one file, and where nothing is said. */
const ROWS_MAX = 50_000
const ROWS_DEFAULT = 10_000
/** Characters of one file, and pages that are read for it, behind which a file ends early. */
const CHARS_MAX = 8_000_000
const PAGES_MAX = ROWS_MAX / LIMIT_MAX

const limitParameter = inQuery('limit', whole(1, ROWS_MAX, ROWS_DEFAULT), 'most rows of the file')

type Row = Readonly<Record<string, unknown>>

/**
 * The route of a list's file: `<path>.csv`. It ends at the limit, behind the page that makes it long, or where many
 * pages were looked through; where there is more, the header `Kogi-Next` is the `after` of the next file.
 */
export function csvOf(list: Route, charsMax = CHARS_MAX): Route {
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
      let pages = 0
      do {
        request.signal.throwIfAborted()
        const part = { limit: String(Math.min(left, LIMIT_MAX)), ...(next !== undefined && { after: next }) }
        page = await list.handle(requestFor(request, isPaged ? { ...query, ...part } : query))
        const rows = page.data as readonly Row[]
        for (const row of rows) content += `${columns.map(column => cell(row[column])).join(',')}\r\n`
        left -= rows.length
        pages += 1
        next = page.pagination?.next
      } while (next !== undefined && left > 0 && pages < PAGES_MAX && content.length < charsMax)
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
