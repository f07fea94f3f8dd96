/** The command side of the HTTP API: one route per command, from the catalogue. */
import { z } from 'zod'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../domain/kernel/route.ts'
import { id, personalFields, referencesIn } from '../domain/kernel/schema.ts'
import type { Service } from '../domain/kernel/service.ts'
import { bulkRoute } from './bulk.ts'
import { execute } from './execute.ts'
import {
  acceptedAnswer,
  type ClientCommand,
  type CommandDeps,
  commandsOf,
  dryRunOf,
  dryRunParameter,
  IDEMPOTENCY_KEY_MAX,
  parseCommand,
  receiptSchema,
} from './requests.ts'

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
    description:
      'Revision the caller has seen, as the ETag gave it: `"12"`, or several. Another one answers 412, as a weak tag ' +
      '(`W/"12"`) always does; `*` asks that the thing exists.',
  },
  dryRunParameter,
]

/** The routes of every command of some services, and the one that takes many of them at once. */
export function commandRoutes(services: readonly Service[], deps: CommandDeps): Route[] {
  const clients = commandsOf(services)
  return [...clients.map(client => commandRoute(client, deps)), bulkRoute(clients, deps)]
}

function commandRoute(client: ClientCommand, deps: CommandDeps): Route {
  const { aggregate, method, path, permission, operationId, summary, tag, schema, opens } = client

  async function handle({ params, body, header, query, principal, correlationId }: ApiRequest): Promise<ApiResponse> {
    const key = header('idempotency-key') ?? deps.newKey()
    const sent = { id: params.id, body, key, ifMatch: header('if-match'), principal, correlationId }
    const command = parseCommand(client, { ...sent, dryRun: dryRunOf(query) })
    const receipt = await execute(deps, command)
    const { status, data, location } = await acceptedAnswer(client, command, receipt, deps.keyring)
    return {
      status,
      data,
      headers: {
        ETag: `"${receipt.revision}"`,
        'Kogi-Position': String(receipt.position),
        'Idempotency-Key': key,
        ...(location && { Location: location }),
      },
    }
  }

  return {
    method,
    path,
    permission,
    operationId,
    summary,
    tag,
    parameters: opens
      ? parameters
      : [
          { name: 'id', in: 'path', schema: id(aggregate.name), description: `id of the ${aggregate.name}` },
          ...parameters,
        ],
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
