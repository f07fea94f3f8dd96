/** The command side of the HTTP API: one route per command, from the catalogue. */
import { z } from 'zod'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'
import { type ErrorDetail, KogiError } from '../domain/kernel/errors.ts'
import { toWire } from '../domain/kernel/json.ts'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../domain/kernel/route.ts'
import { id, personalFields } from '../domain/kernel/schema.ts'
import { type Command, execute, type Receipt, type WriteDeps } from './execute.ts'
import { unnamedId } from './ids.ts'
import type { Keyring } from './ports.ts'
import { openSealed, sealBody } from './seal.ts'

export type CommandDeps = WriteDeps & {
  readonly keyring: Keyring
  /** A key for a command that brought none. */
  readonly newKey: () => string
}

const IDEMPOTENCY_KEY_MAX = 255
const idempotencyKey = z.string().regex(/^[\u0020-\u007e\u0080-\u00ff]{1,255}$/)

const receiptSchema = z
  .object({
    id: z.string().meta({ description: 'the id of the thing, as used in paths' }),
    stream: z.string(),
    revision: z.string().meta({ description: 'revision of the last event, a decimal string' }),
    position: z.string().meta({ description: 'position to hand to reads as Kogi-Min-Position' }),
    events: z.array(
      z.object({ type: z.string(), id: z.string(), revision: z.string(), data: z.record(z.string(), z.unknown()) }),
    ),
    replayed: z.boolean().meta({ description: 'true where this key had done its work before' }),
  })
  .meta({ title: 'Receipt' })

const headers: readonly Parameter[] = [
  {
    name: 'Idempotency-Key',
    in: 'header',
    schema: z.string().max(IDEMPOTENCY_KEY_MAX),
    description: 'Names the command: the same key on the same thing takes effect once, for ever. Made up if left out.',
  },
  {
    name: 'If-Match',
    in: 'header',
    schema: z.string(),
    description: 'Revision the caller has seen, as the ETag gave it: `"12"`. Another one answers 412.',
  },
]

/** The routes of every command of the catalogue. */
export const commandRoutes = (aggregates: readonly AnyAggregate[], deps: CommandDeps): Route[] =>
  aggregates.flatMap(aggregate => Object.keys(aggregate.commands).map(name => commandRoute(aggregate, name, deps)))

function commandRoute(aggregate: AnyAggregate, name: string, deps: CommandDeps): Route {
  const [method, path] = (aggregate.http[name] as string).split(' ') as [Route['method'], string]
  const schema = aggregate.commands[name] as z.ZodObject
  const personal = personalFields(schema)
  const opens = !path.includes(':id')
  // a POST that ends in the command's own verb acts on a thing; any other POST makes one
  const created = method === 'POST' && !path.endsWith(`/${name}`)

  async function handle(request: ApiRequest): Promise<ApiResponse> {
    const parsed = parseBody(schema, request.body)
    const key = keyOf(request, deps)
    const sealing = await sealBody(deps.keyring, personal, parsed, request.principal)
    const { principal, correlationId } = request
    const { id: named, ...body } = opens ? sealing.body : { ...sealing.body, id: undefined }
    const receipt = await execute(deps, {
      aggregate,
      name,
      id: opens ? ((named as string | undefined) ?? unnamedId(principal.org, aggregate.name, key)) : idOf(request),
      opens,
      body,
      fingerprintBody: sealing.open,
      idempotencyKey: key,
      principal,
      correlationId,
      subjects: sealing.subjects,
      ...expectedRevision(request),
    } satisfies Command)
    const made = created && receipt.events.length > 0
    const location = `/api/v1/${aggregate.service}${path.split('/:id')[0]}/${encodeURIComponent(receipt.id)}`
    return {
      status: method === 'DELETE' ? 204 : made ? 201 : 200,
      data: await receiptData(deps.keyring, principal.org, receipt),
      headers: {
        ETag: `"${receipt.revision}"`,
        'Kogi-Position': String(receipt.position),
        'Idempotency-Key': key,
        ...(made && { Location: location }),
      },
    }
  }

  return {
    method,
    path: `/${aggregate.service}${path}`,
    permission: aggregate.allow[name] as string,
    operationId: `${aggregate.name}.${name}`,
    summary: aggregate.summary[name] as string,
    tag: aggregate.service,
    parameters: opens
      ? headers
      : [{ name: 'id', in: 'path', schema: id(aggregate.name), description: 'id' }, ...headers],
    body: schema,
    response: receiptSchema,
    errors: {
      ...(opens ? {} : { 404: ['not_found'] }),
      409: ['conflict'],
      412: ['precondition_failed'],
      422: ['idempotency_key_reused', ...aggregate.rejections],
      503: ['engine_unavailable', 'outcome_unknown'],
    },
    handle,
  }
}

function parseBody(schema: z.ZodObject, body: unknown): Readonly<Record<string, unknown>> {
  const parsed = schema.safeDecode((body === undefined ? {} : body) as never)
  if (parsed.success) return parsed.data
  const details = parsed.error.issues.flatMap(issueDetails)
  throw new KogiError('invalid_body', 'The body does not have the form of this command; see details.', details)
}

/** What is wrong, by field: `postings.0.amount`. */
function issueDetails(issue: z.core.$ZodIssue): ErrorDetail[] {
  const at = issue.path.map(String)
  if (issue.code !== 'unrecognized_keys') return [{ field: at.join('.') || 'body', message: issue.message }]
  return issue.keys.map(key => ({ field: [...at, key].join('.').slice(0, 200), message: 'unknown field' }))
}

function keyOf(request: ApiRequest, deps: CommandDeps): string {
  const given = request.header('idempotency-key')
  if (given === undefined) return deps.newKey()
  if (idempotencyKey.safeParse(given).success) return given
  throw invalidHeader('Idempotency-Key', `1 to ${IDEMPOTENCY_KEY_MAX} printable characters`)
}

const thingId = id('thing')
function idOf(request: ApiRequest): string {
  const given = request.params.id
  if (thingId.safeParse(given).success) return given!
  throw new KogiError('not_found', 'There is nothing with this id.')
}

/** `If-Match: "12"` → revision 12; `*` or none → any. */
function expectedRevision(request: ApiRequest): { expectedRevision?: bigint } {
  const given = request.header('if-match')?.trim()
  if (given === undefined || given === '*') return {}
  const revision = /^"(0|[1-9][0-9]{0,18})"$/.exec(given)?.[1]
  if (revision === undefined) throw invalidHeader('If-Match', 'one revision in quotes, as the ETag gave it: "12"')
  return { expectedRevision: BigInt(revision) }
}

const invalidHeader = (field: string, message: string) =>
  new KogiError('invalid_parameter', `The header ${field} is not valid: ${message}.`, [{ field, message }])

async function receiptData(keyring: Keyring, org: string, { events, ...receipt }: Receipt) {
  const opened = events.map(async ({ type, eventId, revision, data }) => ({
    type,
    id: eventId,
    revision,
    data: await openSealed(keyring, org, data as Readonly<Record<string, unknown>>),
  }))
  return toWire({ ...receipt, events: await Promise.all(opened) })
}
