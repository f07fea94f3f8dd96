/** Given what happened, when an event comes, then commands: the specification of a process. */
import { expect } from 'chai'
import type { z } from 'zod'
import type { AnyProcess, Refusal, Step } from '../../commands/processes/process.ts'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { aggregates } from '../../infra/catalogue.ts'
import { CONTEXT, stateOf, stored } from './spec.ts'

type Fact = { readonly type: string; readonly data: object }
/** A command as a specification names it: `['wallet.hold', 'w-1', { … }]`. */
export type Given = readonly [command: string, id: string, body: object]

/** The stream of the thing that every specification is of. */
export const STREAM = 'thing-6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58'

/**
 * `processSpec(transferProcess).given(requested).when(held).then(['wallet.credit', 'w-2', { … }])`. The facts must be a
 * history of the thing that the event is of, and the commands what their targets take.
 */
export const processSpec = (process: AnyProcess) => ({
  given: (...facts: readonly Fact[]) => ({
    when: (fact: Fact) => {
      const aggregate = aggregateWith(fact.type)
      stateOf(aggregate, [...facts, fact])
      const steps: readonly Step[] = process.on[fact.type]?.(eventOf(aggregate, fact, facts.length)) ?? []
      return {
        // biome-ignore lint/suspicious/noThenProperty: given, when, then; nobody awaits it
        then: (...expected: readonly Given[]) => expect(steps.map(shown)).to.deep.equal(expected),
        /** The types of the events that the steps must have led to for those behind them to follow. */
        needs: (...types: readonly (string | undefined)[]) =>
          expect(steps.map(({ needs }) => needs)).to.deep.equal(types),
        /** The step at this place is refused: what is given instead. */
        refused: (at: number, refusal: Refusal) => ({
          // biome-ignore lint/suspicious/noThenProperty: given, when, then; nobody awaits it
          then: (...expected: readonly Given[]) => {
            const { refused } = steps[at]!
            expect(refused ? [shown(refused(refusal))] : []).to.deep.equal(expected)
          },
        }),
      }
    },
  }),
})

function aggregateWith(type: string): AnyAggregate {
  const found = aggregates.find(({ events }) => Object.hasOwn(events, type))
  if (!found) throw new TypeError(`no aggregate has an event ${type}`)
  return found
}

/** A command without the fields that are left out, after its schema has taken it. */
function shown({ aggregate, name, id, body }: Step): Given {
  const schema: z.ZodObject | undefined = aggregate.commands[name]
  expect(schema, `${aggregate.name} takes no ${name}`).not.to.equal(undefined)
  const opens = 'id' in schema!.shape
  expect(schema!.safeEncode((opens ? { ...body, id } : body) as never).success, `the body of ${name}`).to.equal(true)
  const fields = Object.entries(body).filter(([, value]) => value !== undefined)
  return [`${aggregate.name}.${name}`, id, Object.fromEntries(fields)]
}

const eventOf = ({ name, events }: AnyAggregate, { type, data }: Fact, n: number): DomainEvent => {
  stored(events, type, data)
  return {
    type,
    data,
    eventId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    stream: STREAM,
    category: name,
    revision: BigInt(n),
    position: BigInt(n),
    metadata: {
      $correlationId: 'c',
      $causationId: 'c',
      commandId: 'c',
      fingerprint: 'f',
      org: CONTEXT.org,
      id: CONTEXT.id,
      actor: { subject: CONTEXT.actor, roles: [] },
      subjects: [],
      at: CONTEXT.at,
      schema: 1,
    },
  }
}
