/** How one command of a request is given and answered, over whichever route it came. */
import type { z } from 'zod'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'
import type { ApiRequest, ApiResponse, Route } from '../domain/kernel/route.ts'
import { fieldInfo } from '../domain/kernel/schema.ts'
import { execute } from './execute.ts'
import { referencesIn } from './references.ts'
import { acceptedAnswer, type ClientCommand, type CommandDeps, dryRunOf, parseCommand } from './requests.ts'
import { personalFields } from './seal.ts'

/** The thing that a request names, `undefined` where it makes one, and the body of its command. */
type Given = { readonly id: string | undefined; readonly body: unknown }

/** Gives the command, and answers with its receipt. */
export async function answered(
  deps: CommandDeps,
  client: ClientCommand,
  { header, query, principal, correlationId }: Pick<ApiRequest, 'header' | 'query' | 'principal' | 'correlationId'>,
  { id, body }: Given,
): Promise<ApiResponse> {
  const key = header('idempotency-key') ?? deps.newKey()
  const command = parseCommand(client, {
    id,
    body,
    key,
    ifMatch: header('if-match'),
    ifNoneMatch: header('if-none-match'),
    principal,
    correlationId,
    dryRun: dryRunOf(query),
  })
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

/** The errors of a route that gives a command. */
export const errorsOf = (client: Pick<ClientCommand, 'aggregate' | 'schema' | 'opens'>): Route['errors'] => ({
  ...(client.opens ? {} : { 404: ['not_found'] }),
  409: ['conflict'],
  412: ['precondition_failed'],
  422: ['idempotency_key_reused', ...edgeRefusals(client), ...client.aggregate.rejections],
  503: ['engine_unavailable', 'outcome_unknown'],
})

/** Codes that the command edge refuses with, by what the fields of a command are and what its thing is a part of. */
const edgeRefusals = ({ aggregate, schema }: Pick<ClientCommand, 'aggregate' | 'schema'>): readonly string[] => [
  ...(referencesIn(schema).length > 0 || aggregate.twinOf ? ['reference_unknown', 'reference_removed'] : []),
  ...(personalFields(schema).size > 0 || aggregate.keeps?.some(name => aggregate.commands[name] === schema)
    ? ['subject_erased']
    : []),
  ...(aggregate.partOf?.refusals ?? []),
  ...(hasAmounts(aggregate) && !aggregate.rejections.includes(OUT_OF_RANGE) ? [OUT_OF_RANGE] : []),
]

const OUT_OF_RANGE = 'amount_out_of_range'

const hasAmounts = ({ events }: AnyAggregate): boolean =>
  Object.values<z.ZodObject>(events).some(({ shape }) =>
    Object.values(shape).some(field => fieldInfo(field).column === 'numeric'),
  )
