import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'chai'
import { z } from 'zod'
import { flaggingDuplicates } from '../../commands/memory/store.ts'
import { commandRoutes } from '../../commands/routes.ts'
import { unsigned64 } from '../../domain/kernel/schema.ts'
import { eventTypes, kinds, memoryPermissions, readPermissions, resources, services } from '../../infra/catalogue.ts'
import { mountDocs } from '../../infra/http/docs.ts'
import { errorCatalogue } from '../../infra/http/errors.ts'
import { type OpenApi, openApi } from '../../infra/http/openapi.ts'
import { liveRoutes } from '../../read-api/live/routes.ts'
import { readRoutes } from '../../read-api/routes.ts'
import { echo, failing, route, serve } from '../support/http.ts'

type Json = { readonly [key: string]: Json & string }

/** The routes of the whole system; making them needs no engine, only answering does. */
const routes = [
  ...flaggingDuplicates(commandRoutes(services, {} as never), {} as never),
  ...readRoutes({ kinds, resources, memoryPermissions } as never),
  ...liveRoutes({ readPermissions, eventTypes } as never),
]
const ANY_CALLER = new Set([
  'getPerson',
  'getPersonPage',
  'listVersions',
  'restoreVersion',
  'listBriefcaseVersions',
  'restoreBriefcaseVersion',
  'bulk',
  'listActivity',
  'listNotifications',
  'getUnread',
  'streamEvents',
  'openSocket',
])

function follow(api: OpenApi, reference: string): unknown {
  const steps = reference.slice(2).split('/')
  return steps.reduce<unknown>((node, step) => (node as Json | undefined)?.[step], api)
}

function referencesIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) => (key === '$ref' ? [String(value)] : referencesIn(value)))
}

/** A validator of one schema of the document, references and all. */
function validatorOf(api: OpenApi, schema: unknown) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'api', components: api.components })
  return ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')))
}

describe('OpenAPI', () => {
  const api = openApi(routes, { version: '1.2.3', services })
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation: operation as unknown as Json })),
  )

  it('has every route, under a name of its own', () => {
    expect(operations).to.have.length(routes.length)
    const names = operations.map(({ operation }) => String(operation.operationId))
    expect(new Set(names).size).to.equal(names.length)
    // Paths that differ by the names of their parameters alone are one path of the document.
    const placeOf = (path: string) => path.replace(/:\w+|\{\w+\}/g, ':')
    const byPlace = new Map(Object.entries(api.paths).map(([path, methods]) => [placeOf(path), methods]))
    expect(byPlace.size).to.equal(Object.keys(api.paths).length)
    for (const { method, path } of routes) {
      expect(byPlace.get(placeOf(path)), path).to.have.property(method.toLowerCase())
    }
  })

  it('leads every reference somewhere, and names components as the standard wants', () => {
    const references = referencesIn(api)
    expect(references.length).to.be.greaterThan(100)
    for (const reference of references) expect(follow(api, reference), reference).to.be.an('object')
    for (const kind of Object.values(api.components as Record<string, object>)) {
      for (const name of Object.keys(kind)) expect(name).to.match(/^[\w.-]+$/)
    }
  })

  it('declares every parameter of a path as required', () => {
    for (const { path, operation } of operations) {
      const declared =
        (operation.parameters as unknown as { name: string; in: string; required?: boolean }[] | undefined) ?? []
      const inPath = declared.filter(parameter => parameter.in === 'path')
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(match => match[1])
      expect(
        inPath.map(parameter => parameter.name),
        path,
      ).to.have.members(wanted)
      expect(inPath.every(parameter => parameter.required)).to.equal(true)
    }
  })

  it('says what a list can be asked, each parameter once for all routes', () => {
    type Parameter = { name: string; in: string; schema: Json; style?: string; explode?: boolean; $ref?: string }
    const parametersOf = (path: string) =>
      ((api.paths[path]!.get as unknown as { parameters?: Parameter[] }).parameters ?? []).map(parameter =>
        parameter.$ref ? (follow(api, parameter.$ref) as Parameter) : parameter,
      )
    for (const path of Object.keys(api.paths).filter(path => api.paths[path]!.get)) {
      const names = parametersOf(path).map(({ name, in: place }) => `${place} ${name}`)
      expect(new Set(names).size, path).to.equal(names.length)
    }
    const [list, summary] = [parametersOf('/kctr/tasks'), parametersOf('/kctr/tasks/summary')]
    const forms = ['priority', 'priority[absent]', 'due_on', 'due_on[lt]', 'due_on[lte]', 'due_on[gt]', 'due_on[gte]']
    expect(list.map(({ name }) => name)).to.include.members([...forms, 'assignee[prefix]', 'sort', 'as_of'])
    expect(summary.map(({ name }) => name)).to.include.members([...forms, 'by', 'sum', 'sort', 'as_of'])
    const by = summary.find(({ name }) => name === 'by')!
    expect(by).to.deep.include({ style: 'form', explode: false })
    expect(by.schema).to.deep.include({ type: 'array', maxItems: 3 })
    expect(JSON.stringify(api).length / routes.length).to.be.below(4_500)
  })

  it('gives each operation a summary, its permission, and the answers that it can have', () => {
    for (const { operation } of operations) {
      expect(operation.summary, operation.operationId).to.match(/\w/)
      expect(Object.keys(operation.responses!)).to.include.members(['401', '500', '503'])
      if (ANY_CALLER.has(String(operation.operationId))) continue
      expect(operation['x-permission'], operation.operationId).to.match(/^\w+\.[\w-]+\.\w+$/)
      expect(Object.keys(operation.responses!)).to.include('403')
    }
    const responses = (api.paths['/kwlt/wallets/{id}/debits']!.post as unknown as { responses: Record<string, Json> })
      .responses
    expect(Object.keys(responses)).to.include.members(['400', '404', '409', '412', '413', '415', '422'])
    const rejections = JSON.stringify(follow(api, String(responses['422']!.$ref)))
    expect(rejections).to.contain('insufficient_funds').and.contain('idempotency_key_reused')
  })

  it('says of a bulk that any caller may come, and that commands have errors of their own', () => {
    const { post: bulk } = api.paths['/bulk'] as unknown as { post: { responses: Record<string, object> } }
    expect(bulk).not.to.have.any.keys('x-permission', 'security')
    expect(Object.keys(bulk.responses)).to.have.members(['200', '400', '401', '403', '413', '415', '500', '503'])
    // Everybody but those whom the organization refuses.
    const refusals = JSON.stringify(follow(api, String((bulk.responses['403'] as { $ref: string }).$ref)))
    expect(refusals).to.contain('account_suspended').and.not.contain('"forbidden"')
    const { properties } = follow(api, '#/components/schemas/bulk.body') as unknown as {
      properties: { commands: { maxItems: number; items: { properties: { command: { enum: string[] } } } } }
    }
    expect(properties.commands.maxItems).to.equal(1000)
    expect(properties.commands.items.properties.command.enum).to.include.members(['wallet.credit', 'note.add'])
  })

  it('names no code of the interface with another status than the catalogue', () => {
    for (const { errors, path } of routes) {
      for (const [status, codes] of Object.entries(errors)) {
        for (const code of codes) {
          const known = (errorCatalogue as Record<string, { status: number }>)[code]
          expect(known?.status ?? 422, `${code} at ${path}`).to.equal(Number(status))
        }
      }
    }
  })

  it('describes money as it travels: as a decimal string', () => {
    const body = follow(api, '#/components/schemas/wallet.credit.body') as { properties: { amount: Json } }
    expect(body.properties.amount.type).to.equal('string')
  })

  it('describes what is answered', async () => {
    const schema = z.strictObject({ position: unsigned64 })
    const shown = [
      route('GET', '/things', async () => ({ data: [{ position: '7' }], pagination: { limit: 1, has_more: false } }), {
        response: z.array(schema),
        operationId: 'listThings',
      }),
      route('GET', '/fail/:code', failing, { operationId: 'fail' }),
      route('GET', '/echo', echo, { operationId: 'echo' }),
    ]
    const document = openApi(shown, { version: '1', services: [] })
    const { url, lifecycle } = await serve({ routes: shown })
    const ask = async (path: string) =>
      (await fetch(`${url}/api/v1${path}`, { headers: { authorization: 'x' } })).json()
    const responses = (document.paths['/things']!.get as unknown as { responses: Record<string, unknown> }).responses
    const listed = (responses['200'] as { content: Record<string, { schema: unknown }> }).content['application/json']!
    const valid = validatorOf(document, listed.schema)
    expect(valid(await ask('/things')), JSON.stringify(valid.errors)).to.equal(true)
    expect(valid({ data: [{ position: 7 }], meta: {} })).to.equal(false)
    const failure = validatorOf(document, { $ref: '#/components/schemas/Error' })
    for (const path of ['/fail/conflict', '/fail/rejection', '/fail/crash', '/nowhere']) {
      expect(failure(await ask(path)), path).to.equal(true)
    }
    await lifecycle.stop('test')
  })

  it('has only patterns that every validator reads alike, which its defaults match', () => {
    const found: { pattern: string; default?: unknown }[] = []
    const collect = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      if (typeof (node as { pattern?: unknown }).pattern === 'string') found.push(node as { pattern: string })
      for (const value of Object.values(node)) collect(value)
    }
    collect(api)
    expect(found.length).to.be.greaterThan(20)
    for (const { pattern, default: byDefault } of found) {
      expect(pattern).not.to.match(/\\[pPuUX]|\(\?[=!<]/)
      const [plain, unicode] = [new RegExp(pattern), new RegExp(pattern, 'u')]
      for (const value of ['sports', 'Website for a spa', 'external:rent', '2026-01-31', '12', '\u{1f600}', ' ', '']) {
        expect(plain.test(value), `${pattern} ${value}`).to.equal(unicode.test(value))
      }
      if (typeof byDefault === 'string') expect(byDefault).to.match(plain)
    }
  })

  it('has lengths that a validator in UTF-16 units keeps to, whatever the text', () => {
    const { name } = (follow(api, '#/components/schemas/task.create.body') as unknown as { properties: { name: Json } })
      .properties
    expect('\u{1f600}'.repeat(500)).to.have.length.at.most(Number(name!.maxLength))
  })

  it('is served, whole and by service, with a viewer that loads nothing from elsewhere', async () => {
    const { url, lifecycle } = await serve({ routes: [], mount: app => mountDocs(app, routes, { services }) })
    const ask = async (path: string) => {
      const answer = await fetch(`${url}${path}`)
      expect(answer.status, path).to.equal(200)
      return answer
    }
    const served = (await (await ask('/openapi.json')).json()) as OpenApi
    expect(served.info.version).to.match(/^\d+\.\d+\.\d+/)
    const page = await ask('/docs')
    const policy = page.headers.get('content-security-policy')!
    expect(policy).to.contain("default-src 'none'").and.contain("connect-src 'self'")
    expect(policy).not.to.match(/https?:|\*|unsafe-eval/)
    const text = await page.text()
    const loaded = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!)
    expect(loaded).to.have.length(5)
    for (const path of loaded) await ask(path)
    const script = await (await ask('/docs/page.js')).text()
    expect(text + script).not.to.match(/https?:\/\//)
    const documents = [...script.matchAll(/"url":"(\/[^"]+)"/g)].map(([, path]) => path!)
    expect(documents).to.include.members(['/openapi.json', '/openapi/kwlt.json', '/openapi/bulk.json'])
    const found: string[] = []
    for (const path of documents.slice(1)) {
      const { paths, components } = (await (await ask(path)).json()) as OpenApi
      found.push(...Object.keys(paths))
      for (const reference of referencesIn(paths))
        expect(follow({ components } as OpenApi, reference)).to.be.an('object')
    }
    expect(found).to.have.members(Object.keys(api.paths))
    await lifecycle.stop('test')
  })
})
