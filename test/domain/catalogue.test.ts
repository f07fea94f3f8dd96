import { expect } from 'chai'
import { z } from 'zod'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import { eventCodec } from '../../domain/kernel/codec.ts'
import { placesOf } from '../../domain/wallet/wallet/currencies.ts'
import { aggregates, domainStreamPrefixes, projections } from '../../infra/catalogue.ts'

/** Codes that the interface answers by itself; a rule may not take one of them for something else. */
const INTERFACE_CODES = ['not_found', 'conflict', 'precondition_failed', 'idempotency_key_reused', 'invalid_body']

const twice = (names: readonly string[]) => names.filter((name, n) => names.indexOf(name) !== n)
const namesOf = (vocabulary: object) => Object.keys(vocabulary)

describe('the catalogue', () => {
  it('names every event once in the system, as a noun and a past tense', () => {
    const types = aggregates.flatMap(({ events }) => namesOf(events))
    expect(twice(types)).to.deep.equal([])
    for (const type of types) expect(type).to.match(/^([A-Z][a-z]+){2,}$/)
  })

  it('names every rejection once, in snake_case, and no code of the interface', () => {
    const codes = aggregates.flatMap(({ rejections }) => rejections)
    expect(twice(codes)).to.deep.equal([])
    for (const code of codes) expect(code).to.match(/^[a-z]+(_[a-z]+)+$/)
    expect(codes.filter(code => INTERFACE_CODES.includes(code))).to.deep.equal([])
  })

  it('gives every category a name of lower-case letters, once', () => {
    const names = aggregates.map(({ name }) => name)
    expect(twice(names)).to.deep.equal([])
    for (const name of names) expect(name).to.match(/^[a-z]+$/)
    expect(domainStreamPrefixes).to.deep.equal(names.map(name => `${name}-`))
  })

  it('has no two commands on one route', () =>
    expect(
      twice(aggregates.flatMap(({ service, http }) => Object.values(http).map(route => `${service} ${route}`))),
    ).to.deep.equal([]))

  it('refuses an event type that two aggregates define', () =>
    expect(() => eventCodec([...aggregates, aggregates[0]!])).to.throw('defined twice'))

  it('makes projections of whole aggregates by their categories, or of every event', () => {
    for (const { name, of, on, every } of projections) {
      for (const [category, vocabulary] of Object.entries(of)) {
        expect(vocabulary, name).to.equal(aggregates.find(aggregate => aggregate.name === category)?.events)
      }
      expect(namesOf(on), name).to.have.members(Object.values<object>(of).flatMap(namesOf))
      expect(every !== undefined, name).to.equal(namesOf(of).length === 0)
    }
  })

  for (const aggregate of aggregates) describe(aggregate.name, () => describeDefinition(aggregate))
})

function describeDefinition(aggregate: AnyAggregate) {
  const { commands, events, http, allow, summary, decide, evolve } = aggregate

  it('handles every event and every command, and nothing else', () => {
    expect(namesOf(evolve)).to.have.members(namesOf(events))
    for (const table of [decide, http, allow, summary]) expect(namesOf(table)).to.have.members(namesOf(commands))
  })

  it('has a route, a permission and a sentence for every command', () => {
    for (const name of namesOf(commands)) {
      expect(name).to.match(/^[a-z]+([A-Z][a-z]+)*$/)
      expect(http[name]).to.match(/^(POST|PUT|PATCH|DELETE) \/[a-z-]+(\/:id(\/[a-z-]+)?)?$/)
      expect(allow[name]).to.match(/^[a-z]+\.[a-z]+\.[a-z]+$/)
      expect(summary[name]).to.match(/^[A-Z].*\.$/)
    }
  })

  it('lets exactly those commands name an id that make the thing', () => {
    for (const [name, schema] of Object.entries<z.ZodObject>(commands)) {
      expect('id' in schema.shape, name).to.equal(!(http[name] as string).includes(':id'))
    }
  })

  it('refuses unknown fields in every message', () => {
    for (const schema of [...Object.values<z.ZodObject>(events), ...Object.values<z.ZodObject>(commands)]) {
      expect(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }).additionalProperties).to.equal(false)
    }
  })
}

describe('currencies', () => {
  it('have the places of ISO 4217, and nothing is known of other names', () => {
    const places = { EUR: 2, CZK: 2, JPY: 0, VND: 0, KWD: 3, CLP: 0, UYU: 2, CLF: undefined, BTC: undefined }
    for (const [code, known] of Object.entries(places)) expect(placesOf(code), code).to.equal(known)
    for (const name of ['__proto__', 'constructor', 'toString', 'eur', '']) expect(placesOf(name)).to.equal(undefined)
  })
})
