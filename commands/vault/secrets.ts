/**
 * Secrets are kept, rotated, leased and destroyed. A value is encrypted and stored before its event, under a name
 * that follows from the idempotency key, so that a retry finishes what a crash cut off; it is shown after the event
 * that says to whom. No command and no event has it.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { KogiError, Rejection } from '../../domain/kernel/errors.ts'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../../domain/kernel/route.ts'
import { object } from '../../domain/kernel/schema.ts'
import { secret } from '../../domain/vault/secret/secret.ts'
import { answered, errorsOf } from '../answer.ts'
import { streamOf, uuidOf } from '../ids.ts'
import { type ClientCommand, type CommandDeps, dryRunOf, parseBody, receiptSchema } from '../requests.ts'
import { commandParameters } from '../routes.ts'

/** Which encrypted value it is: a value that is copied to another place does not open. */
export type ValuePlace = { readonly org: string; readonly secret: string; readonly value: string }

/** A value that was stored, and that no event names yet. */
type StoredValue = {
  /** Says that an event names it. */
  readonly settle: () => Promise<void>
  /** Takes it back, where no other request has stored the same one. */
  readonly withdraw: () => Promise<void>
}

/** Encrypted values. Every method throws `vault_sealed` where no master key is set. */
export type SecretValues = {
  readonly mustBeOpen: () => void
  /** Stores a value. Throws `idempotency_key_reused` where that name has another one. */
  readonly store: (place: ValuePlace, plain: string) => Promise<StoredValue>
  /** The value; throws `secret_missing` where it is not there. */
  readonly open: (place: ValuePlace) => Promise<string>
  /** Destroys a value, or all of a secret, also those that no event names. */
  readonly destroy: (place: Omit<ValuePlace, 'value'> & { readonly value?: string }) => Promise<void>
}

export type SecretDeps = CommandDeps & { readonly secretValues: SecretValues }

type Name = 'create' | 'rotate' | 'lease' | 'destroyVersion' | 'remove'

const VALUE_MAX = 65_536
/** Events that are read at once. */
const PAGE = 1_000
const plainValue = z
  .string()
  .min(1)
  .max(VALUE_MAX)
  .meta({ description: 'the secret itself, encrypted before anything is stored; bytes as base64' })

const { id: _, value: __, ...described } = secret.commands.create.shape
const createBody = object({ ...described, value: plainValue }).meta({
  examples: [
    {
      environment: 'production',
      name: 'STRIPE_KEY',
      description: 'Payments of the shop',
      rotate_days: 90,
      value: 'an example, no key',
    },
  ],
})
const { reason } = secret.commands.rotate.shape
const rotateBody = object({ value: plainValue, reason }).meta({
  examples: [{ value: 'another example, no key', reason: 'Once a quarter.' }],
})
const leaseReceipt = receiptSchema
  .extend({
    value: z
      .string()
      .optional()
      .meta({ description: 'the secret; absent where the same request was answered before: lease it again' }),
    until: z.string().optional().meta({ description: 'when the lease ends' }),
  })
  .meta({ title: 'LeaseReceipt' })

const client = (name: Name, method: Route['method'], path: string): ClientCommand => ({
  aggregate: secret,
  name,
  operationId: `secret.${name}`,
  method,
  path,
  permission: name === 'lease' ? 'vault.leases.write' : 'vault.secrets.write',
  summary: '',
  tag: 'kbs',
  schema: secret.commands[name],
  inPath: [],
  opens: name === 'create',
  makes: name === 'create' ? '/kbs/secrets/:id' : undefined,
})

const CREATE = client('create', 'POST', '/kbs/secrets')
const ROTATE = client('rotate', 'POST', '/kbs/secrets/:id/rotate')
const LEASE = client('lease', 'POST', '/kbs/secrets/:id/leases')
const DESTROY = client('destroyVersion', 'POST', '/kbs/secrets/:id/versions/:version/destroy')
const REMOVE = client('remove', 'DELETE', '/kbs/secrets/:id')

const { version, ...destroyFields } = secret.commands.destroyVersion.shape
const destroyBody = object(destroyFields).meta({
  examples: [{ force: true, reason: 'It was seen in a log of the till.' }],
})
const inPath = (name: string, schema: z.ZodType, description: string): Parameter => ({
  name,
  in: 'path',
  schema,
  description,
})
const THING = inPath('id', secret.commands.create.shape.id, 'the environment, a dot, and the name of the secret')

/** The routes of secrets that touch values. */
export function secretRoutes(deps: SecretDeps): Route[] {
  const parameters = commandParameters.filter(({ name }) => name !== 'dry_run')
  const route = (of: ClientCommand, rest: Pick<Route, 'summary' | 'body' | 'handle'> & Partial<Route>): Route => ({
    method: of.method,
    path: of.path,
    permission: of.permission,
    operationId: of.operationId,
    tag: of.tag,
    response: receiptSchema,
    parameters: [...(of.opens ? [] : [THING]), ...parameters],
    ...rest,
    errors: withValues(errorsOf(of)),
    handle(request) {
      if (!dryRunOf(request.query)) return rest.handle(request)
      throw new KogiError('invalid_parameter', 'What touches the values of secrets cannot be tried without doing it.')
    },
  })
  return [
    route(CREATE, {
      summary: 'Keep a secret in an environment: the value is encrypted, and shown by leases alone.',
      body: createBody,
      handle: request => created(deps, request),
    }),
    route(ROTATE, {
      summary: 'Give a secret a new value; earlier versions stay until they are destroyed.',
      body: rotateBody,
      handle(request) {
        const { value, ...body } = parseBody(rotateBody, request.body)
        return stored(deps, ROTATE, request, { id: request.params.id!, plain: value, body })
      },
    }),
    route(LEASE, {
      summary: 'Read a secret: the log has who reads it, for how long and what for, before it is shown.',
      body: secret.commands.lease,
      response: leaseReceipt,
      handle: request => leased(deps, request),
    }),
    route(DESTROY, {
      summary: 'Destroy an earlier version of a secret for good.',
      parameters: [THING, inPath('version', version, 'the number of the version'), ...parameters],
      body: destroyBody,
      handle: request => versionDestroyed(deps, request),
    }),
    route(REMOVE, {
      summary: 'Remove a secret: all of its values are destroyed, and its name is not given again.',
      body: secret.commands.remove,
      handle: request => removed(deps, request),
    }),
  ]
}

const withValues = (errors: Route['errors']): Route['errors'] => ({
  ...errors,
  503: [...(errors[503] ?? []), 'vault_sealed', 'secret_missing'],
})

function created(deps: SecretDeps, request: ApiRequest): Promise<ApiResponse> {
  const { value, ...asked } = parseBody(createBody, request.body)
  const id = `${asked.environment}.${asked.name}`
  return stored(deps, CREATE, request, { id, plain: value, body: { ...asked, id } })
}

type ToStore = { readonly id: string; readonly plain: string; readonly body: object }

/** Codes after which it is certain that no event names the value that was stored for the command. */
const NOT_TAKEN = new Set(['not_found', 'precondition_failed', 'conflict'])

/** Stores a value, then gives the command that names it; a refusal takes it back. */
async function stored(deps: SecretDeps, of: ClientCommand, request: ApiRequest, to: ToStore): Promise<ApiResponse> {
  const { org } = request.principal
  const key = request.header('idempotency-key')
  const value = key === undefined ? randomUUID() : uuidOf([org, 'secret', to.id, 'value', key])
  const kept = await deps.secretValues.store({ org, secret: to.id, value }, to.plain)
  try {
    const answer = await answered(deps, of, request, { id: request.params.id, body: { ...to.body, value } })
    await kept.settle()
    return answer
  } catch (error) {
    if (error instanceof Rejection || (error instanceof KogiError && NOT_TAKEN.has(error.code))) await kept.withdraw()
    throw error
  }
}

type Facts = {
  readonly replayed: boolean
  readonly events: readonly { readonly data: { readonly value: string; readonly until: string } }[]
}

/** Shows the value after the event that says so. */
async function leased(deps: SecretDeps, request: ApiRequest): Promise<ApiResponse> {
  deps.secretValues.mustBeOpen()
  const answer = await answered(deps, LEASE, request, { id: request.params.id, body: request.body })
  const { replayed, events } = answer.data as Facts
  if (replayed) return answer
  const { value, until } = events[0]!.data
  const place = { org: request.principal.org, secret: request.params.id!, value }
  return { ...answer, data: { ...(answer.data as object), value: await deps.secretValues.open(place), until } }
}

/** Destroys again where the version is destroyed already: a crash may have come between. */
async function versionDestroyed(deps: SecretDeps, request: ApiRequest): Promise<ApiResponse> {
  const { id, version: text } = request.params
  const body = {
    ...parseBody(destroyBody, request.body),
    version: /^[1-9][0-9]{0,6}$/.test(text!) ? Number(text) : text,
  }
  const answer = await answered(deps, DESTROY, request, { id, body })
  const [event] = (answer.data as Facts).events
  const { org } = request.principal
  const value = event?.data.value ?? (await destroyedValue(deps, streamOf(org, secret.name, id!), body.version))
  if (value !== undefined) await deps.secretValues.destroy({ org, secret: id!, value })
  return answer
}

/** The value of a version that was destroyed before, as the log names it. */
async function destroyedValue(
  { store, codec }: SecretDeps,
  stream: string,
  version: unknown,
): Promise<string | undefined> {
  for (let next = 0n; ; ) {
    const page = await store.read(stream, next, PAGE)
    for (const { type, data } of page.map(event => codec.decode(event))) {
      const named = data as { readonly version: number; readonly value: string }
      if (type === 'SecretVersionDestroyed' && named.version === version) return named.value
    }
    if (page.length < PAGE) return undefined
    next = page.at(-1)!.revision + 1n
  }
}

/** Destroys again where the secret is removed already: a crash may have come between. */
async function removed(deps: SecretDeps, request: ApiRequest): Promise<ApiResponse> {
  const { id } = request.params
  const answer = await answered(deps, REMOVE, request, { id, body: request.body })
  await deps.secretValues.destroy({ org: request.principal.org, secret: id! })
  return answer
}
