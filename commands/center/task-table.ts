/** `POST /kctr/task-table`: tasks from CSV, each line a command of its own. */
import { z } from 'zod'
import { centerService } from '../../domain/center/service.ts'
import { labelsOf } from '../../domain/center/task/labels.ts'
import { task } from '../../domain/center/task/task.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Parameter, Route } from '../../domain/kernel/route.ts'
import { integer, object, text } from '../../domain/kernel/schema.ts'
import { csvLines, csvValue } from '../../domain/record/csv.ts'
import { execute } from '../execute.ts'
import { uuidOf } from '../ids.ts'
import {
  type CommandDeps,
  checkedKey,
  commandsOf,
  dryRunOf,
  dryRunParameter,
  IDEMPOTENCY_KEY_MAX,
  invalidBody,
  parseBody,
  parseCommand,
} from '../requests.ts'

const LINES_MAX = 10_000
const BODY_BYTES_MAX = 16 * 1024 * 1024

const body = object({
  content: z.string().min(1).max(BODY_BYTES_MAX).meta({ description: 'CSV whose first line names the columns' }),
}).meta({ examples: [{ content: 'id,name,due_on,labels\nposter,Print the poster,2026-12-05,print\n' }] })

const response = object({
  created: integer(0, LINES_MAX),
  refused: z.array(object({ line: integer(1, BODY_BYTES_MAX), code: text(64), message: text(1_000) })),
}).meta({ title: 'TaskTableImport' })

const create = commandsOf([centerService]).find(({ operationId }) => operationId === 'task.create')!

const keyParameter: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  schema: z.string().max(IDEMPOTENCY_KEY_MAX),
  description:
    'Gives each line a key that follows from this and its place: the same file sent again creates nothing twice. ' +
    'Made up if left out.',
}

/** Statuses that say no more than that the same may be accepted later. */
const AGAIN = new Set([409, 429])

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
    const refused: { line: number; code: string; message: string }[] = []
    let [created, position] = [0, 0n]
    for (const [n, { line, fields }] of bodies.entries()) {
      try {
        const receipt = await execute(deps, commandOf(request, { fields, key: uuidOf([key, n]), dryRun }))
        created += receipt.events.length > 0 ? 1 : 0
        if (receipt.position > position) position = receipt.position
      } catch (error) {
        const { status, code, message, details } = deps.errorAnswer(error, request.correlationId)
        if (status >= 500 || AGAIN.has(status)) {
          const where = [
            { field: 'line', message: String(line) },
            { field: 'Idempotency-Key', message: key },
          ]
          throw new KogiError(code, message, [...details, ...where], { cause: error })
        }
        const about = details.map(({ field, message }) => `${field} ${message}`).join('; ')
        refused.push({ line, code, message: (about ? `${message} ${about}` : message).slice(0, 1_000) })
      }
    }
    const headers = { 'Idempotency-Key': key, ...(position > 0n && { 'Kogi-Position': String(position) }) }
    return { data: { created, refused }, headers }
  },
})

type Line = { readonly fields: object; readonly key: string; readonly dryRun: symbol | undefined }

const commandOf = ({ principal, correlationId }: ApiRequest, { fields, key, dryRun }: Line) => ({
  ...parseCommand(create, {
    id: undefined,
    body: fields,
    key,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    principal,
    correlationId,
    dryRun,
  }),
  isOfBulk: true,
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
