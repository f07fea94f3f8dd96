/** An event as it is announced: what clients are told of it, by what they may read. */
import type { z } from 'zod'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { type Grantees, granteesOf } from '../readers.ts'
import type { Resource } from '../resource.ts'
import { thingOf } from '../revision.ts'
import { type WireRow, wireRow } from '../rows.ts'
import { COLUMNS } from './statements.ts'

/** An event that can be read by now. */
export type Announced = {
  readonly position: bigint
  readonly category: string
  readonly id: string
  readonly type: string
  /** Its whole row of the audit log; sealed texts in it stay sealed. */
  readonly row: WireRow
  /** The channels that it belongs to, where a subscriber asked for some. */
  readonly channels: readonly string[]
  /** The notifications that it made, where a subscriber asked for channels. */
  readonly notifications?: readonly Notice[]
}

/** A notification that an event made. */
export type Notice = { readonly id: string; readonly kind: string; readonly user: string }

/** Makes an announcement of the values of a row, which begin at the index `from`. */
export function announcedOf(values: readonly unknown[], from: number): Announced {
  const row = wireRow(COLUMNS, values, from)
  const { position, category, id, type } = row as Record<string, string>
  return { position: BigInt(position!), category: category!, id: id!, type: type!, row, channels: [] }
}

/** What everyone is told who may read the thing; the rest of the row is for those who may read the audit log. */
const TOLD = ['position', 'event_id', 'category', 'id', 'type', 'revision', 'at'] as const

/** The `data` of an announcement. */
export const announcedSchema = auditLog.row
  .partial()
  .required(Object.fromEntries(TOLD.map(name => [name, true])) as { [K in (typeof TOLD)[number]]: true }) as z.ZodObject

/** Which events a caller may be told of, and how much. */
export type Access = {
  /** Whether they may read the audit log, and so every event with all that it says. */
  readonly isWhole: boolean
  /** The categories whose things they may read. */
  readonly categories: readonly string[]
  /** What they are called among the readers of things that are private. */
  readonly grantees: Grantees
}

export type AccessDeps = {
  /** The permission that reading the things of a category needs. */
  readonly readPermissions: ReadonlyMap<string, string>
  readonly allows: (principal: Principal, permission: string) => boolean
}

/** The permission that opens every event: that of the audit log. */
const WHOLE = `${auditLog.service}.${auditLog.reads![0]!.permission}`

/** By category; a category that no read model shows as a thing needs the permission of the audit log. */
export const readPermissionsOf = (
  aggregates: readonly Pick<AnyAggregate, 'name'>[],
  resources: readonly Resource[],
): ReadonlyMap<string, string> =>
  new Map(
    aggregates.map(({ name }) => {
      const shown = resources.find(
        ({ projection }) => projection.key.length === 2 && thingOf(projection)?.category === name,
      )
      return [name, shown?.permission ?? WHOLE]
    }),
  )

export function accessOf({ readPermissions, allows }: AccessDeps, principal: Principal): Access {
  const isWhole = allows(principal, WHOLE)
  const may = ([, permission]: readonly [string, string]) => isWhole || allows(principal, permission)
  const categories = [...readPermissions].filter(may).map(([category]) => category)
  return { isWhole, categories, grantees: granteesOf(principal) }
}

/** The JSON of what a caller is told. */
export function toldOf({ row }: Announced, isWhole: boolean): string {
  return JSON.stringify(isWhole ? row : Object.fromEntries(TOLD.map(name => [name, row[name]])))
}
