import { expect } from 'chai'
import { exampleOf } from '../../commands/examples.ts'
import { flaggingDuplicates } from '../../commands/memory/store.ts'
import { type ClientCommand, commandsOf, parseCommand } from '../../commands/requests.ts'
import { commandRoutes } from '../../commands/routes.ts'
import type { KogiError } from '../../domain/kernel/errors.ts'
import type { Route } from '../../domain/kernel/route.ts'
import { fieldInfo } from '../../domain/kernel/schema.ts'
import { kinds, memoryPermissions, resources, services } from '../../infra/catalogue.ts'
import { aliasesOf } from '../../read-api/aliases.ts'
import { readRoutes } from '../../read-api/routes.ts'

type Pattern = Pick<Route, 'method' | 'path'>

/** A value of a path's parameter under which another route answers. */
type Shadow = { readonly path: string; readonly parameter: string; readonly value: string }

const isParameter = (segment: string | undefined) => segment?.startsWith(':') === true

/** Every value of a parameter for which a route with a fixed segment in that place answers instead. */
function shadowsIn(patterns: readonly Pattern[]): readonly Shadow[] {
  const shadows = patterns.flatMap(({ method, path }) => {
    const segments = path.split('/')
    const others = patterns
      .filter(other => other.method === method && other.path !== path)
      .map(other => other.path.split('/'))
      .filter(other => other.length === segments.length)
      .filter(other => other.every((segment, at) => segment === segments[at] || isParameter(segments[at])))
    return others.flatMap(other =>
      segments.flatMap((segment, at) =>
        isParameter(segment) && !isParameter(other[at])
          ? [{ path, parameter: segment.slice(1), value: other[at]! }]
          : [],
      ),
    )
  })
  return shadows
}

const routes = [
  ...flaggingDuplicates(commandRoutes(services, {} as never), {} as never),
  ...readRoutes({ kinds, resources, memoryPermissions } as never),
]
const aliases = aliasesOf(routes)
const patterns = [
  ...routes,
  ...Object.entries(aliases).flatMap(([path, canonical]) =>
    routes.filter(route => route.path === canonical).map(({ method }) => ({ method, path })),
  ),
]

/** The commands with which a client chooses the value of a path's parameter; none where the system does. */
function makersOf({ path, parameter }: Omit<Shadow, 'value'>): readonly ClientCommand[] {
  const canonical = aliases[path] ?? path
  const before = canonical.slice(0, canonical.indexOf(`/:${parameter}`))
  const isBefore = (made: string) => before === made || before.startsWith(`${made}/`)
  const able = commandsOf(services).filter(
    ({ makes, path: made, schema, inPath }) =>
      makes &&
      isBefore(made) &&
      Object.hasOwn(schema.shape, parameter) &&
      !inPath.includes(parameter) &&
      // What refers to another thing has a name that this one could have.
      fieldInfo(schema.shape[parameter]).reference === undefined,
  )
  return able.filter(({ path: made }) => able.every(other => other.path.length <= made.length))
}

/** What is wrong with a command that calls a new thing so, by field. */
function refusedFields(command: ClientCommand, parameter: string, value: string): readonly string[] {
  const body = { ...(exampleOf(command.schema) as object), [parameter]: value }
  const principal = { subject: 's', org: 'o', roles: [], permissions: [] }
  const sent = { id: 'x', body, key: 'k', ifMatch: undefined, dryRun: undefined, principal, correlationId: 'c' }
  try {
    parseCommand(command, { ...sent, params: { id: 'x' } } as never)
    return []
  } catch (error) {
    return (error as KogiError).details.map(({ field }) => field).filter(field => field === parameter)
  }
}

describe('a path with a fixed segment', () => {
  const shadows = shadowsIn(patterns)

  it('is found where it takes the place of a parameter', () => {
    expect(shadows.length).to.be.greaterThan(8)
    expect(shadows).to.deep.include({ path: '/kctr/tasks/:id', parameter: 'id', value: 'summary' })
    const planted = ['/a/:x/c', '/a/b/:y', '/a/b/c', '/a/:x', '/z/b/c'].map(path => ({ method: 'GET', path }) as const)
    expect(shadowsIn(planted)).to.deep.equal([
      { path: '/a/:x/c', parameter: 'x', value: 'b' },
      { path: '/a/b/:y', parameter: 'y', value: 'c' },
    ])
  })

  it('is the name of nothing that a client makes, so that every thing has a path', () => {
    const system = new Set<string>()
    for (const shadow of shadows) {
      const makers = makersOf(shadow)
      if (makers.length === 0) system.add(aliases[shadow.path] ?? shadow.path)
      for (const maker of makers) {
        const said = `${maker.operationId} takes ${shadow.parameter} ${shadow.value}, which ${shadow.path} cannot read`
        expect(refusedFields(maker, shadow.parameter, shadow.value), said).to.deep.equal([shadow.parameter])
      }
    }
    // Exports are not called `summary`. The system makes the ids of entries, imports, deliveries and mails, which are
    // UUIDs, and the numbers of payments; days are no words. Ids of secrets have a dot.
    // Tiles of the notary and positions are numbers.
    const places = [':n1', ':n1/:n2', ':n1/:n2/:n3', ':n1/:n2/:n3/:n4'].map(place => `tile/:level/${place}`)
    const inTrees = ['audit', 'platform'].flatMap(of =>
      [...places, 'proofs/:position'].map(path => `/kmg/${of}/log/${path}`),
    )
    expect([...system]).to.have.members([
      '/kwlt/entries/:id',
      '/kmg/audit/exports/:id',
      '/kwlt/imports/:id',
      '/kwlt/payment-batches/:id/payments/:payment',
      '/kwlt/campaigns/:id/contributions/:contribution',
      '/kex/auctions/:id/bids/:bid',
      // Of a person who is called `summary` the list has the row.
      '/kex/ratings/:party',
      '/kex/capacities/:id/allocations/:allocation',
      // Marks are of a room, whose id is looked at where it is opened.
      '/krms/read-marks/:id',
      '/kapp/deliveries/:id',
      '/khub/mails/:id',
      '/kctr/tasks/:id/comments/:comment',
      '/kctr/tasks/:id/time-entries/:entry',
      '/kctr/tasks/:task/dependencies/:dependency',
      '/kbfc/items/:id/values/:on',
      '/kbfc/files/:id',
      '/kbs/secrets/:id',
      ...inTrees,
      '/kbfc/items/:id/book/parts/:part',
    ])
  })

  it('is no dot or two, which URLs resolve away', () => {
    for (const { path } of routes) {
      for (const [, parameter] of path.matchAll(/:(\w+)/g)) {
        for (const maker of makersOf({ path, parameter: parameter! })) {
          for (const value of ['.', '..']) {
            expect(refusedFields(maker, parameter!, value), `${maker.operationId} ${value}`).to.deep.equal([parameter])
          }
        }
      }
    }
  })
})
