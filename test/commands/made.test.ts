import { expect } from 'chai'
import fc from 'fast-check'
import type { z } from 'zod'
import { madeCheck } from '../../commands/made.ts'
import { toWire } from '../../domain/kernel/json.ts'
import { aggregates, codec } from '../../infra/catalogue.ts'
import { wireOf } from '../domain/support/arbitrary.ts'

const events = aggregates.flatMap(aggregate =>
  Object.entries<z.ZodObject>(aggregate.events).map(([type, schema]) => [`${aggregate.name}.${type}`, schema] as const),
)
const numRuns = process.env.KOGI_LONG ? 2000 : 30

/** What may stand in the place of a member of an event, most of which it may not. */
const wrong = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    '',
    'a\0b',
    '\ud800',
    'x'.repeat(60_000),
    '2023-02-29',
    0,
    1.5,
    Number.NaN,
    true,
    [],
    {},
  ),
  fc.constantFrom(0n, -1n, 10n ** 38n, -(10n ** 38n), 10n ** 38n - 1n),
  fc.constantFrom(1, 'EUR', '1', ['a'], { a: 1n }, { a: undefined }, new Date(0), Array(2000).fill('a')),
)

/** The value with a member somewhere in it replaced, taken out or added. */
function spoilt(value: unknown, path: readonly number[], by: unknown, how: 'replace' | 'remove' | 'add'): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return by
  const keys = Object.keys(value)
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
  const key = keys[path[0]! % Math.max(1, keys.length)] ?? 'other'
  if (path.length > 1) copy[key] = spoilt(copy[key], path.slice(1), by, how)
  else if (how === 'remove' && !Array.isArray(copy)) delete copy[key]
  else copy[how === 'add' && !Array.isArray(copy) ? 'other' : key] = by
  return copy
}

const holdsUndefined = (value: unknown): boolean =>
  value === undefined || (typeof value === 'object' && value !== null && Object.values(value).some(holdsUndefined))

describe('data that a rule has made', () => {
  for (const [name, schema] of events) {
    const isMade = madeCheck(schema)
    const decode = (memory: unknown) => schema.safeDecode(toWire(memory) as never)

    it(`${name}: is known to be good where it is`, () =>
      fc.assert(
        fc.property(wireOf(schema, 0), wire => {
          const decoded = schema.safeDecode(wire as never)
          if (decoded.success && !holdsUndefined(decoded.data)) expect(isMade(decoded.data)).to.equal(true)
        }),
        { numRuns },
      ))

    it(`${name}: decodes to itself wherever it is taken for good`, () =>
      fc.assert(
        fc.property(
          wireOf(schema, 5),
          fc.array(fc.nat(20), { maxLength: 4 }),
          wrong,
          fc.constantFrom('replace', 'remove', 'add'),
          (wire, path, by, how) => {
            const decoded = schema.safeDecode(wire as never)
            if (!decoded.success) return
            const memory = spoilt(decoded.data, path, by, how)
            if (!isMade(memory)) return
            expect(decode(memory).data).to.deep.equal(memory)
          },
        ),
        { numRuns: numRuns * 3 },
      ))
  }

  it('must meet the conditions that stored data need not', () => {
    const data = { from: 'a', fromAccount: 'external:x', to: 'b', toAccount: 'main', currency: 'EUR', places: 2 }
    const event = {
      type: 'TransferRequested',
      data: { ...data, amount: '-5' },
      metadata: { schema: 1 },
      stream: 'transfer-1',
      revision: 0n,
    } as never
    expect(() => codec.decodeMade(event)).to.throw('TransferRequested at transfer-1@0')
    expect(codec.decode(event).data).to.include({ amount: -5n })
  })

  it('is decoded where the check is not certain: what no reader can read is not made', () => {
    const [, schema] = events.find(([name]) => name === 'wallet.AccountOpened')!
    const opened = { account: 'main', currency: 'EUR', places: 2, overdraft: 'refused' }
    const isMade = madeCheck(schema)
    expect(isMade(opened)).to.equal(true)
    for (const bad of [{ ...opened, places: 31 }, { ...opened, other: 1 }, { ...opened, account: undefined }, [opened]])
      expect(isMade(bad)).to.equal(false)
  })
})
