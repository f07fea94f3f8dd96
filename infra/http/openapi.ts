import { z } from 'zod'
import { exampleOf } from '../../commands/examples.ts'
import { commandsOf } from '../../commands/requests.ts'
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import type { Service } from '../../domain/kernel/service.ts'
import { HEADERS, SHARED_SCHEMAS, used } from './openapi-components.ts'
import { type ErrorAnswers, errorsOf, headerRefs, namedErrors } from './openapi-errors.ts'
import { type JsonObject, jsonSchema, namedSchemas, type RefTo } from './openapi-schemas.ts'
import { API_BASE } from './server.ts'

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
  /** Whose commands name the things in examples, and which are called what: their code is a route's tag. */
  readonly services: readonly Service[]
  /** How a person gets a token, a sentence of Markdown. */
  readonly token?: string
}

/** What people call a tag: the title of its service. */
export const titleOf = (services: readonly Service[], tag: string): string =>
  services.find(({ code }) => code === tag)?.title ?? TITLES[tag] ?? tag

/** The tags of routes that belong to no service. */
const TITLES: Readonly<Record<string, string>> = {
  bulk: 'Bulk: many commands in one request',
  events: 'Events: what happens, as it happens',
}

/** Describes a list of routes: what the server mounts, and nothing else, is what the document says. */
export function openApi(all: readonly Route[], options: OpenApiOptions): OpenApi {
  const { version, services, token = 'From your identity provider.' } = options
  const routes = namedAlike(all)
  const schemas = namedSchemas(routes)
  const errors = namedErrors()
  const parameters = namedParameters(routes)
  const example = parameterExamples(services)
  const refs = { schema: schemas.refTo, error: errors.refTo, parameter: parameters.refTo, example }
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operation(route, refs)
  }
  const tags = [...new Set(routes.map(route => route.tag))]
  return {
    openapi: '3.1.0',
    info: {
      title: tags.length === 1 ? `Kogi: ${titleOf(services, tags[0]!)}` : 'Kogi',
      version,
      description: `${DESCRIPTION}\n\n**Token**: ${token}`,
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: API_BASE }],
    security: [{ token: [] }],
    tags: tags.map(name => ({ name, description: titleOf(services, name) })),
    paths,
    components: used(paths, {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: token } },
      schemas: { ...SHARED_SCHEMAS, ...schemas.all },
      parameters: parameters.all,
      responses: errors.all,
      headers: HEADERS,
    }),
  }
}

/** Routes whose paths differ by the names of their parameters alone, under one path: the first one names them. */
function namedAlike(routes: readonly Route[]): readonly Route[] {
  const namesOf = new Map<string, readonly string[]>()
  return routes.map(route => {
    const own = Array.from(route.path.matchAll(/:(\w+)/g), ([, name]) => name!)
    const place = route.path.replace(/:\w+/g, ':')
    const names = namesOf.get(place) ?? own
    namesOf.set(place, names)
    if (names.join() === own.join()) return route
    const renamed = (name: string) => names[own.indexOf(name)] ?? name
    const parameters = route.parameters.map(it => (it.in === 'path' ? { ...it, name: renamed(it.name) } : it))
    return { ...route, path: route.path.replace(/:(\w+)/g, (_, name: string) => `:${renamed(name)}`), parameters }
  })
}

const DESCRIPTION = `The system of record of the independent worker.

- **Amounts** are decimal strings of minor units (cents) of their currency.
- **Commands** take an \`Idempotency-Key\`: sent again with it, a command takes effect once. A key belongs to the
  thing: with the path of another thing it names another command, which takes effect; with another path or body of the
  same thing it is refused (\`idempotency_key_reused\`). A command that was refused, or changed nothing, leaves its key
  free. The receipt names the position of what was written in
  \`Kogi-Position\`; a read that brings it as \`Kogi-Min-Position\` sees it. After a command that changed nothing it is
  that of the last change of its thing: of the positions of several commands, bring the greatest. What was made is read
  at \`Location\`.
- **\`If-Match\`** with the \`ETag\` of an answer accepts a command only if nobody changed the thing since;
  \`If-None-Match: *\` only if the thing does not exist yet.
- **\`as_of\`** answers what was known at a position or time; \`meta.as_of\` names the position.
- **Errors** have a stable \`code\`; \`details\` name the fields that are wrong, and why.
- **Lengths** of texts are in characters (Unicode code points); \`maxLength\` is twice as large, because many
  validators count UTF-16 code units.
- **Examples** belong together: what makes things works first, then the rest, and what removes or closes them last.`

/** The value of a required parameter in the example of a route. */
type ParameterExample = (route: Route, parameter: Parameter) => unknown

type Refs = {
  readonly schema: RefTo<z.ZodType>
  readonly error: RefTo<ErrorAnswers>
  readonly parameter: RefTo<Parameter>
  readonly example: ParameterExample
}

function operation(route: Route, refs: Refs): JsonObject {
  const { operationId, summary, tag, permission, alsoNeeds, parameters, body, upload, form } = route
  const failures = Object.fromEntries(errorsOf(route).map(answers => [answers.status, refs.error(answers)]))
  return {
    operationId,
    summary,
    tags: [tag],
    ...(permission === null ? { security: [] } : permission !== 'signed in' && { 'x-permission': permission }),
    ...(alsoNeeds && { 'x-also-needs': alsoNeeds }),
    ...(parameters.length > 0 && {
      parameters: parameters.map(each =>
        isRequired(each) ? { ...parameter(each), example: refs.example(route, each) } : refs.parameter(each),
      ),
    }),
    ...(upload && { requestBody: { required: true, content: { 'multipart/form-data': { schema: FORM } } } }),
    ...(body && {
      requestBody: {
        required: !accepts(body, {}),
        content: Object.fromEntries(
          ['application/json', ...(form ? ['application/x-www-form-urlencoded'] : [])].map(type => [
            type,
            { schema: refs.schema(body), example: exampleOf(body) },
          ]),
        ),
      },
    }),
    responses: { ...successes(route, refs.schema), ...failures },
  }
}

const FORM = {
  type: 'object',
  required: ['file'],
  properties: { file: { type: 'string', format: 'binary', description: 'the file, with its name' } },
}

const isRequired = ({ in: place, required }: Parameter): boolean => required === true || place === 'path'

/**
 * A thing is called in examples as the command that makes it calls it: `/wallets/:id/…` as `POST /wallets` does. Things
 * that no client names (entries) have the one that a command on them has, if any.
 */
function parameterExamples(services: readonly Service[]): ParameterExample {
  const commands = commandsOf(services)
    .map(({ path, schema, makes }) => ({ path, makes, example: exampleOf(schema) as JsonObject }))
    .sort((a, b) => b.path.length - a.path.length)
  return ({ path }, { name, schema, in: place }) => {
    const has = commands.filter(({ example }) => Object.hasOwn(example, name) && typeof example[name] !== 'object')
    const maker = has.find(({ makes, path: made }) => makes && path.startsWith(`${made}/`))
    const own = has.find(command => command.path === path)
    if (place !== 'path') return (maker ?? own)?.example[name] ?? exampleOf(schema, name)
    const above = has.find(command => path.startsWith(`${command.path}/`))
    const [named] = (schema.meta()?.examples ?? []) as readonly unknown[]
    return (maker ?? own ?? above)?.example[name] ?? named
  }
}

/** Several values are an array in the style `form`: a comma separates them. */
function parameter(given: Parameter): JsonObject {
  const { name, in: place, description, schema, valuesMax } = given
  const items = jsonSchema(schema)
  return {
    name,
    in: place,
    description,
    ...(isRequired(given) && { required: true }),
    ...(valuesMax !== undefined && { style: 'form', explode: false }),
    schema: valuesMax === undefined ? items : { type: 'array', items, maxItems: valuesMax },
  }
}

/** One component for each parameter of several routes: lists have the same filters as their summaries. */
function namedParameters(routes: readonly Route[]) {
  const forms = new Map<Parameter, JsonObject>()
  const uses = new Map<string, number>()
  for (const each of routes.flatMap(route => route.parameters).filter(each => !isRequired(each))) {
    const form = forms.get(each) ?? parameter(each)
    forms.set(each, form)
    uses.set(JSON.stringify(form), (uses.get(JSON.stringify(form)) ?? 0) + 1)
  }
  const names = new Map<string, string>()
  const all: Record<string, JsonObject> = {}
  const refTo: RefTo<Parameter> = each => {
    const form = forms.get(each)!
    const key = JSON.stringify(form)
    if (uses.get(key) === 1) return form
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
  const { method, response, path, parameters, answerHeaders, streams, media, plain } = route
  if (plain) {
    const content = { 'application/json': { schema: refTo(response) } }
    return { 200: { description: 'Done', headers: headerRefs(answerHeaders ?? []), content } }
  }
  if (streams) {
    const description = 'Server-sent events; the schema is that of the JSON in the `data` of each'
    return { 200: { description, content: { 'text/event-stream': { schema: refTo(response) } } } }
  }
  if (media) {
    const schema = { type: 'string' }
    const content = Object.fromEntries(media.map(type => [type, { schema }]))
    return { 200: { description: 'The file', headers: headerRefs(answerHeaders ?? ['Kogi-Position']), content } }
  }
  const isConditional = method === 'GET' && parameters.some(({ name }) => name === 'If-None-Match')
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

function accepts(schema: z.ZodType, value: unknown): boolean {
  return schema.safeDecode(value as never).success
}
