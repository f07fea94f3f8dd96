/** `POST /kctr/versions/:category/:id/restore`: gives a thing the fields that it had at an earlier revision. */
import { centerService } from '../../domain/center/service.ts'
import { type AnyAggregate, evolveWith } from '../../domain/kernel/aggregate.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Route } from '../../domain/kernel/route.ts'
import { id, object, oneOf, unsigned64 } from '../../domain/kernel/schema.ts'
import type { RecordState } from '../../domain/record/record.ts'
import { answered } from '../answer.ts'
import { streamOf } from '../ids.ts'
import { type CommandDeps, commandsOf, parseBody, receiptSchema } from '../requests.ts'
import { commandParameters } from '../routes.ts'

const PAGE = 500

/** Commands that replace all fields of a thing. */
const replaces = commandsOf([centerService]).filter(({ name }) => name === 'replace')
const category = oneOf(...(replaces.map(({ aggregate }) => aggregate.name) as [string]))
const body = object({ revision: unsigned64.meta({ description: 'the revision whose fields come back' }) }).meta({
  examples: [{ revision: '0' }],
})

/** The route that restores. What was removed is added again first; a status comes back as its workflow allows. */
export const restoreRoute = (deps: CommandDeps): Route => ({
  method: 'POST',
  path: '/kctr/versions/:category/:id/restore',
  operationId: 'restoreVersion',
  summary: 'Give a thing the fields that it had at an earlier revision, as a new version: none is lost.',
  permission: 'signed in',
  tag: 'kctr',
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
    422: ['idempotency_key_reused', ...new Set(replaces.flatMap(({ aggregate }) => aggregate.rejections))],
    503: ['engine_unavailable', 'outcome_unknown'],
  },
  async handle(request) {
    const { params, principal } = request
    const { revision } = parseBody(body, request.body)
    const client = replaces.find(({ aggregate }) => aggregate.name === params.category)
    if (!client) throw new KogiError('not_found', 'Things of this kind have no versions that come back.')
    deps.mustAllow(principal, client.permission)
    const stream = streamOf(principal.org, client.aggregate.name, params.id!)
    const state = await stateAt(deps, client.aggregate, stream, revision)
    if (state?.status !== 'present') {
      throw new KogiError('not_found', `There is no ${params.category} ${params.id} of the revision ${revision}.`)
    }
    const fields = Object.fromEntries(Object.entries(state.fields).filter(([, value]) => value !== null))
    return await answered(deps, client, request, { id: params.id, body: fields })
  },
})

/** The state of a plain thing at a revision, folded from the log; `undefined` where it has not come that far. */
async function stateAt({ store, codec }: CommandDeps, aggregate: AnyAggregate, stream: string, revision: bigint) {
  let state = aggregate.initial as RecordState
  let last: bigint | undefined
  for (let from = 0n; from <= revision; from += BigInt(PAGE)) {
    const left = revision - from + 1n
    const page = await store.read(stream, from, left < PAGE ? Number(left) : PAGE)
    for (const event of page) state = evolveWith(aggregate, state, codec.decode(event)) as RecordState
    last = page.at(-1)?.revision ?? last
    if (page.length < PAGE) break
  }
  return last === revision ? state : undefined
}
