/** Which thing a path is about: what is shared of it counts there. */
import { operationsOf } from '../../commands/command.ts'
import { referencesIn } from '../../commands/references.ts'
import { commandsOf } from '../../commands/requests.ts'
import type { Route } from '../../domain/kernel/route.ts'
import type { Service } from '../../domain/kernel/service.ts'

type Thing = { readonly category: string; readonly id: string }

/** Finds the thing of a route with its parameters, `undefined` where it is about no one thing. */
export type ThingOf = (route: Pick<Route, 'path'>, params: Readonly<Record<string, string>>) => Thing | undefined

/**
 * The things that have a path of their own are those that clients make: `/kctr/projects/:id` and all paths below it are
 * about the project.
 */
export function thingsOf(services: readonly Service[]): ThingOf {
  const categories = new Map(
    services.flatMap(({ code, aggregates }) =>
      aggregates.flatMap(aggregate =>
        operationsOf(aggregate)
          .filter(([name, [route]]) => 'id' in aggregate.commands[name]!.shape && !route.includes(':'))
          .map(([, [route]]) => [`/${code}${route.split(' ')[1]}`, aggregate.name] as const),
      ),
    ),
  )
  const known = new Map<string, { readonly category: string; readonly name: string } | undefined>()
  const inPath = (path: string) => {
    const [, code, many, parameter] = path.split('/')
    const category = categories.get(`/${code}/${many}`)
    return category && parameter?.startsWith(':') ? { category, name: parameter.slice(1) } : undefined
  }
  return ({ path }, params) => {
    if (!known.has(path)) known.set(path, inPath(path))
    const found = known.get(path)
    const id = found && params[found.name]
    return id === undefined ? undefined : { category: found!.category, id }
  }
}

/** Whether the body of a request names other things than that of its path. */
export type NamesOthers = (route: Pick<Route, 'operationId'>, body: unknown) => boolean

/** What is shared of one thing says nothing of the others that a body names, in whichever spelling of its field. */
export function namesOthersOf(services: readonly Service[]): NamesOthers {
  const fieldsOf = new Map(
    commandsOf(services).map(({ operationId, aggregate, schema, inPath }) => {
      const fields = referencesIn(schema).flatMap(({ field }) => (inPath.includes(field) ? [] : [field]))
      const spellings = Object.entries<string>(aggregate.spellings ?? {})
      const earlier = spellings.flatMap(([spelling, field]) => (fields.includes(field) ? [spelling] : []))
      return [operationId, [...fields, ...earlier]] as const
    }),
  )
  return ({ operationId }, body) => {
    if (typeof body !== 'object' || body === null) return false
    const said = body as Readonly<Record<string, unknown>>
    return (fieldsOf.get(operationId) ?? []).some(field => Object.hasOwn(said, field) && said[field] !== null)
  }
}
