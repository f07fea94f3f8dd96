/** What can be read over HTTP, as data: the reads of all read models, with the names that they have outside. */
import type { Principal } from '../domain/kernel/route.ts'
import type { Service } from '../domain/kernel/service.ts'
import type { AnyProjection, Read } from '../projections/rows/projection.ts'
import type { ReadStore } from './consistency.ts'
import type { Unseal } from './rows.ts'

/** One read of a read model, with the names that it has outside. */
export type Resource = Required<Pick<AnyRead, Optional>> &
  Omit<AnyRead, Optional | 'path' | 'permission'> & {
    readonly projection: AnyProjection
    /** Path of the list below `/api/v1`. */
    readonly path: string
    readonly permission: string
    /** Code of the service. */
    readonly tag: string
    /** Names as they stand in operation ids: `WalletAccount`, `WalletAccounts`. */
    readonly ids: { readonly one: string; readonly many: string }
  }

// biome-ignore lint/suspicious/noExplicitAny: a read of any rows, for the list that holds all of them
type AnyRead = Read<any>
type Optional = 'parents' | 'where' | 'filters' | 'walked' | 'isOfEvents' | 'groups' | 'sums' | 'units' | 'places'

/** The resources of all read models. Throws `TypeError` for a model of an unknown service. */
export const resourcesOf = (services: readonly Service[], models: readonly AnyProjection[]): readonly Resource[] =>
  models.flatMap(projection => {
    const service = services.find(({ word }) => word === projection.service)
    if (!service)
      throw new TypeError(`${projection.name} is of the service ${projection.service}, which does not exist`)
    return ((projection.reads ?? []) as readonly AnyRead[]).map(read => ({
      parents: {},
      where: {},
      filters: [],
      walked: [],
      isOfEvents: false,
      groups: [],
      sums: [],
      units: {},
      places: {},
      ...read,
      projection,
      path: `/${service.code}${read.path}`,
      permission: `${service.word}.${read.permission}`,
      tag: service.code,
      ids: { one: pascal(read.one), many: pascal(read.many) },
    }))
  })

/** `wallet account` → `WalletAccount`. */
const pascal = (words: string) => words.replaceAll(/(?:^| )(.)/g, (_, letter: string) => letter.toUpperCase())

/** What the routes of resources need from outside. */
export type ResourceDeps = ReadStore & {
  readonly unseal: Unseal
  readonly resources: readonly Resource[]
  readonly allows: (principal: Principal, permission: string) => boolean
}
