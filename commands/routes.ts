/** The command side of the HTTP API: one route per command, from the catalogue. */
import { z } from 'zod'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'
import type { ApiRequest, Parameter, Route } from '../domain/kernel/route.ts'
import { id } from '../domain/kernel/schema.ts'
import type { Service } from '../domain/kernel/service.ts'
import { PLATFORM_ORG } from '../domain/record/installation.ts'
import { answered, errorsOf } from './answer.ts'
import { bulkRoute } from './bulk.ts'
import { exampleOf } from './examples.ts'
import {
  type ClientCommand,
  type CommandDeps,
  commandsOf,
  dryRunParameter,
  IDEMPOTENCY_KEY_MAX,
  invalidBody,
  receiptSchema,
} from './requests.ts'

/** The parameters of every command beside those of its path. */
export const commandParameters: readonly Parameter[] = [
  {
    name: 'Idempotency-Key',
    in: 'header',
    schema: z.string().max(IDEMPOTENCY_KEY_MAX),
    description:
      'Names the command: the same key on the same thing takes effect once, for ever, and is refused with another ' +
      'path or body of it; on another thing it names another command. Refused and no-op commands leave their key ' +
      'free. Made up if left out.',
  },
  {
    name: 'If-Match',
    in: 'header',
    schema: z.string(),
    description:
      'Revision the caller has seen, as the ETag gave it: `"12"`, or several. Another one answers 412, as a weak tag ' +
      '(`W/"12"`) always does; `*` asks that the thing exists.',
  },
  {
    name: 'If-None-Match',
    in: 'header',
    schema: z.literal('*'),
    description: 'With `*` the command is accepted only if the thing does not exist yet; otherwise it answers 412.',
  },
  dryRunParameter,
]

/** The routes of every command of some services, and the one that takes many of them at once. */
export function commandRoutes(services: readonly Service[], deps: CommandDeps): Route[] {
  const clients = commandsOf(services)
  return [
    ...clients.map(client => commandRoute(client, deps)),
    bulkRoute(
      clients.filter(({ isOfPlatform }) => !isOfPlatform),
      deps,
    ),
  ]
}

function commandRoute(client: ClientCommand, deps: CommandDeps): Route {
  const { aggregate, method, path, permission, operationId, summary, tag, schema, opens, inPath } = client

  return {
    method,
    path,
    permission,
    operationId,
    summary,
    tag,
    parameters: [
      ...(opens ? [] : [thingParameter(aggregate)]),
      ...inPath.map((name): Parameter => {
        const field = schema.shape[name] as z.ZodType
        return { name, in: 'path', schema: field, description: field.description ?? name }
      }),
      ...commandParameters.filter(
        parameter => parameter !== dryRunParameter || !aggregate.untried?.includes(client.name),
      ),
    ],
    body: inPath.length === 0 ? schema : withoutPath(client),
    response: receiptSchema,
    errors: errorsOf(client),
    handle: request =>
      answered(deps, client, client.isOfPlatform ? inPlatform(request) : request, {
        id: request.params.id,
        body: withPath(client, request.params, request.body),
      }),
  }
}

/** A request for a thing of the installation, whichever organization the caller is in. */
const inPlatform = ({ header, query, correlationId, principal }: ApiRequest) => ({
  header,
  query,
  correlationId,
  principal: { ...principal, org: PLATFORM_ORG },
})

function thingParameter({ twinOf, name, exampleId }: AnyAggregate): Parameter {
  const category = twinOf ?? name
  const named = exampleId === undefined ? id(category) : id(category).meta({ examples: [exampleId] })
  return { name: 'id', in: 'path', schema: named, description: `id of the ${category}` }
}

/** The body of a request whose path has some of the command's fields. */
function withoutPath({ schema, inPath }: ClientCommand): z.ZodObject {
  const left = Object.entries(exampleOf(schema) as object).filter(([name]) => !inPath.includes(name))
  const rest = schema.omit(Object.fromEntries(inPath.map(name => [name, true])) as never)
  return rest.meta({ examples: [Object.fromEntries(left)] })
}

/** The body of a command with the fields that stand in the path. Refuses a body that has one of them again. */
function withPath({ inPath }: ClientCommand, params: ApiRequest['params'], body: unknown = {}): unknown {
  if (inPath.length === 0 || typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const again = inPath.find(field => Object.hasOwn(body, field))
  if (again !== undefined) throw invalidBody([{ field: again, message: 'stands in the path' }])
  return { ...body, ...Object.fromEntries(inPath.map(field => [field, params[field]])) }
}
