/**
 * `GET /kmg/refused-commands`: what the rules refused, the latest first. The notes are those of the write side, which
 * makes as many as it can, and not more than some a second for each org: others may have been refused too.
 */
import { z } from 'zod'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { id, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { noHistoryErrors } from '../as-of.ts'
import { cursorOf, placeOf } from '../cursor.ts'
import { inQuery, LIMIT_DEFAULT, pageParameters, queriesOf } from '../parameters.ts'

const number = unsigned64.meta({ description: 'number of the note: later ones have greater numbers' })
const refusal = z.strictObject({
  number,
  command: text(200).meta({ description: 'as the OpenAPI document names it', examples: ['wallet.debit'] }),
  id: id('thing'),
  code: text(64).meta({ description: 'code of the error that was answered', examples: ['insufficient_funds'] }),
  actor: text(128),
  correlation_id: text(255),
  at: timestamp.optional().meta({ description: 'absent in notes of earlier versions' }),
})
export type Refusal = z.output<typeof refusal>

export type RefusalDeps = {
  /** At most `limit` notes of an org, the latest first, from a number on. */
  readonly refusals: (org: string, limit: number, from?: bigint) => Promise<readonly Refusal[]>
}

/** Notes that are looked through for one answer: it may have fewer rows than its limit, and say where to go on. */
const LOOKED_AT_MAX = 10_000
const PAGE = 500

const FILTERS = ['command', 'id', 'code', 'actor', 'correlation_id'] as const
const parameters: readonly Parameter[] = [
  ...FILTERS.map(name => inQuery(name, refusal.shape[name], `only those of this ${name}`)),
  ...pageParameters,
]
const LIST = 'refused-commands'

/** The route of refused commands. */
export const refusalsRoute = ({ refusals }: RefusalDeps): Route => ({
  method: 'GET',
  path: '/kmg/refused-commands',
  operationId: 'listRefusedCommands',
  summary: 'What the rules refused, the latest first: who, when, which command on what, and the code of the error.',
  permission: 'audit.refusals.read',
  tag: 'kmg',
  parameters,
  response: z.array(refusal),
  errors: { ...noHistoryErrors, 503: ['engine_unavailable'] },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const limit = Number(query.limit ?? LIMIT_DEFAULT)
    const isWanted = (row: Refusal) => FILTERS.every(name => query[name] === undefined || row[name] === query[name])
    const found: Refusal[] = []
    // The number of the note behind which the next page begins; all are seen where there is none.
    let last = query.after === undefined ? undefined : BigInt(placeOf(query.after, LIST, [number])[0]!)
    for (let seen = 0, isEnd = last === 0n; !isEnd && found.length < limit && seen < LOOKED_AT_MAX; ) {
      const rows = await refusals(request.principal.org, PAGE, last === undefined ? undefined : last - 1n)
      for (const row of rows) {
        if (found.length === limit) break
        last = row.number
        seen += 1
        if (isWanted(row)) found.push(row)
      }
      isEnd = rows.length === 0 || last === 0n
      if (isEnd) last = 0n
    }
    const next = last === undefined || last === 0n ? undefined : cursorOf(LIST, [last])
    return {
      data: found.map(row => ({ ...row, number: String(row.number) })),
      pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
    }
  },
})
