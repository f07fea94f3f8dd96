/** Which weights and dimensions a search has: those of a profile of the organization, or the built-in ones. */
import type { ApiRequest } from '../../domain/kernel/route.ts'
import type { SearchOptions } from '../../projections/memory/index.ts'
import { searchProfiles } from '../../projections/memory/search-profiles.ts'
import { rowsSql } from '../../projections/rows/as-of.ts'
import { checkpointsSql, type ReadStore, read, type Wanted } from '../consistency.ts'
import { invalidParameter } from '../parameters.ts'

/** The profile that counts where a search names none. */
const DEFAULT = 'default'

export type Profile = {
  readonly id: string
  readonly options: Pick<SearchOptions, 'weights' | 'dimensions'>
}

/** A profile as of the search; `undefined` where none is named, and there is no default. */
export async function profileOf(
  store: ReadStore,
  request: ApiRequest,
  named: string | undefined,
  wanted: Wanted,
): Promise<Profile | undefined> {
  const { asOf } = wanted
  const rows = rowsSql(searchProfiles, OF_PROFILE, asOf && '$4')
  const text = `select c.position, c.stalled, p.id, p.weights, p.dimensions from ${checkpointsSql([searchProfiles])}
    left join ${rows} p on p.org = $2 and p.id = $3`
  const id = named ?? DEFAULT
  const values = [request.principal.org, id, ...(asOf ? [asOf.position] : [])]
  const found = await read(store, request, { of: [searchProfiles], text, values }, wanted)
  const [, , known, weights, dimensions] = found.rows[0]!
  if (known === null) {
    if (named !== undefined) throw invalidParameter('profile', 'must be the id of a search profile')
    return undefined
  }
  const options = { ...(weights !== null && { weights }), ...(dimensions !== null && { dimensions }) }
  return { id, options: options as Profile['options'] }
}

const OF_PROFILE = [
  ['org', '$2'],
  ['id', '$3'],
] as const
