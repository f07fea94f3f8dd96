/** `POST /<service>/versions/:category/:id/restore`: gives a thing the fields that it had at an earlier revision. */
import type { Item } from '../domain/briefcase/item/item.ts'
import { briefcaseService } from '../domain/briefcase/service.ts'
import type { Backlog } from '../domain/center/backlog/backlog.ts'
import { centerService } from '../domain/center/service.ts'
import type { Sprint } from '../domain/center/sprint/sprint.ts'
import type { Task } from '../domain/center/task/state.ts'
import { type AnyAggregate, evolveWith } from '../domain/kernel/aggregate.ts'
import { KogiError } from '../domain/kernel/errors.ts'
import type { Route } from '../domain/kernel/route.ts'
import { id, object, oneOf, unsigned64 } from '../domain/kernel/schema.ts'
import type { Service } from '../domain/kernel/service.ts'
import type { RecordState } from '../domain/record/record.ts'
import { answered } from './answer.ts'
import { streamOf } from './ids.ts'
import { type CommandDeps, commandsOf, parseBody, receiptSchema } from './requests.ts'
import { commandParameters } from './routes.ts'

const PAGE = 500
/** Behind all revisions that a thing can have. */
const LAST = 2n ** 63n

/** The body of the command that gives a thing, as it is now, the fields of a state; `undefined`: it was not there. */
type FieldsOf = (state: unknown, now: unknown) => object | undefined

/** What comes back of a plain thing: all its fields. */
const ofRecord: FieldsOf = state => {
  const known = state as RecordState
  if (known.status !== 'present') return undefined
  return Object.fromEntries(Object.entries(known.fields).filter(([, value]) => value !== null))
}

/** What comes back of other things, and by which command: what they say, and nothing of how far they are and whose. */
const OTHERS: Readonly<Record<string, { readonly command: string; readonly fieldsOf: FieldsOf }>> = {
  task: {
    command: 'change',
    fieldsOf(state) {
      const known = state as Task
      if (!('details' in known)) return undefined
      const { parent: _, dueOn: due_on, estimatedHours: estimated_hours, ...details } = known.details
      return { ...details, due_on, estimated_hours }
    },
  },
  project: {
    command: 'replace',
    fieldsOf(state, now) {
      const [was, is] = [ofRecord(state, now), ofRecord(now, now) as { readonly status?: string } | undefined]
      return was && { ...was, ...(is && { status: is.status }) }
    },
  },
  sprint: {
    command: 'change',
    fieldsOf: state =>
      'fields' in (state as Sprint) ? (state as Extract<Sprint, { fields: object }>).fields : undefined,
  },
  backlog: {
    command: 'change',
    fieldsOf(state) {
      const known = state as Backlog
      return known.status === 'open' ? { name: known.name, description: known.description } : undefined
    },
  },
  item: {
    command: 'replace',
    fieldsOf(state) {
      const known = state as Item
      if (known.status === 'none') return undefined
      const { type, name, description, metadata, tags, briefcase } = known
      return { type, name, description, metadata, tags, briefcase }
    },
  },
}

/** The commands of a service that give fields back: those that replace all of them, and those that change some. */
const restoresOf = (service: Service) =>
  commandsOf([service]).flatMap(client => {
    const { command, fieldsOf } = OTHERS[client.aggregate.name] ?? { command: 'replace', fieldsOf: ofRecord }
    return client.name === command ? [{ client, fieldsOf }] : []
  })

const body = object({ revision: unsigned64.meta({ description: 'the revision whose fields come back' }) }).meta({
  examples: [{ revision: '0' }],
})

/** The routes that restore. What was removed is made again first; a project keeps its status. */
export const restoreRoutes = (deps: CommandDeps): readonly Route[] => [
  restoreRoute(deps, centerService, 'restoreVersion'),
  restoreRoute(deps, briefcaseService, 'restoreBriefcaseVersion'),
]

function restoreRoute(deps: CommandDeps, service: Service, operationId: string): Route {
  const restores = restoresOf(service)
  const category = oneOf(...(restores.map(({ client }) => client.aggregate.name) as [string]))
  return {
    method: 'POST',
    path: `/${service.code}/versions/:category/:id/restore`,
    operationId,
    summary: 'Give a thing the fields that it had at an earlier revision, as a new version: none is lost.',
    permission: 'signed in',
    tag: service.code,
    parameters: [
      { name: 'category', in: 'path', schema: category, description: 'what kind of thing it is' },
      { name: 'id', in: 'path', schema: id('thing'), description: 'id of the thing' },
      ...commandParameters,
    ],
    body,
    response: receiptSchema,
    errors: {
      403: ['forbidden'],
      404: ['not_found'],
      409: ['conflict'],
      412: ['precondition_failed'],
      422: [
        'idempotency_key_reused',
        'reference_unknown',
        'reference_removed',
        ...new Set(restores.flatMap(({ client }) => client.aggregate.rejections)),
      ],
      503: ['engine_unavailable', 'outcome_unknown'],
    },
    async handle(request) {
      const { params, principal } = request
      const { revision } = parseBody(body, request.body)
      const found = restores.find(({ client }) => client.aggregate.name === params.category)
      if (!found) throw new KogiError('not_found', 'Things of this kind have no versions that come back.')
      const { client, fieldsOf } = found
      deps.mustAllow(principal, client.permission)
      const stream = streamOf(principal.org, client.aggregate.name, params.id!)
      const state = await stateAt(deps, client.aggregate, stream, revision)
      const fields = fieldsOf(state, await stateAt(deps, client.aggregate, stream))
      if (!fields) {
        throw new KogiError('not_found', `There is no ${params.category} ${params.id} of the revision ${revision}.`)
      }
      return await answered(deps, client, request, { id: params.id, body: fields })
    },
  }
}

/**
 * The state of a thing at a revision, or now, folded from the log; that of one which is not there, where it never had
 * the revision.
 */
async function stateAt(
  { store, codec }: Pick<CommandDeps, 'store' | 'codec'>,
  aggregate: AnyAggregate,
  stream: string,
  revision = LAST,
) {
  let state: unknown = aggregate.initial
  let last: bigint | undefined
  for (let from = 0n; from <= revision; from += BigInt(PAGE)) {
    const left = revision - from + 1n
    const page = await store.read(stream, from, left < PAGE ? Number(left) : PAGE)
    for (const event of page) state = evolveWith(aggregate, state, codec.decode(event))
    last = page.at(-1)?.revision ?? last
    if (page.length < PAGE) break
  }
  return last === revision || revision === LAST ? state : aggregate.initial
}
