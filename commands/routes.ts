/** The command side of the HTTP API: one route per command, from the catalogue. */
import { z } from 'zod'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'
import { type ErrorDetail, KogiError } from '../domain/kernel/errors.ts'
import { toWire } from '../domain/kernel/json.ts'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../domain/kernel/route.ts'
import { id, personalFields, referencesIn } from '../domain/kernel/schema.ts'
import type { Service } from '../domain/kernel/service.ts'
import { type Command, execute, type Receipt, type WriteDeps } from './execute.ts'
import { unnamedId } from './ids.ts'
import type { Keyring } from './ports.ts'
import { openSealed } from './seal.ts'

export type CommandDeps = WriteDeps & {
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
    dry_run: z.literal(true).optional().meta({ description: 'there where nothing was written' }),
  })
  .meta({ title: 'Receipt' })

const parameters: readonly Parameter[] = [
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
  {
    name: 'dry_run',
    in: 'query',
    schema: z.enum(['true', 'false']),
    description: 'Only decide: `true` answers what the command would do, and writes nothing.',
  },
]

/** The routes of every command of some services. */
export const commandRoutes = (services: readonly Service[], deps: CommandDeps): Route[] =>
  services.flatMap(service =>
    service.aggregates.flatMap(aggregate =>
      Object.keys(aggregate.commands).map(name => commandRoute(service, aggregate, name, deps)),
    ),
  )

function commandRoute(service: Service, aggregate: AnyAggregate, name: string, deps: CommandDeps): Route {
  const [operation, permission, summary] = aggregate.api[name]!
  const [method, path] = operation.split(' ') as [Route['method'], string]
  const schema = aggregate.commands[name] as z.ZodObject
  const opens = !path.includes(':id')
  // A POST that ends in the command's own verb acts on a thing; any other POST makes one.
  const makes = method === 'POST' && !path.endsWith(`/${name}`)

  async function handle(request: ApiRequest): Promise<ApiResponse> {
    const { id: named, ...body } = parseBody(schema, spelt(aggregate, request.body)) as { readonly id?: string }
    const { principal, correlationId } = request
    const key = keyOf(request, deps)
    const id = opens ? (named ?? unnamedId(principal.org, aggregate.name, key)) : idOf(request)
    const dryRun = isDryRun(request)
    const precondition = expectedRevision(request)
    const target = { aggregate, name, id, opens, named: named !== undefined }
    const command = { ...target, body, idempotencyKey: key, principal, correlationId, dryRun, ...precondition }
    const receipt = await execute(deps, command satisfies Command)
    const made = makes && receipt.events.length > 0 && !dryRun
    const location = `/api/v1/${service.code}${path.split('/:id')[0]}/${encodeURIComponent(receipt.id)}`
    return {
      status: dryRun ? 200 : method === 'DELETE' ? 204 : made ? 201 : 200,
      data: await receiptData(deps.keyring, principal.org, receipt, dryRun),
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
    path: `/${service.code}${path}`,
    permission: `${service.word}.${permission}`,
    operationId: `${aggregate.name}.${name}`,
    summary,
    tag: service.code,
    parameters: opens
      ? parameters
      : [{ name: 'id', in: 'path', schema: id(aggregate.name), description: 'id' }, ...parameters],
    body: schema,
    response: receiptSchema,
    errors: {
      ...(opens ? {} : { 404: ['not_found'] }),
      409: ['conflict'],
      412: ['precondition_failed'],
      422: ['idempotency_key_reused', ...edgeRefusals(schema), ...aggregate.rejections],
      503: ['engine_unavailable', 'outcome_unknown'],
    },
    handle,
  }
}

/** Codes that the command edge refuses with, by what the fields of a command are. */
const edgeRefusals = (schema: z.ZodObject): readonly string[] => [
  ...(referencesIn(schema).length > 0 ? ['reference_unknown', 'reference_removed'] : []),
  ...(personalFields(schema).size > 0 ? ['subject_erased'] : []),
]

/** A body with the fields that came under an earlier spelling under their names. */
function spelt({ spellings }: AnyAggregate, body: unknown): unknown {
  if (!spellings || typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const given = Object.entries(body)
  const both = given.find(([field]) => Object.hasOwn(spellings, field) && Object.hasOwn(body, spellings[field]!))
  if (both)
    throw invalidBody([{ field: both[0], message: `is the earlier spelling of ${spellings[both[0]]}: send one` }])
  return Object.fromEntries(given.map(([field, value]) => [own(spellings, field) ?? field, value]))
}

const own = (names: Readonly<Record<string, string>>, name: string) =>
  Object.hasOwn(names, name) ? names[name] : undefined

function isDryRun({ query }: ApiRequest): boolean {
  const { dry_run: given } = query
  if (given === undefined || given === 'false') return false
  if (given === 'true') return true
  throw new KogiError('invalid_parameter', 'The parameter dry_run must be true or false.', [
    { field: 'dry_run', message: 'must be true or false' },
  ])
}

function parseBody(schema: z.ZodObject, body: unknown): Readonly<Record<string, unknown>> {
  const parsed = schema.safeDecode((body === undefined ? {} : body) as never)
  if (parsed.success) return parsed.data
  throw invalidBody(parsed.error.issues.flatMap(issueDetails))
}

const invalidBody = (details: readonly ErrorDetail[]) =>
  new KogiError('invalid_body', 'The body does not have the form of this command; see details.', details)

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

async function receiptData(keyring: Keyring, org: string, { events, ...receipt }: Receipt, dryRun: boolean) {
  const opened = events.map(async ({ type, eventId, revision, data }) => ({
    type,
    id: eventId,
    revision,
    data: await openSealed(keyring, org, data as Readonly<Record<string, unknown>>),
  }))
  return toWire({ ...receipt, events: await Promise.all(opened), ...(dryRun && { dry_run: true }) })
}
