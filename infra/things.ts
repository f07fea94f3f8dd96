/** Things in the log as senders work on them: what they are now, and the commands that they are given. */

import type { Receipt } from '../commands/command.ts'
import { execute, type WriteDeps } from '../commands/execute.ts'
import { streamOf, uuidOf } from '../commands/ids.ts'
import { actorOf } from '../commands/processes/give.ts'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'

export type Thing = { readonly org: string; readonly id: string }

export const keyOf = ({ org, id }: Thing): string => `${org} ${id}`

/** The state of a thing as the log has it. */
export async function stateOf(deps: WriteDeps, aggregate: AnyAggregate, { org, id }: Thing): Promise<unknown> {
  const stream = streamOf(org, aggregate.name, id)
  deps.streams.forget(stream)
  return (await deps.streams.load(aggregate, stream)).loaded.state
}

/** A command of a sender; `part` tells those of one name to one thing apart, so that each is done once. */
type Given = {
  readonly by: string
  readonly name: string
  readonly body: object
  readonly part: string | number
}

/** Gives a command to a thing, which takes effect once. */
export async function give(
  deps: WriteDeps,
  aggregate: AnyAggregate,
  { org, id }: Thing,
  { by, name, body, part }: Given,
): Promise<Receipt> {
  const named = name === 'request'
  return execute(deps, {
    aggregate,
    name,
    id,
    // Of some things an org has one alone, which the first command makes.
    opens: named || aggregate.only !== undefined,
    named,
    body,
    isOfBulk: true,
    idempotencyKey: uuidOf([id, name, part]),
    principal: { subject: actorOf(by), org, roles: [], permissions: [] },
    correlationId: uuidOf([id]),
  })
}
