/** SQL of parts of the portfolio, as of a position or now. */

import { itemPlaces } from '../../projections/briefcase/item-places.ts'
import { tableAsOf } from '../../projections/rows/as-of.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { tableOf } from '../../projections/rows/tables.ts'

/** SQL of all rows of a read model of the org `$2`; `then` is the parameter of the position of `as_of`. */
export const rowsOf = (model: AnyProjection, then: string | undefined): string =>
  then === undefined ? tableOf(model) : tableAsOf(model, [['org', '$2']], then)

/** SQL of the ids of all items below one, at any depth; `item` is the parameter of its id. */
export const belowSql = (item: string, then: string | undefined): string => `(
  with recursive below as (
    select p.id from ${rowsOf(itemPlaces, then)} p where p.org = $2 and p.parent = ${item}
    union all
    select p.id from below b join ${rowsOf(itemPlaces, then)} p on p.org = $2 and p.parent = b.id
  ) select id from below)`
