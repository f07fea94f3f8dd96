/** `GET /kse/memories/:id/receipt`: that a memory is forgotten, and what was removed where. */
import { toWire } from '../../domain/kernel/json.ts'
import type { Route } from '../../domain/kernel/route.ts'
import { boolean, id, integer, object, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { ownKeyOf } from '../../domain/record/subject.ts'
import { erasures } from '../../projections/audit/erasures.ts'
import { memoryTimers } from '../../projections/memory/memory-timers.ts'
import { LEGS } from '../../projections/memory/recall/legs.ts'
import { storedMemories } from '../../projections/memory/stored-memories.ts'
import { historyTableOf, quoted, tableOf } from '../../projections/rows/tables.ts'
import { noHistoryErrors } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors, tokenOf } from '../consistency.ts'
import { fromPath, queriesOf, tokenParameters } from '../parameters.ts'
import { notFound } from '../scope.ts'
import type { SearchDeps } from './search.ts'

const { id: memoryId } = storedMemories.row.shape
const parameters = [
  { name: 'id', in: 'path', schema: memoryId, description: 'id of the memory' } as const,
  ...tokenParameters,
]

const rows = (what: string) => integer(0, 2 ** 31 - 1).meta({ description: what })

const response = object({
  memory: id('memory'),
  forgotten_at: timestamp.meta({ description: 'when the erasure of its key began' }),
  key: object({
    destroyed: boolean,
    destroyed_at: timestamp.optional().meta({ description: 'when that was done' }),
  }),
  rows: object({
    list: rows('rows of the list of memories that have it'),
    search: rows('rows with words of it, of which indexes are built'),
    timers: rows('times at which it would be forgotten'),
    versions: rows('versions that are kept, whose text is sealed under the destroyed key'),
  }),
  index: object({
    position: unsigned64.meta({ description: 'what the index has reached' }),
    legs: object(Object.fromEntries(LEGS.map(leg => [leg, rows('places in which the leg has something of it')]))),
  }),
})

type ReceiptDeps = ReadStore & Pick<SearchDeps, 'holds' | 'memories'>

export const receiptRoute = (deps: ReceiptDeps): Route => ({
  method: 'GET',
  path: '/kse/memories/:id/receipt',
  permission: 'memory.memories.read',
  operationId: 'getMemoryReceipt',
  summary: 'That a memory is forgotten, and what was removed where: its key, its rows, and what legs of search had.',
  tag: 'kse',
  parameters,
  response,
  errors: { ...noHistoryErrors, ...readErrors, 404: ['not_found'] },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const memory = fromPath(request, 'id', memoryId)
    const { org } = request.principal
    const of = [erasures, storedMemories, memoryTimers, deps.memories]
    const values = [org, ownKeyOf('memory', memory), memory]
    // What is counted is there for nobody, or has no text that can be read.
    const { signal, aside } = request
    const asked = { principal: { ...request.principal, permissions: ['*'] }, signal, aside }
    const found = await read(
      deps,
      asked,
      { of, text: textOf(deps.memories), values },
      { token: tokenOf(request, query) },
    )
    const [, , forgotten_at, destroyed_at, list, search, timers, versions] = found.rows[0]!
    if (forgotten_at === null) throw notFound('forgotten memory', [memory], undefined)
    const index = await deps.holds(org, `memory/${memory}`)
    const data = {
      memory,
      forgotten_at,
      key: { destroyed: destroyed_at !== null, ...(destroyed_at !== null && { destroyed_at }) },
      rows: { list, search, timers, versions },
      index,
    }
    return { data: toWire(data as never), ...positioned(found.position) }
  },
})

const textOf = (memories: SearchDeps['memories']) => {
  const count = (table: string, where: string) =>
    `(select count(*)::int from ${quoted(table)} t where t.org = $2 and ${where})`
  return `select c.position, c.stalled, e.erased_at, e.completed_at,
      ${count(tableOf(storedMemories), 't.id = $4')},
      ${count(tableOf(memories), "t.kind = 'memory' and t.source = $4 and t.sealed_body is not null")},
      ${count(tableOf(memoryTimers), 't.thing = $4')},
      ${count(historyTableOf(storedMemories), 't.id = $4')}
        + ${count(historyTableOf(memories), "t.kind = 'memory' and t.source = $4")}
    from ${checkpointsSql([erasures, storedMemories, memoryTimers, memories])}
    left join ${quoted(tableOf(erasures))} e on e.org = $2 and e.subject = $3`
}
