/** What a client sends as a command and how it is answered, over whichever route it came. */
import { z } from 'zod'
import type { AnyAggregate, Operation } from '../domain/kernel/aggregate.ts'
import { type ErrorDetail, KogiError } from '../domain/kernel/errors.ts'
import { toWire } from '../domain/kernel/json.ts'
import type { ApiRequest, Parameter, Principal, Route } from '../domain/kernel/route.ts'
import { id } from '../domain/kernel/schema.ts'
import type { Service } from '../domain/kernel/service.ts'
import { decoderOf, REFUSED, safeDecode } from '../domain/record/decoder.ts'
import { isOfInstallation } from '../domain/record/installation.ts'
import { IN_WORDS, textFault } from '../domain/record/words.ts'
import { type Command, operationsOf, type Receipt } from './command.ts'
import type { WriteDeps } from './execute.ts'
import { unnamedId } from './ids.ts'
import type { Keyring } from './ports.ts'
import { expectedRevision, invalidHeader, type Preconditions } from './preconditions.ts'
import { isSealed, openSealed } from './seal.ts'
import { sentBy } from './secrets.ts'

/** What the command side of the API needs from outside. */
export type CommandDeps = WriteDeps & {
  /** A key for a command that brought none. */
  readonly newKey: () => string
  /** Throws `forbidden` where the caller does not hold the permission. */
  readonly mustAllow: (principal: Principal, permission: string) => void
  /** What a client is told about an error; what is not meant for clients is logged under the correlation id. */
  readonly errorAnswer: (error: unknown, correlationId: string) => ErrorAnswer
}

type ErrorAnswer = {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly details: readonly ErrorDetail[]
}

/** A command as clients see it. */
export type ClientCommand = {
  readonly aggregate: AnyAggregate
  readonly name: string
  /** `wallet.credit` */
  readonly operationId: string
  readonly method: Route['method']
  /** Path below `/api/v1`. */
  readonly path: string
  /** The whole name: `wallet.wallets.write`. */
  readonly permission: string
  readonly summary: string
  /** The code of its service. */
  readonly tag: string
  readonly schema: z.ZodObject
  /** Fields of the body that a single request has in its path, beside the id of the thing. */
  readonly inPath: readonly string[]
  /** Whether it names no thing in its path: it opens a new one. */
  readonly opens: boolean
  /** Path below `/api/v1` of what it makes: `:id` is the thing, other names are fields of its first event. */
  readonly makes: string | undefined
  /** Whether its thing is of the installation, and of no organization. */
  readonly isOfPlatform?: boolean
}

/** The commands of some services. */
export const commandsOf = (services: readonly Service[]): readonly ClientCommand[] =>
  services.flatMap(service =>
    service.aggregates.flatMap(aggregate =>
      operationsOf(aggregate).map(([name, operation]) => clientCommand(service, aggregate, name, operation)),
    ),
  )

function clientCommand(
  service: Service,
  aggregate: AnyAggregate,
  name: string,
  [route, permission, summary, part]: Operation,
): ClientCommand {
  const [method, path] = route.split(' ') as [Route['method'], string]
  const opens = !path.includes(':id')
  const made = part ?? (opens && aggregate.only === undefined ? `${path}/:id` : undefined)
  return {
    aggregate,
    name,
    operationId: `${aggregate.name}.${name}`,
    method,
    path: `/${service.code}${path}`,
    permission: `${service.word}.${permission}`,
    summary,
    tag: service.code,
    schema: sentBy(aggregate.commands[name] as z.ZodObject),
    inPath: [...path.matchAll(/:(\w+)/g)].map(([, field]) => field!).filter(field => field !== 'id'),
    opens,
    makes: made && `/${service.code}${made}`,
    isOfPlatform: isOfInstallation(service),
  }
}

/** A request for a command, not looked at yet. */
export type Sent = Preconditions & {
  /** The thing that the path names. */
  readonly id: string | undefined
  readonly body: unknown
  readonly key: string
  readonly dryRun: symbol | undefined
  readonly principal: Principal
  readonly correlationId: string
}

/** Parses a request. Throws what is wrong with it. */
export function parseCommand(client: ClientCommand, sent: Sent): Command {
  const { aggregate, name, opens } = client
  const given = parseBody(client.schema, spelt(aggregate, sent.body)) as Body & { readonly id?: string }
  const { principal, correlationId, dryRun } = sent
  if (dryRun && aggregate.untried?.includes(name)) throw refusedDryRun()
  const named = given.id
  if (named !== undefined && RESERVED.has(named)) {
    throw invalidBody([{ field: 'id', message: `${named} is a path of the list: choose another id` }])
  }
  const idempotencyKey = checkedKey(sent.key)
  const id =
    aggregate.only ?? (opens ? (named ?? unnamedId(principal.org, aggregate.name, idempotencyKey)) : idOf(sent))
  const body = named === undefined ? given : withoutId(given)
  const expected = expectedRevision(sent)
  // Written out: spreading several objects into one costs more than all the rest of this function.
  return {
    aggregate,
    name,
    id,
    opens: opens || aggregate.twinOf !== undefined,
    named: named !== undefined,
    body,
    idempotencyKey,
    principal,
    correlationId,
    dryRun,
    ...(expected !== undefined && { expectedRevision: expected }),
  }
}

function withoutId({ id: _, ...body }: Body): Body {
  return body
}

/** Ids that no new thing can have, because reads have them as paths of their own. */
const RESERVED: ReadonlySet<string> = new Set(['summary'])

/** The answer to an accepted command. */
export type Accepted = {
  readonly status: 200 | 201 | 204
  /** The receipt in wire form, personal data opened. */
  readonly data: unknown
  /** Path of what was made. */
  readonly location?: string
}

export async function acceptedAnswer(
  { method, makes }: ClientCommand,
  { principal, dryRun, body }: Command,
  receipt: Receipt,
  keyring: Keyring,
): Promise<Accepted> {
  const data = await receiptData(keyring, principal.org, receipt, dryRun && (body as Body))
  if (dryRun) return { status: 200, data }
  if (method === 'DELETE') return { status: 204, data }
  if (!makes || receipt.events.length === 0) return { status: 200, data }
  const fields: Body = { ...(receipt.events[0]!.data as Body), id: receipt.id }
  const location = makes.replaceAll(/:(\w+)/g, (_, field: string) => encodeURIComponent(String(fields[field])))
  return { status: 201, data, location: `/api/v1${location}` }
}

export const receiptSchema = z
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

export const dryRunParameter: Parameter = {
  name: 'dry_run',
  in: 'query',
  schema: z.enum(['true', 'false']),
  description: 'Only decide: `true` answers what the command would do, and writes nothing.',
}

/** The dry run that a query asks for; refuses what it does not know, because a misspelt `dry_run` would write. */
export function dryRunOf(query: ApiRequest['query']): symbol | undefined {
  const given = query.dry_run
  const unknown = Object.keys(query).find(name => name !== 'dry_run')
  if (unknown !== undefined) {
    const message = 'is unknown here'
    throw new KogiError('invalid_parameter', `The parameter ${unknown} ${message}.`, [{ field: unknown, message }])
  }
  if (given === undefined || given === 'false') return undefined
  if (given === 'true') return Symbol('dry run')
  throw new KogiError('invalid_parameter', 'The parameter dry_run must be true or false.', [
    { field: 'dry_run', message: 'must be true or false' },
  ])
}

const refusedDryRun = () =>
  new KogiError('invalid_parameter', 'This command cannot be tried: what it would do is known once it is done.', [
    { field: 'dry_run', message: 'must be absent or false here' },
  ])

/** A body with the fields that came under an earlier spelling under their names. */
function spelt({ spellings }: AnyAggregate, body: unknown): unknown {
  if (!spellings || typeof body !== 'object' || body === null || Array.isArray(body)) return body
  if (!Object.keys(spellings).some(earlier => Object.hasOwn(body, earlier))) return body
  const given = Object.entries(body)
  const both = given.find(([field]) => Object.hasOwn(spellings, field) && Object.hasOwn(body, spellings[field]!))
  if (both)
    throw invalidBody([{ field: both[0], message: `is the earlier spelling of ${spellings[both[0]]}: send one` }])
  return Object.fromEntries(given.map(([field, value]) => [own(spellings, field) ?? field, value]))
}

const own = (names: Readonly<Record<string, string>>, name: string) =>
  Object.hasOwn(names, name) ? names[name] : undefined

/** The body in memory form. Throws `invalid_body` with what is wrong, by field. */
export function parseBody<S extends z.ZodObject>(schema: S, body: unknown): z.output<S> {
  const parsed = safeDecode(schema, body === undefined ? {} : body, IN_WORDS)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  // What is of another type has no size worth a word: a text in the place of a list is not too short.
  const mistyped = new Set(issues.filter(({ code }) => code === 'invalid_type').map(pathOf))
  const telling = issues.filter(issue => issue.code !== 'too_small' || !mistyped.has(pathOf(issue)))
  throw invalidBody(telling.flatMap(issue => issueDetails(issue, body)))
}

const pathOf = ({ path }: z.core.$ZodIssue) => JSON.stringify(path.map(String))

export const invalidBody = (details: readonly ErrorDetail[]) =>
  new KogiError('invalid_body', 'The body does not have the form of this operation; see details.', details)

/** What is wrong, by field: `postings.0.amount`. */
function issueDetails(issue: z.core.$ZodIssue, body: unknown): ErrorDetail[] {
  const at = issue.path.map(String)
  if (issue.code !== 'unrecognized_keys') {
    const given = valueAt(body, at)
    const lacks = issue.code !== 'custom' && at.length > 0 && given === undefined
    const message = lacks ? 'is required' : (textFault(given) ?? issue.message)
    return [{ field: at.join('.') || 'body', message }]
  }
  return issue.keys.map(key => ({ field: [...at, key].join('.').slice(0, 200), message: 'unknown field' }))
}

/** What a body has at a path, `undefined` where that is nothing. */
function valueAt(body: unknown, path: readonly string[]): unknown {
  let at = body
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Body)[key]
  }
  return at
}

export const IDEMPOTENCY_KEY_MAX = 255
const IDEMPOTENCY_KEY = /^[\u0020-\u007e\u0080-\u00ff]{1,255}$/

/** A key as it is. Throws `invalid_header` for what no key may be. */
export function checkedKey(key: string): string {
  if (IDEMPOTENCY_KEY.test(key)) return key
  throw invalidHeader('Idempotency-Key', `1 to ${IDEMPOTENCY_KEY_MAX} printable characters`)
}

const thingId = decoderOf(id('thing'))
function idOf({ id: given }: Sent): string {
  if (given !== undefined && thingId(given) !== REFUSED) return given
  throw new KogiError('not_found', 'There is nothing with this id.')
}

type Body = Readonly<Record<string, unknown>>

/** A receipt in wire form. `tried`: the body of a dry run, whose personal texts are shown as they were sent. */
async function receiptData(keyring: Keyring, org: string, { events, ...receipt }: Receipt, tried: Body | undefined) {
  const shown: object[] = []
  for (const { type, eventId, revision, data } of events) {
    const plain = tried ? asTried(data as Body, tried) : (data as Body)
    const opened = Object.values(plain).some(isSealed) ? await openSealed(keyring, org, plain) : plain
    shown.push({ type, id: eventId, revision, data: opened })
  }
  return toWire({ ...receipt, events: shown, ...(tried && { dry_run: true }) })
}

/** The data of an event with the texts of the body in the place of what was sealed of them. */
const asTried = (data: Body, tried: Body): Body =>
  Object.fromEntries(
    Object.entries(data).map(([field, value]) => [field, isSealed(value) ? (tried[field] ?? value) : value]),
  )
