/** Which thing a path is about: what is shared of it counts there. */
import { operationsOf } from '../../commands/command.ts'
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
