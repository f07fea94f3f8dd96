import { z } from 'zod'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import type { Service } from '../../domain/kernel/service.ts'
import { errorCatalogue } from './errors.ts'
import { API_BASE } from './server.ts'

type JsonObject = { readonly [key: string]: unknown }

/** An OpenAPI 3.1 document. */
export type OpenApi = {
  readonly openapi: '3.1.0'
  readonly info: JsonObject
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>
  readonly components: JsonObject
  readonly [key: string]: unknown
}

export type OpenApiOptions = {
  readonly version: string
  /** Names the services, by the code that routes have for a tag. */
  readonly services: readonly Pick<Service, 'code' | 'title'>[]
}

/** Describes a list of routes: what the server mounts, and nothing else, is what the document says. */
export function openApi(routes: readonly Route[], options: OpenApiOptions): OpenApi {
  const schemas = namedSchemas(routes)
  const errors = namedErrors()
  const parameters = namedParameters(routes)
  const refs = { schema: schemas.refTo, error: errors.refTo, parameter: parameters.refTo }
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operation(route, refs)
  }
  const tags = [...new Set(routes.map(route => route.tag))].map(name => {
    const description = options.services.find(({ code }) => code === name)?.title
    return { name, ...(description !== undefined && { description }) }
  })
  return {
    openapi: '3.1.0',
    info: { title: 'Kogi', version: options.version, description: DESCRIPTION },
    servers: [{ url: API_BASE }],
    security: [{ token: [] }],
    tags,
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { ...SHARED_SCHEMAS, ...schemas.all },
      parameters: parameters.all,
      responses: errors.all,
      headers: HEADERS,
    },
  }
}

const DESCRIPTION = `The system of record of the independent worker. Amounts are decimal strings of minor units.
A command takes an \`Idempotency-Key\`: sent again, it takes effect once. It answers a position in \`Kogi-Position\`;
a read that brings it as \`Kogi-Min-Position\` sees what the command wrote. A read with \`as_of\` answers what was
known then, and \`meta.as_of\` names the position.`

type RefTo<T> = (it: T) => JsonObject
type ErrorAnswers = { readonly status: number; readonly codes: readonly string[] }

type Refs = {
  readonly schema: RefTo<z.ZodType>
  readonly error: RefTo<ErrorAnswers>
  readonly parameter: RefTo<Parameter>
}

function operation(route: Route, refs: Refs): JsonObject {
  const { operationId, summary, tag, permission, parameters, body } = route
  const failures = Object.fromEntries(errorsOf(route).map(answers => [answers.status, refs.error(answers)]))
  return {
    operationId,
    summary,
    tags: [tag],
    ...(permission === null ? { security: [] } : permission !== 'signed in' && { 'x-permission': permission }),
    ...(parameters.length > 0 && { parameters: parameters.map(refs.parameter) }),
    ...(body && {
      requestBody: { required: !accepts(body, {}), content: { 'application/json': { schema: refs.schema(body) } } },
    }),
    responses: { ...successes(route, refs.schema), ...failures },
  }
}

/** Several values are an array in the style `form`: a comma separates them. */
function parameter({ name, in: place, description, schema, required, valuesMax }: Parameter): JsonObject {
  const items = jsonSchema(schema)
  return {
    name,
    in: place,
    description,
    ...((required || place === 'path') && { required: true }),
    ...(valuesMax !== undefined && { style: 'form', explode: false }),
    schema: valuesMax === undefined ? items : { type: 'array', items, maxItems: valuesMax },
  }
}

/** One component for each parameter of several routes: lists have the same filters as their summaries. */
function namedParameters(routes: readonly Route[]) {
  const forms = new Map<Parameter, JsonObject>()
  const uses = new Map<string, number>()
  for (const each of routes.flatMap(route => route.parameters)) {
    const form = forms.get(each) ?? parameter(each)
    forms.set(each, form)
    uses.set(JSON.stringify(form), (uses.get(JSON.stringify(form)) ?? 0) + 1)
  }
  const names = new Map<string, string>()
  const all: Record<string, JsonObject> = {}
  const refTo: RefTo<Parameter> = each => {
    const form = forms.get(each)!
    const key = JSON.stringify(form)
    if (each.in === 'path' || uses.get(key) === 1) return form
    if (!names.has(key)) {
      const name = each.name.replaceAll(/[^\w-]+/g, '.').replace(/\.$/, '')
      const others = Object.keys(all).filter(other => other.replace(/\.[0-9]+$/, '') === name).length
      names.set(key, others === 0 ? name : `${name}.${others + 1}`)
      all[names.get(key)!] = form
    }
    return { $ref: `#/components/parameters/${names.get(key)}` }
  }
  return { all, refTo }
}

/** A POST makes a thing (201), or finds it made or acts on one (200); which it was is seen in the answer alone. */
function successes(route: Route, refTo: RefTo<z.ZodType>): JsonObject {
  const { method, response, path, parameters, answerHeaders } = route
  const isConditional = parameters.some(({ name }) => name === 'If-None-Match')
  const read = ['Kogi-Position', ...(isConditional ? ['ETag'] : [])]
  const written = answerHeaders ?? (method === 'GET' ? read : ['ETag', 'Kogi-Position', 'Idempotency-Key'])
  const properties = {
    data: refTo(response),
    meta: { $ref: '#/components/schemas/Meta' },
    ...(response instanceof z.ZodArray && { pagination: { $ref: '#/components/schemas/Pagination' } }),
  }
  const schema = { type: 'object', required: ['data', 'meta'], properties }
  const content = { 'application/json': { schema } }
  const ok = { description: method === 'GET' ? 'Read' : 'Done', headers: headerRefs(written), content }
  if (method === 'DELETE') {
    const removed = { description: 'Removed; the receipt is in the headers', headers: headerRefs(written) }
    return { 200: { ...ok, description: 'What it would do, with `dry_run`' }, 204: removed }
  }
  if (isConditional) return { 200: ok, 304: { description: 'The client has this answer', headers: headerRefs(read) } }
  if (method !== 'POST' || answerHeaders) return { 200: ok }
  const made = { description: 'Made', headers: headerRefs([...written, 'Location']), content }
  return path.split('/').length > 3 ? { 200: ok, 201: made } : { 200: { ...ok, description: 'Already so' }, 201: made }
}

/** The errors that every route has, and those that it names itself. */
function errorsOf({ body, permission, parameters, errors }: Route): ErrorAnswers[] {
  const common: string[] = ['internal', 'engine_unavailable', 'draining']
  if (parameters.length > 0) common.push('invalid_parameter')
  if (body) common.push('invalid_json', 'invalid_body', 'body_too_large', 'unsupported_media_type')
  if (permission !== null) common.push('unauthenticated', 'invalid_token')
  if (permission !== null && permission !== 'signed in') common.push('forbidden')
  const all = new Map<number, Set<string>>()
  const add = (status: number, code: string) => all.set(status, (all.get(status) ?? new Set()).add(code))
  for (const code of common) add(errorCatalogue[code as keyof typeof errorCatalogue].status, code)
  for (const [status, codes] of Object.entries(errors)) for (const code of codes) add(Number(status), code)
  return [...all].map(([status, codes]) => ({ status, codes: [...codes].sort() }))
}

/** One component for each status with the same codes, which most routes share. */
function namedErrors() {
  const names = new Map<string, string>()
  const all: Record<string, JsonObject> = {}
  const refTo: RefTo<ErrorAnswers> = answers => {
    const key = `${answers.status} ${answers.codes}`
    if (!names.has(key)) {
      const others = [...names.keys()].filter(other => other.startsWith(`${answers.status} `)).length
      const name = others === 0 ? `Error${answers.status}` : `Error${answers.status}.${others + 1}`
      names.set(key, name)
      all[name] = failure(answers)
    }
    return { $ref: `#/components/responses/${names.get(key)}` }
  }
  return { all, refTo }
}

function failure({ status, codes }: ErrorAnswers): JsonObject {
  const narrowed = { properties: { error: { properties: { code: { enum: codes } } } } }
  return {
    description: codes.map(described).join('\n'),
    headers: headerRefs([409, 429, 503].includes(status) ? ['Retry-After'] : []),
    content: { 'application/json': { schema: { allOf: [{ $ref: '#/components/schemas/Error' }, narrowed] } } },
  }
}

function described(code: string): string {
  const known = (errorCatalogue as Readonly<Record<string, { message: string; advice: string }>>)[code]
  return known ? `\`${code}\`: ${known.message} ${known.advice}` : `\`${code}\``
}

/** One component for each schema that routes share or name; a list's row is a component too. */
function namedSchemas(routes: readonly Route[]) {
  const names = new Map<z.ZodType, string>()
  const all: Record<string, JsonObject> = {}
  const name = (schema: z.ZodType, wanted: string) => {
    if (names.has(schema)) return
    const title = schema.meta()?.title ?? wanted
    const free = all[title] ? wanted : title
    names.set(schema, free)
    all[free] = jsonSchema(schema)
  }
  for (const { operationId, body, response } of routes) {
    if (body) name(body, `${operationId}.body`)
    name(response instanceof z.ZodArray ? (response.element as z.ZodType) : response, `${operationId}.data`)
  }
  const refTo: RefTo<z.ZodType> = schema => {
    if (schema instanceof z.ZodArray) return { type: 'array', items: refTo(schema.element as z.ZodType) }
    return names.has(schema) ? { $ref: `#/components/schemas/${names.get(schema)}` } : jsonSchema(schema)
  }
  return { all, refTo }
}

/** What travels is what a codec decodes, in both directions: the input side of every schema. */
function jsonSchema(schema: z.ZodType): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}

function accepts(schema: z.ZodType, value: unknown): boolean {
  return schema.safeDecode(value as never).success
}

function headerRefs(names: readonly string[]): JsonObject {
  const all = ['X-Correlation-Id', ...names]
  return Object.fromEntries(all.map(name => [name, { $ref: `#/components/headers/${name}` }]))
}

const text = { type: 'string' } as const

const HEADERS = {
  'X-Correlation-Id': {
    description: 'Follows the request through logs and events; a caller may bring its own',
    schema: text,
  },
  ETag: { description: 'Revision of the thing, in quotes: for `If-Match` of its commands', schema: text },
  'Kogi-Position': { description: 'Position in the log: for `Kogi-Min-Position`', schema: text },
  'Idempotency-Key': { description: 'The key that names this command', schema: text },
  Location: { description: 'Path of the thing that was made', schema: text },
  'Retry-After': { description: 'Seconds to wait before another try', schema: { type: 'integer' } },
} as const

const SHARED_SCHEMAS = {
  Meta: {
    type: 'object',
    required: ['request_id', 'timestamp'],
    properties: {
      request_id: { type: 'string', format: 'uuid' },
      timestamp: { type: 'string', format: 'date-time' },
      position: { type: 'string', description: 'position in the log that the answer has reached' },
      as_of: { type: 'string', description: 'position that a question with `as_of` was answered for' },
    },
  },
  Pagination: {
    type: 'object',
    required: ['limit', 'has_more'],
    properties: {
      limit: { type: 'integer' },
      has_more: { type: 'boolean' },
      next: { type: 'string', description: 'cursor of the next page: for `after`' },
      offset: { type: 'integer' },
      total: { type: 'integer' },
    },
  },
  Error: {
    type: 'object',
    required: ['error', 'meta'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message', 'details'],
        properties: {
          code: text,
          message: text,
          details: {
            type: 'array',
            items: { type: 'object', required: ['field', 'message'], properties: { field: text, message: text } },
          },
        },
      },
      meta: { $ref: '#/components/schemas/Meta' },
    },
  },
} as const
