/** `POST /kctr/task-table`: tasks from CSV, each line a command of its own. */
import { z } from 'zod'
import { centerService } from '../../domain/center/service.ts'
import { labelsOf } from '../../domain/center/task/labels.ts'
import { task } from '../../domain/center/task/task.ts'
import type { Route } from '../../domain/kernel/route.ts'
import { integer, object } from '../../domain/kernel/schema.ts'
import { csvLines, csvValue } from '../../domain/record/csv.ts'
import { givenEach, keyParameter, refusedSchema } from '../many.ts'
import {
  type CommandDeps,
  checkedKey,
  commandsOf,
  dryRunOf,
  dryRunParameter,
  invalidBody,
  parseBody,
} from '../requests.ts'

const LINES_MAX = 10_000
const BODY_BYTES_MAX = 16 * 1024 * 1024

const body = object({
  content: z.string().min(1).max(BODY_BYTES_MAX).meta({ description: 'CSV whose first line names the columns' }),
}).meta({ examples: [{ content: 'id,name,due_on,labels\nposter,Print the poster,2026-12-05,print\n' }] })

const response = object({
  created: integer(0, LINES_MAX),
  refused: refusedSchema,
}).meta({ title: 'TaskTableImport' })

const create = commandsOf([centerService]).find(({ operationId }) => operationId === 'task.create')!

/** Columns of an export that no client sets. */
const LEFT_OUT = new Set(['sprint', 'stage', 'actual_hours', 'created_at', 'completed_at'])

/**
 * The route of imports. A line is created under a key that follows from that of the request and its place, so that the
 * same file sent again under the same key creates nothing twice. A fault, which is no answer about a line, ends the
 * import: its details name the line, and the key under which the rest follows.
 */
export const taskTableRoute = (deps: CommandDeps): Route => ({
  method: 'POST',
  path: '/kctr/task-table',
  operationId: 'importTasks',
  summary: 'Create tasks from CSV, a line each; a line that is refused does not stop the others.',
  permission: 'center.tasks.write',
  tag: 'kctr',
  parameters: [keyParameter, dryRunParameter],
  body,
  bodyBytesMax: BODY_BYTES_MAX,
  response,
  answerHeaders: ['Kogi-Position', 'Idempotency-Key'],
  errors: { 409: ['conflict'], 503: ['engine_unavailable', 'outcome_unknown'] },
  async handle(request) {
    const { content } = parseBody(body, request.body)
    const bodies = bodiesOf(content)
    const dryRun = dryRunOf(request.query)
    const key = checkedKey(request.header('idempotency-key') ?? deps.newKey())
    const items = bodies.map(({ line, fields }) => ({ line, tries: [{ client: create, body: fields }] }))
    const { done, refused, headers } = await givenEach(deps, request, { items, key, dryRun })
    return { data: { created: done.length, refused }, headers }
  },
})

type Body = { readonly line: number; readonly fields: object }

/** The bodies of the commands that the lines stand for. Throws `invalid_body` where the text is no such table. */
function bodiesOf(content: string): readonly Body[] {
  const { lines, fault: broken } = csvLines(content)
  const fault = (message: string) => invalidBody([{ field: 'content', message }])
  if (broken) throw fault(`is no CSV: line ${broken.line}: ${broken.message}`)
  const [first, ...rows] = lines
  if (!first) throw fault('has no line')
  const heads = first.fields
  if (rows.length > LINES_MAX) throw fault(`has more than ${LINES_MAX} lines`)
  const known = new Set([...Object.keys(task.commands.create.shape), ...Object.keys(task.spellings ?? {})])
  const unknown = heads.find(name => !known.has(name.trim()) && !LEFT_OUT.has(name.trim()))
  if (unknown !== undefined) throw fault(`has a column ${unknown.slice(0, 60)}, which tasks do not have`)
  return rows.map(({ line, fields }) => {
    const said = heads.flatMap((head, at) => {
      const [name, value] = [head.trim(), csvValue(fields[at] ?? '')]
      return value === '' || LEFT_OUT.has(name) ? [] : [[name, fieldOf(name, value)]]
    })
    return { line, fields: Object.fromEntries(said) as object }
  })
}

function fieldOf(name: string, value: string): unknown {
  if (name === 'labels') return labelsOf(value)
  return name === 'estimated_hours' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
}
