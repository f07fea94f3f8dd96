/** `GET /kmg/compliance/controls`: what is asked, what shows that it is done, and what nothing here can show. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Parameter, Route } from '../../domain/kernel/route.ts'
import { date, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { csvField } from '../../domain/record/csv.ts'
import { noHistoryErrors } from '../as-of.ts'
import { positioned, readErrors } from '../consistency.ts'
import { inQuery, invalidParameter, queriesOf } from '../parameters.ts'
import { type Control, controls, FRAMEWORKS } from './controls.ts'
import { EVIDENCE, type Evidence, type EvidenceDeps, evidenceOf, type Period, ROWS_MAX } from './evidence.ts'
import { packPage } from './page.ts'

const controlFields = {
  id: z.string().meta({ examples: ['soc2-cc6.1'] }),
  framework: z.enum(FRAMEWORKS).meta({ description: 'SOC 2 (common criteria), or ISO/IEC 27001:2022 (Annex A)' }),
  number: z.string(),
  title: z.string().meta({ description: 'what is asked, in our words' }),
  status: z.enum(['evidenced', 'partly', 'gap']).meta({ description: 'how far this system can show that it is done' }),
  evidence: z.array(z.enum(EVIDENCE as [Evidence['name']])).meta({ description: 'names of the queries that show it' }),
  gap: z.string().optional().meta({ description: 'what this system cannot show, and where to ask' }),
}
const evidence = z.strictObject({
  name: z.enum(EVIDENCE as [Evidence['name']]),
  what: z.string(),
  complete: z
    .boolean()
    .meta({ description: `false where there are more than ${ROWS_MAX} rows, or notes were left unread` }),
  rows: z.array(z.record(z.string(), z.unknown())),
})
const pack = z.strictObject({
  ...controlFields,
  org: z.string(),
  from: timestamp,
  to: timestamp,
  position: unsigned64,
  evidence: z.array(evidence),
})
type Pack = z.input<typeof pack>

const DAY_MS = 86_400_000
const PERIOD_DAYS = 90
/** Periods begin on the first one or later, and end before the last one: times of other years do not sort as text. */
const [FIRST_DAY, LAST_DAY] = ['0001-01-01', '9999-12-31']

const controlParameter: Parameter = {
  name: 'control',
  in: 'path',
  schema: z.enum(controls.map(({ id }) => id) as [string]),
  description: 'id of a control',
}
const period: readonly Parameter[] = [
  inQuery('from', date, `first day of the period, in UTC: ${PERIOD_DAYS} days before its last, where there is none`),
  inQuery('to', date, `last day of the period, earlier than ${LAST_DAY}: today, where there is none`),
]
const filters: readonly Parameter[] = [
  inQuery('framework', z.enum(FRAMEWORKS), 'only those of this framework'),
  inQuery('status', controlFields.status, 'only those of this status'),
]
const format = inQuery(
  'format',
  z.enum(['html', 'csv']).meta({ default: 'html' }),
  'of the file: a page for people, or all rows as CSV; the control itself is the same as JSON',
)

const statusOf = ({ evidence: shown, gap }: Control) =>
  shown.length === 0 ? 'gap' : gap === undefined ? 'evidenced' : 'partly'

/** The routes of the compliance manager. */
export function complianceRoutes(deps: EvidenceDeps): Route[] {
  const shared = { method: 'GET', permission: 'audit.compliance.read', tag: 'kmg' } as const
  const errors = { ...noHistoryErrors, 404: ['not_found'], 503: [...readErrors[503], 'engine_unavailable'] }
  const packOf = async (request: ApiRequest, parameters: readonly Parameter[]) => {
    const control = controls.find(({ id }) => id === request.params.control)
    if (!control) throw new KogiError('not_found', `There is no control ${request.params.control}.`)
    const span = periodOf(queriesOf(request, parameters))
    const { org } = request.principal
    const { position, evidence: found } = await evidenceOf(deps, request, control.evidence, span)
    const shown = { ...control, status: statusOf(control), org, ...span, position: String(position), evidence: found }
    return { shown: shown as unknown as Pack, said: positioned(position) }
  }
  const single = [controlParameter, ...period]
  const packed = [...single, format]
  return [
    {
      ...shared,
      path: '/kmg/compliance/controls',
      operationId: 'listControls',
      summary: 'What SOC 2 and ISO 27001 ask, what shows here that it is done, and what this system cannot show.',
      parameters: filters,
      response: z.array(z.strictObject(controlFields)),
      errors: noHistoryErrors,
      async handle(request) {
        const { framework, status } = queriesOf(request, filters)
        const found = controls
          .map(control => ({ ...control, status: statusOf(control) }))
          .filter(each => (framework ?? each.framework) === each.framework && (status ?? each.status) === each.status)
        return { data: found, pagination: { limit: controls.length, has_more: false } }
      },
    },
    {
      ...shared,
      path: '/kmg/compliance/controls/:control',
      operationId: 'getControl',
      summary: 'A control with its evidence of a period, as it is now.',
      parameters: single,
      response: pack,
      errors,
      async handle(request) {
        const { shown, said } = await packOf(request, single)
        return { data: shown, ...said }
      },
    },
    {
      ...shared,
      path: '/kmg/compliance/controls/:control/pack',
      operationId: 'exportControl',
      summary: 'The evidence of a control in a period, as a file to keep: a page, or CSV.',
      parameters: packed,
      media: ['text/html', 'text/csv'],
      response: z.string(),
      errors,
      async handle(request) {
        const { shown, said } = await packOf(request, packed)
        return { file: fileOf(shown, queriesOf(request, packed).format ?? 'html'), headers: said.headers }
      },
    },
  ]
}

function periodOf({ from, to }: { readonly from?: string; readonly to?: string }): Period {
  const last = to ?? new Date().toISOString().slice(0, 10)
  if (last >= LAST_DAY) throw invalidParameter('to', `must be earlier than ${LAST_DAY}`)
  const before = Math.max(Date.parse(last) - PERIOD_DAYS * DAY_MS, Date.parse(FIRST_DAY))
  const first = from ?? new Date(before).toISOString().slice(0, 10)
  if (first > last) throw invalidParameter('from', 'must not be later than to')
  return { from: `${first}T00:00:00.000Z`, to: new Date(Date.parse(last) + DAY_MS).toISOString() }
}

function fileOf(shown: Pack, as: string) {
  const name = `${shown.id}.${as}`
  if (as === 'html') return { name, type: 'text/html; charset=utf-8', content: packPage(shown) }
  const rows = shown.evidence.flatMap(({ name: query, rows: all, complete }) => [
    ...all.map(row => ({ query, ...row })),
    ...(complete ? [] : [{ query, complete }]),
  ])
  const columns = ['query', ...new Set(rows.flatMap(row => Object.keys(row)).filter(column => column !== 'query'))]
  const cell = (value: unknown) =>
    value === undefined || value === null
      ? ''
      : csvField(typeof value === 'object' ? JSON.stringify(value) : `${value}`)
  const lines = rows.map(row => columns.map(column => cell((row as Record<string, unknown>)[column])).join(','))
  return { name, type: 'text/csv; charset=utf-8', content: [columns.join(','), ...lines, ''].join('\r\n') }
}
