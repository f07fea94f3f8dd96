/** SQL of parts of the portfolio, as of a position or now. */
import { itemPlaces } from '../../projections/briefcase/item-places.ts'
import { OF_ORG, rowsSql } from '../../projections/rows/as-of.ts'

/** SQL of the ids of all items below one, at any depth; `item` is the parameter of its id. */
export const belowSql = (item: string, then: string | undefined): string => `(
  with recursive below as (
    select p.id from ${rowsSql(itemPlaces, OF_ORG, then)} p where p.org = $2 and p.parent = ${item}
    union all
    select p.id from below b join ${rowsSql(itemPlaces, OF_ORG, then)} p on p.org = $2 and p.parent = b.id
  ) select id from below)`
