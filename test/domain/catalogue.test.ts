import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { z } from 'zod'
import { operationsOf } from '../../commands/command.ts'
import { referencesIn } from '../../commands/references.ts'
import { personalFields } from '../../commands/seal.ts'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import { eventCodec } from '../../domain/kernel/codec.ts'
import { plainOf, text } from '../../domain/kernel/schema.ts'
import { ADMIN_ROLES, ROLES, type Service } from '../../domain/kernel/service.ts'
import { messages as noteMessages } from '../../domain/office/note/messages.ts'
import { grantedBy, permissions } from '../../infra/auth/permissions.ts'
import { aggregates, domainStreamPrefixes, memories, projections, services } from '../../infra/catalogue.ts'
import { errorCatalogue } from '../../infra/http/errors.ts'
import { indexesOf } from '../../projections/rows/indexes.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { recordModel } from '../../projections/rows/record-model.ts'
import { modelOf } from '../../read-api/audit/changes.ts'
import { resourcesOf } from '../../read-api/resource.ts'

const twice = (names: readonly string[]) => names.filter((name, n) => names.indexOf(name) !== n)
const namesOf = (vocabulary: object) => Object.keys(vocabulary)
const fileAt = (path: string) => new URL(`../${path}`, import.meta.url)

/** What is missing for the definitions of some services and their models, one sentence each that says what to do. */
function gapsIn(listed: readonly Service[], models: readonly AnyProjection[]): readonly string[] {
  const all = new Set(listed.flatMap(service => service.aggregates.map(({ name }) => name)))
  return [
    ...listed.flatMap(service => [
      ...permissionGaps(service),
      ...service.aggregates.flatMap(aggregate => [
        ...fileGaps(service, aggregate, models),
        ...commandGaps(aggregate),
        ...referenceGaps(aggregate, all),
      ]),
    ]),
    ...models.flatMap(indexGaps),
    ...historyGaps(all, models),
  ]
}

const historyGaps = (categories: ReadonlySet<string>, models: readonly AnyProjection[]): string[] =>
  [...categories]
    .filter(category => !aggregates.some(({ name, only }) => name === category && only !== undefined))
    .filter(category => models.length > 0 && !modelOf(resourcesOf(services, models), category))
    .map(category => `No read model keeps the versions of each ${category}: make one by org and id, with history.`)
/** PostgreSQL's limit for a row of an index is 2,704 bytes, of which some are its own. */
const INDEX_BYTES_MAX = 2_650

function indexGaps(model: AnyProjection): string[] {
  const bytesOf = (column: string) => {
    const { maxLength } = (plainOf(model.row.shape[column]).meta() ?? {}) as { maxLength?: number }
    return column === 'org' ? 64 : maxLength === undefined ? 24 : maxLength * 2
  }
  return [model.key as readonly string[], ...indexesOf(model)]
    .map(columns => ({ columns, bytes: columns.reduce((sum, column) => sum + bytesOf(column), 0) }))
    .filter(({ bytes }) => bytes > INDEX_BYTES_MAX)
    .map(
      ({ columns, bytes }) =>
        `An index of ${model.name} on ${columns.join(', ')} can need ${bytes} bytes, and a long text would stall it: ` +
        'filter by a shorter field, or not by this one.',
    )
}

function permissionGaps(service: Service): string[] {
  const held = new Set(ROLES.filter(role => !ADMIN_ROLES.includes(role)).flatMap(role => [...grantedBy(service, role)]))
  const listed = (service.adminOnly ?? []).map(name => `${service.word}.${name}`)
  const own = permissions.filter(name => name.startsWith(`${service.word}.`))
  return [
    ...own
      .filter(name => !held.has(name) && !listed.includes(name))
      .map(
        name =>
          `No role below administrator holds ${name}: grant it to one in \`roles\` of ` +
          `domain/${service.word}/service.ts, or list it in \`adminOnly\` there.`,
      ),
    ...listed
      .filter(name => held.has(name) || !own.includes(name))
      .map(name => `${name} is listed in \`adminOnly\` of domain/${service.word}/service.ts: take it out there.`),
  ]
}

function fileGaps({ word }: Service, { name, events, only }: AnyAggregate, models: readonly AnyProjection[]): string[] {
  const gaps: string[] = []
  const spec = `domain/${word}/${name}.test.ts`
  if (!existsSync(fileAt(spec))) gaps.push(`${name} has no spec: write test/${spec} with \`specFor\`.`)
  const golden = `golden/${name}.json`
  if (!existsSync(fileAt(golden))) gaps.push(`${name} has no golden file: write test/${golden}, one of each event.`)
  else {
    const shown = new Set((JSON.parse(readFileSync(fileAt(golden), 'utf8')) as { type: string }[]).map(e => e.type))
    for (const type of namesOf(events)) {
      if (!shown.has(type)) gaps.push(`No golden event is a ${type}: add one to test/${golden}.`)
    }
  }
  const own = models.filter(model => model !== memories && Object.hasOwn(model.of, name))
  const testOf = (model: AnyProjection) => `${model.service}/${model.name.replaceAll('_', '-')}.test.ts`
  const tested = own.filter(model => existsSync(fileAt(`projections/${testOf(model)}`)))
  // What an organization has one of may be read from the log alone.
  if (tested.length === 0 && (own.length > 0 || only === undefined)) {
    gaps.push(`${name} has no row test: write test/projections/${word}/<model>.test.ts with \`rowsFor\`.`)
  }
  return gaps
}

function commandGaps({ name, commands, api, subjectOf }: AnyAggregate): string[] {
  return Object.entries<z.ZodObject>(commands).flatMap(([command, schema]) => {
    if (api[command] === 'internal') return []
    const [route, , summary, makes] = api[command] ?? (['', '', ''] as never)
    const gaps: string[] = []
    if (route.includes('/:id/') && route.startsWith('POST') && !command.startsWith(route.split('/').at(-1)!) && !makes)
      gaps.push(`${name}.${command} makes a part of the ${name}: say in its \`api\` where that is read.`)
    if (!/^[A-Z].*\.$/.test(summary ?? ''))
      gaps.push(`${name}.${command} has no summary: write a sentence in its \`api\`.`)
    if (personalFields(schema).size > 0 && route.includes(':id') && !subjectOf) {
      gaps.push(`${name}.${command} has personal fields: say in \`subjectOf\` whose data an existing ${name} holds.`)
    }
    return gaps
  })
}

function referenceGaps({ name, commands }: AnyAggregate, all: ReadonlySet<string>): string[] {
  return Object.entries<z.ZodObject>(commands).flatMap(([command, schema]) =>
    referencesIn(schema)
      .filter(({ category }) => !all.has(category))
      .map(
        ({ field, category }) =>
          `${name}.${command}: ${field} refers to ${category}, which is no aggregate: ` +
          'list that in its service, or use id() instead of ref().',
      ),
  )
}

describe('the catalogue', () => {
  it('has no gaps', () => expect(gapsIn(services, projections)).to.deep.equal([]))

  it('names every event once in the system, as a noun and a past tense', () => {
    const types = aggregates.flatMap(({ events }) => namesOf(events))
    expect(twice(types)).to.deep.equal([])
    for (const type of types) expect(type).to.match(/^([A-Z][a-z]+){2,}$/)
  })

  it('names every rejection once, in snake_case, and no code of the interface', () => {
    const codes = aggregates.flatMap(({ rejections }) => rejections)
    expect(twice(codes)).to.deep.equal([])
    for (const code of codes) expect(code).to.match(/^[a-z]+(_[a-z]+)+$/)
    expect(codes.filter(code => Object.hasOwn(errorCatalogue, code))).to.deep.equal([])
  })

  it('gives every category a name of lower-case letters, once', () => {
    const names = aggregates.map(({ name }) => name)
    expect(twice(names)).to.deep.equal([])
    for (const name of names) expect(name).to.match(/^[a-z]+$/)
    expect(domainStreamPrefixes).to.deep.equal(names.map(name => `${name}-`))
  })

  it('names services, read models and reads once each', () => {
    expect(twice(services.map(({ word }) => word))).to.deep.equal([])
    // The vault is a part of the base, settings are one of the manager, with permissions of their own.
    expect(twice(services.map(({ code }) => code))).to.deep.equal(['kbs', 'kmg', 'kmg'])
    expect(twice(projections.map(({ name }) => name))).to.deep.equal([])
    const reads = projections.flatMap(({ reads = [] }) => reads)
    expect(twice(reads.flatMap(({ one, many }) => [one, many]))).to.deep.equal([])
    for (const { service } of projections) expect(services.map(({ word }) => word)).to.include(service)
  })

  it('has no two commands on one route', () => {
    const routes = services.flatMap(({ code, aggregates: own }) =>
      own.flatMap(aggregate => operationsOf(aggregate).map(([, [route]]) => `${code} ${route}`)),
    )
    expect(twice(routes)).to.deep.equal([])
  })

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

describe('the catalogue notices', () => {
  const [, briefcase] = services
  const item = briefcase!.aggregates[0]!
  const gapsOf = (service: Partial<Service>, models = projections) => gapsIn([{ ...briefcase!, ...service }], models)
  const planted = (aggregate: Partial<AnyAggregate>) => gapsOf({ aggregates: [{ ...item, ...aggregate }] })

  it('nothing where all is there', () => expect(gapsOf({})).to.deep.equal([]))
  it('a permission that no role holds', () => {
    expect(gapsOf({ roles: {} }).join()).to.match(/briefcase\.items\.write: grant it .* or list it in `adminOnly`/)
    const own = permissions.filter(name => name.startsWith('briefcase.')).map(name => name.slice('briefcase.'.length))
    expect(gapsOf({ roles: {}, adminOnly: own })).to.deep.equal([])
    expect(gapsOf({ adminOnly: ['items.read'] })).to.match(/take it out/)
  })
  it('an aggregate without spec, golden file or row test', () => {
    const gaps = planted({ name: 'unheard' })
    expect(gaps.join()).to.match(/no spec: write test\/domain\/briefcase\/unheard.test.ts/)
    expect(gaps.join()).to.match(/no golden file: write test\/golden\/unheard.json/)
    expect(gaps.join()).to.match(/no row test: write test\/projections\/briefcase/)
    expect(gapsOf({}, []).join()).to.match(/no row test/)
  })
  it('a thing whose versions nobody keeps', () =>
    expect(
      gapsOf(
        {},
        projections.filter(({ name }) => name !== 'items'),
      ).join(),
    ).to.match(/the versions of each item/))
  it('an event that no golden file covers', () =>
    expect(planted({ events: { ...item.events, ItemVanished: z.object({}) } }).join()).to.match(
      /ItemVanished: add one/,
    ))
  it('a command without a summary', () =>
    expect(planted({ api: { ...item.api, add: ['POST /items', 'items.write', ''] } }).join()).to.match(
      /add has no summary/,
    ))
  it('a command that makes something and does not say where that is read', () =>
    expect(planted({ api: { ...item.api, add: ['POST /items/:id/parts', 'items.write', 'Add.'] } }).join()).to.match(
      /add makes a part of the item: say in its `api` where/,
    ))
  it('a reference to an aggregate that there is not', () => {
    const note = services.find(({ word }) => word === 'office')!
    expect(gapsIn([note], projections).join()).to.match(/project refers to project, which is no aggregate/)
  })
  it('an index that a long text could stall', () => {
    const long = {
      ...projections[0]!,
      row: projections[0]!.row.extend({ address: text(2_000) }),
      indexes: [['org', 'address']],
    }
    expect(gapsIn([], [long as AnyProjection]).join()).to.match(/on org, address can need 8064 bytes/)
  })
  it('names in the model of a record that are no fields, or sealed ones', () => {
    const model = (more: object) => () => recordModel(noteMessages, { service: 'office', ...more })
    expect(model({ filters: ['adress'] })).to.throw('no field adress')
    expect(model({ groups: ['body'] })).to.throw('body of the note is sealed')
    expect(model({ memory: { title: 'title', body: 'nope' } })).to.throw('no field nope')
    expect(model({ filters: ['title'], memory: { title: 'title', body: 'body' } })).not.to.throw()
  })
  it('personal fields of which nobody knows whose they are', () => {
    const office = services.find(({ word }) => word === 'office')!
    const note = office.aggregates.find(({ name }) => name === 'note')
    const { subjectOf: _, ...anonymous } = note!
    expect(gapsIn([{ ...office, aggregates: [anonymous] }], projections).join()).to.match(/note.change has personal/)
  })
})

function describeDefinition(aggregate: AnyAggregate) {
  const { commands, events, api, decide, evolve } = aggregate

  it('handles every event and every command, and nothing else', () => {
    expect(namesOf(evolve)).to.have.members(namesOf(events))
    for (const table of [decide, api]) expect(namesOf(table)).to.have.members(namesOf(commands))
  })

  it('has a route and a permission for every command that is not internal', () => {
    for (const name of namesOf(commands)) expect(name).to.match(/^[a-z]+([A-Z][a-z]+)*$/)
    for (const [name, [route, permission]] of operationsOf(aggregate)) {
      expect(route).to.match(
        /^(POST|PUT|PATCH|DELETE) \/((audit|platform)\/)?[a-z-]+(\/:[a-z]+(\/[a-z-]+(\/:[a-z]+)*)*)?$/,
      )
      const fields = [...route.matchAll(/:([a-z]+)/g)].map(([, field]) => field!).filter(field => field !== 'id')
      expect(namesOf(commands[name]!.shape), 'what stands in the path is a field').to.include.members(fields)
      expect(permission).to.match(/^[a-z-]+\.[a-z]+$/)
    }
  })

  it('lets exactly those commands name an id that make the thing', () => {
    for (const [name, [route]] of operationsOf(aggregate)) {
      expect('id' in commands[name].shape, name).to.equal(!route.includes(':id') && aggregate.only === undefined)
    }
  })

  it('spells earlier names of fields that there are', () => {
    const fields = Object.values<z.ZodObject>(commands).flatMap(({ shape }) => namesOf(shape))
    for (const [earlier, field] of Object.entries<string>(aggregate.spellings ?? {})) {
      expect(fields).to.include(field).and.not.include(earlier)
    }
  })

  it('refuses unknown fields in every message', () => {
    for (const schema of [...Object.values<z.ZodObject>(events), ...Object.values<z.ZodObject>(commands)]) {
      expect(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }).additionalProperties).to.equal(false)
    }
  })
}

describe('what is remembered', () => {
  it('is of things that somebody can read', () => {
    for (const { name, memory, reads } of projections) if (memory) expect(reads?.[0], name).not.to.equal(undefined)
    expect(namesOf(memories.of)).to.include.members(['item', 'task', 'wallet', 'note'])
  })
})
