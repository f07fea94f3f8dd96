import { expect } from 'chai'
import { z } from 'zod'
import { personalFields } from '../../commands/seal.ts'
import { sentBy } from '../../commands/secrets.ts'
import type { Aggregate, Context, EventOf, Vocabulary } from '../../domain/kernel/aggregate.ts'
import { Rejection } from '../../domain/kernel/errors.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { toWire } from '../../domain/kernel/json.ts'

/** The context of every specification: a fixed caller, a fixed instant, predictable ids. */
export const CONTEXT: Context = {
  id: 'thing-1',
  org: 'org-1',
  actor: 'user-1',
  permissions: [],
  at: '2026-01-31T12:00:00.000Z',
  newId: n => `made-${n}`,
}

/**
 * `specFor(wallet).given(opened).when('close', {}).then(closed)`. Facts and bodies are in memory form and must be what
 * the schemas carry, so that no specification speaks of what cannot be stored.
 */
export const specFor = <S, C extends Vocabulary, E extends Vocabulary>(aggregate: Aggregate<S, C, E>) => ({
  given: (...facts: readonly EventOf<E>[]) => ({
    when: <K extends keyof C & string>(name: K, body: z.output<C[K]>, context: Partial<Context> = {}) => {
      const { commands, events, decide, rejections } = aggregate
      for (const { type, data } of facts) stored(events, type, data)
      mustEncode(commands[name]!, body)
      const state = stateOf(aggregate, facts)
      const run = () => decide[name](state, body, { ...CONTEXT, ...context })
      return {
        // biome-ignore lint/suspicious/noThenProperty: given, when, then; nobody awaits it
        then(...expected: readonly EventOf<E>[]): void {
          const made = run()
          expect(made).to.deep.equal(expected)
          for (const { type, data } of made) stored(events, type, data)
        },
        changesNothing(): void {
          expect(run()).to.deep.equal([])
        },
        rejects(code: string): void {
          expect(rejections, 'the code must be in the vocabulary').to.include(code)
          expect(codeOf(run)).to.equal(code)
        },
      }
    },
  }),
})

/** The state that facts lead to, all of them of one instant. */
export const stateOf = <S, C extends Vocabulary, E extends Vocabulary>(
  { evolve, initial }: Aggregate<S, C, E>,
  facts: readonly EventOf<E>[],
  at = CONTEXT.at,
): S => facts.reduce((state, { type, data }) => evolve[type](state, data, at), initial)

/** The code of the rejection that `run` throws; anything else that it throws goes on. */
export function codeOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof Rejection) return error.code
    throw error
  }
}

/** The data of a fact as the log holds it; a fact that its schema does not carry fails the test. */
export function stored(events: Vocabulary, type: string, data: unknown): StoredEvent['data'] {
  const encoded = events[type]!.safeEncode(data as never)
  expect(encoded.error && z.prettifyError(encoded.error), `${type} must be storable`).to.equal(undefined)
  return toWire(encoded.data) as StoredEvent['data']
}

/** A personal field is already sealed here, which its schema for the wire does not describe. */
function mustEncode(schema: z.ZodObject, body: object): void {
  const personal = personalFields(schema)
  const open = Object.entries(body).filter(([field]) => !personal.has(field))
  const sent = Object.entries<z.ZodType>(sentBy(schema).shape as never).filter(([field]) => !personal.has(field))
  const plain = z.strictObject(Object.fromEntries(sent))
  const encoded = plain.safeEncode(Object.fromEntries(open) as never)
  expect(encoded.error && z.prettifyError(encoded.error), 'a client must be able to send the body').to.equal(undefined)
}
