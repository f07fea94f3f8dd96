/** Many commands in one request, each with an answer of its own. */
import { z } from 'zod'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../domain/kernel/route.ts'
import { object } from '../domain/kernel/schema.ts'
import type { Command } from './command.ts'
import { exampleOf } from './examples.ts'
import { execute } from './execute.ts'
import { streamOf, uuidOf } from './ids.ts'
import { looksOf } from './look-up.ts'
import {
  acceptedAnswer,
  type ClientCommand,
  type CommandDeps,
  dryRunOf,
  dryRunParameter,
  invalidBody,
  parseBody,
  parseCommand,
  receiptSchema,
} from './requests.ts'

const COMMANDS_MAX = 1_000
/** Things that one bulk works on at once: enough to keep the log busy, few enough that no append waits long for it. */
const THINGS_AT_ONCE = 32

/** What stands for one request in a bulk. */
type Entry = z.output<ReturnType<typeof entryOf>>

/** One command of a bulk: read, or with what is wrong with it. */
type Read = { readonly key: string } & (
  | { readonly client: ClientCommand; readonly command: Command }
  | { readonly error: unknown }
)

type Result = {
  readonly status: number
  readonly key: string
  readonly data?: unknown
  readonly location?: string
  readonly error?: unknown
}

/**
 * The route that takes a bulk. Commands of one thing are decided in their order, those of others beside them. Each is
 * whole or not at all, and has the answer that it would have alone; one that is refused does not stop the others.
 */
export function bulkRoute(clients: readonly ClientCommand[], deps: CommandDeps): Route {
  const byName = new Map(clients.map(client => [client.operationId, client]))
  const body = object({
    commands: z
      .array(entryOf([...byName.keys()]))
      .min(1)
      .max(COMMANDS_MAX),
  }).meta({
    examples: [{ commands: clients.filter(({ opens, method }) => opens && method === 'POST').map(exampleEntry) }],
  })
  return {
    method: 'POST',
    path: '/bulk',
    permission: 'signed in',
    operationId: 'bulk',
    summary: SUMMARY,
    tag: 'bulk',
    parameters: [keysParameter, dryRunParameter],
    body,
    response: object({ results: z.array(z.union([acceptedResult, failedResult])) }),
    answerHeaders: ['Kogi-Position'],
    errors: {},
    handle(request) {
      const { commands } = parseBody(body, request.body)
      const [dryRun, named] = [dryRunOf(request.query), request.header('idempotency-key')]
      const all = commands.map((entry, n) => {
        const key = entry.key ?? (named === undefined ? deps.newKey() : uuidOf([named, n]))
        return read(byName, deps, request, { ...entry, key, dryRun })
      })
      return answerAll(all, deps, request.correlationId)
    },
  }
}

function read(
  clients: ReadonlyMap<string, ClientCommand>,
  { mustAllow }: CommandDeps,
  { principal, correlationId }: ApiRequest,
  entry: Entry & { readonly key: string; readonly dryRun: symbol | undefined },
): Read {
  const { id, key, dryRun } = entry
  try {
    const client = clients.get(entry.command)
    if (!client) throw invalidBody([{ field: 'command', message: `there is no ${entry.command}` }])
    mustAllow(principal, client.permission)
    const sent = { id, body: bodyOf(client, entry), key, ifMatch: ifMatchOf(entry), dryRun, principal, correlationId }
    return { key, client, command: { ...parseCommand(client, sent), isOfBulk: true } }
  } catch (error) {
    return { key, error }
  }
}

async function answerAll(all: readonly Read[], deps: CommandDeps, correlationId: string): Promise<ApiResponse> {
  const results: Result[] = []
  let position = 0n
  const answer = async (n: number) => {
    const it = all[n]!
    try {
      if ('error' in it) throw it.error
      const receipt = await execute(deps, it.command)
      if (receipt.position > position) position = receipt.position
      const { status, data, location } = await acceptedAnswer(it.client, it.command, receipt, deps.keyring)
      results[n] = { status, key: it.key, data, ...(location !== undefined && { location }) }
    } catch (error) {
      const { status, code, message, details } = deps.errorAnswer(error, correlationId)
      results[n] = { status, key: it.key, error: { code, message, details } }
    }
  }
  // Those of one thing begin in the same tick, so that they wait for their turn together and in order. One that looks
  // at something else before its turn is waited for: those behind it would be faster.
  const inOrder = async (places: readonly number[]) => {
    const begun: Promise<void>[] = []
    for (const n of places) {
      const isSlow = looksAtOthers(all[n]!)
      if (isSlow) await Promise.all(begun.splice(0))
      begun.push(answer(n))
      if (isSlow) await Promise.all(begun.splice(0))
    }
    await Promise.all(begun)
  }
  await inLanes(placesByThing(all), THINGS_AT_ONCE, inOrder)
  return { data: { results }, headers: position > 0n ? { 'Kogi-Position': String(position) } : {} }
}

const keysParameter: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  schema: z.string(),
  description: 'Gives each command without a `key` one that follows from this and its place in the list.',
}

const SUMMARY =
  `Give up to ${COMMANDS_MAX} commands, each with an answer of its own, in their order. Those of one thing are ` +
  'decided one after another, those of others beside them; one that is refused does not stop the others.'

const entryOf = (names: readonly string[]) =>
  object({
    command: z.string().meta({ enum: names, description: 'the operation of the command' }),
    id: z.string().optional().meta({ description: 'the thing, as the path of the single request names it' }),
    body: z.unknown().optional().meta({ description: 'the body of the single request' }),
    key: z.string().optional().meta({ description: 'the Idempotency-Key of the command; made up if left out' }),
    if_match: z.string().optional().meta({ description: 'the revision that the caller has seen: `12`' }),
  })

/** A command that opens a thing whose id follows from the key where it may, so that the example can be sent again. */
function exampleEntry({ operationId, schema }: ClientCommand) {
  const { id, ...body } = exampleOf(schema) as { readonly id?: string }
  const mayLack = schema.shape.id instanceof z.ZodOptional
  return { command: operationId, key: `${operationId}-1`, body: mayLack ? body : { id, ...body } }
}

const key = z.string().meta({ description: 'the Idempotency-Key of the command: send it again with this' })
const acceptedResult = object({
  status: z.union([z.literal(200), z.literal(201), z.literal(204)]),
  key,
  data: receiptSchema,
  location: z.string().optional().meta({ description: 'path of what was made' }),
})
const failedResult = object({
  status: z.int().min(400).max(599),
  key,
  error: object({
    code: z.string(),
    message: z.string(),
    details: z.array(object({ field: z.string(), message: z.string() })),
  }),
})

/** A command that opens a thing has its id in the body; in a bulk it may stand beside it as well. */
function bodyOf({ opens }: ClientCommand, { id, body = {} }: Entry): unknown {
  if (!opens || id === undefined || typeof body !== 'object' || body === null || Array.isArray(body)) return body
  if ('id' in body && body.id !== id) throw invalidBody([{ field: 'id', message: 'the body names another one' }])
  return { ...body, id }
}

/** A revision may be written as it is, or in quotes as the ETag has it. */
const ifMatchOf = ({ if_match: given }: Entry) => (given !== undefined && /^[0-9]+$/.test(given) ? `"${given}"` : given)

/** Whether a command is decided on what it looks up first: an earlier event, or another thing. */
function looksAtOthers(it: Read): boolean {
  return 'command' in it && looksOf(it.command) !== undefined
}

/** The places of the commands of each thing, in order. */
function placesByThing(all: readonly Read[]): Iterable<readonly number[]> {
  const places = new Map<string, number[]>()
  for (const [n, it] of all.entries()) {
    const thing = 'error' in it ? '' : streamOf(it.command.principal.org, it.command.aggregate.name, it.command.id)
    const known = places.get(thing)
    if (known) known.push(n)
    else places.set(thing, [n])
  }
  return places.values()
}

/** Runs `job` over all items, at most `lanes` at a time. */
async function inLanes<T>(items: Iterable<T>, lanes: number, job: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items].values()
  const lane = async () => {
    for (const item of queue) await job(item)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
