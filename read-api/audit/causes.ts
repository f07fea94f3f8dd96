/**
 * `GET /kmg/causes`: what one request led to, through all processes and timers, as a tree. An event carries the command
 * that wrote it, and that command's cause: an event before it, or itself where a caller gave it.
 */
import { z } from 'zod'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import { text, uuid } from '../../domain/kernel/schema.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import { noHistoryErrors } from '../as-of.ts'
import { checkpointsSql, positioned, read, readErrors, tokenOf } from '../consistency.ts'
import { type ActivityDeps, openTo, sentenceFields } from '../hub/activity.ts'
import { type Happening, sentencesOf } from '../hub/sentences.ts'
import { inQuery, invalidParameter, isPosition, queriesOf, tokenParameters } from '../parameters.ts'
import { wireRow } from '../rows.ts'
import { notFound, selected } from '../scope.ts'

/** Events of one tree: a chain of more is cut, and says so. */
const EVENTS_MAX = 5_000

const { position, event_id, at, actor, on_behalf_of, category, id, type, command_id, causation_id, correlation_id } =
  auditLog.row.shape
const COLUMNS = [
  ...['position', 'event_id', 'at', 'actor', 'on_behalf_of', 'category', 'id', 'type'],
  ...['command_id', 'causation_id', 'correlation_id', 'reason', 'data'],
]
const node = z.strictObject({
  depth: z.int().meta({ description: 'how far from the beginning: 0 for what a caller did' }),
  parent: uuid.optional().meta({ description: 'the event that led to it; none at the beginning of a chain' }),
  position,
  event_id,
  at,
  actor,
  on_behalf_of,
  category,
  id,
  type,
  text: sentenceFields.text.optional(),
  command_id,
  causation_id,
  correlation_id,
  reason: auditLog.row.shape.reason,
})

const parameters: readonly Parameter[] = [
  {
    ...inQuery(
      'of',
      text(255),
      'an event of the chain, by its position, as the audit log and receipts name it; or the request that began it, ' +
        'by the `X-Correlation-Id` of its answer. Digits alone are a position',
    ),
    required: true,
  },
  ...tokenParameters,
]

const TABLE = quoted(tableOf(auditLog))

/** The route of the tree of causes. */
export const causesRoute = (deps: ActivityDeps): Route => ({
  method: 'GET',
  path: '/kmg/causes',
  operationId: 'listCauses',
  summary:
    'What one request led to, through all processes and timers, as a tree: each event behind the one that led to it, ' +
    'with its depth.',
  permission: 'audit.log.read',
  tag: 'kmg',
  parameters,
  response: z.array(node),
  errors: { ...noHistoryErrors, 404: ['not_found'], ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const { of } = query
    if (of === undefined) throw invalidParameter('of', 'must be given')
    const chain = isPosition(of)
      ? `(select a.correlation_id from ${TABLE} a where a.org = $2 and a.position = $3::bigint)`
      : '$3::text'
    const wanted = { token: tokenOf(request, query) }
    const text = `select c.position, c.stalled, ${selected('t', COLUMNS)} from ${checkpointsSql([auditLog])}
      left join lateral (select * from ${TABLE} t where t.org = $2 and t.correlation_id = ${chain}
        order by t.position limit ${EVENTS_MAX + 1}) t on true order by t.position`
    const values = [request.principal.org, of]
    const { rows, position: reached } = await read(deps, request, { of: [auditLog], text, values }, wanted)
    if (rows[0]![2] === null) throw notFound('event of', [of], undefined)
    const found = rows.slice(0, EVENTS_MAX).map(values => wireRow(COLUMNS, values, 2)) as unknown as readonly Caused[]
    const open = openTo(deps, request.principal)
    const told = found.filter(row => deps.kinds.has(row.category))
    const sentences = await sentencesOf(deps, request, told, { kinds: deps.kinds, open, wanted })
    const texts = new Map(told.map((row, n) => [row.event_id, sentences[n]!.map(part => part.text).join('')]))
    return {
      data: treeOf(found).map(({ depth, parent, row: { data: _, ...row } }) => ({
        depth,
        ...(parent !== undefined && { parent }),
        ...row,
        ...(texts.has(row.event_id) && { text: texts.get(row.event_id) }),
      })),
      pagination: { limit: EVENTS_MAX, has_more: rows.length > EVENTS_MAX },
      ...positioned(reached),
    }
  },
})

type Caused = Happening & { readonly event_id: string; readonly command_id: string; readonly causation_id: string }
type Node<R> = { readonly depth: number; readonly parent?: string; readonly row: R }

/**
 * Events in the order of a tree: behind each those that it led to, in the order of the log. One whose cause is not
 * among them begins a chain; so does one of a command without another cause.
 */
export function treeOf<R extends Pick<Caused, 'event_id' | 'causation_id'>>(rows: readonly R[]): readonly Node<R>[] {
  const known = new Set<string>()
  const led = new Map<string, R[]>()
  const first: R[] = []
  for (const row of rows) {
    const beside = led.get(row.causation_id)
    if (!known.has(row.causation_id)) first.push(row)
    else if (beside) beside.push(row)
    else led.set(row.causation_id, [row])
    known.add(row.event_id)
  }
  const found: Node<R>[] = []
  const left: Node<R>[] = first.map(row => ({ depth: 0, row })).reverse()
  for (let next = left.pop(); next; next = left.pop()) {
    found.push(next)
    const { depth, row } = next
    const behind = led.get(row.event_id) ?? []
    left.push(...behind.map(each => ({ depth: depth + 1, parent: row.event_id, row: each })).reverse())
  }
  return found
}
