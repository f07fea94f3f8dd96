/** Reads of single rows with a proof: that the row, or its absence, is in what was signed of the read model. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import type { ApiRequest } from '../../domain/kernel/route.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { type MapPath, pageFrom, pathTo, placeOf, prefixesOf, rowDigest } from '../../projections/notary/row-map.ts'
import { type RowProof, rowProof } from '../../projections/notary/row-proof.ts'
import { CHECKPOINTS } from '../../projections/ownership/tables.ts'
import { type Fixed, rowAsOf } from '../../projections/rows/as-of.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { keyOfRow } from '../../projections/rows/proved.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { type AsOf, type ReadStore, until, type Wanted, wireTypes } from '../consistency.ts'
import { inQuery, type Queries, waitOf } from '../parameters.ts'
import type { Resource } from '../resource.ts'
import { columnsOf, wireRow } from '../rows.ts'
import { selected } from '../scope.ts'

export const proofParameter = inQuery(
  'proof',
  z.enum(['true']),
  'answer as of the last signed statement of this read model, with the proof in `meta.proof`; where there is no such ' +
    'thing, the 404 has the proof of that. A deployment names the read models that it proves',
)
export const proofErrors = { 404: ['not_proved'] } as const

/** Columns of the statement before those of the row. */
const ROW_AT = 6
/** A position that no log reaches: the wait ends by its regular checks. */
const NO_POSITION = 2n ** 63n

/** A proof, and the position that it is of. */
export type Proved = { readonly proof: RowProof; readonly asOf: AsOf }

/** There is no such thing, and the proof of it. */
export class ProvedAbsence extends KogiError {
  /** Stands in the answer. */
  readonly meta: Readonly<Record<string, unknown>>

  constructor({ code, message }: KogiError, { proof, asOf: { position } }: Proved) {
    super(code, message)
    this.meta = { as_of: String(position), proof }
  }
}

/** What a request asks for: the key of the row, in the order of `fixed`, and as of when. */
type Asked = { readonly request: ApiRequest; readonly query: Queries; readonly key: readonly string[]; wanted: Wanted }

/** Makes the function that proves a row of a resource. `fixed` names the columns of the key, the org as `$2`. */
export function rowProver({ projection }: Resource, store: ReadStore, fixed: Fixed) {
  const { name, version } = projection
  const columns = columnsOf(projection)
  const log = tableOf(auditLog)
  const bucketAt = `$${fixed.length + 2}`
  const text = `select m.position, m.statement, m.checkpoint, p.pages,
      (select a.position from ${log} a where a.org = $2 and a.position > m.position order by a.position limit 1),
      (select c.position from ${CHECKPOINTS} c where c.bucket = ${bucketAt}::int and c.projection = '${auditLog.name}'
        and c.version = ${auditLog.version}),
      ${selected('t', columns)}
    from row_maps m
    left join lateral (select json_object_agg(p.prefix, encode(p.page, 'base64')) as pages from row_map_pages p
      where p.map = m.id and p.prefix = any($1::text[])) p on true
    left join lateral ${rowAsOf(projection, fixed, 'm.position')} t on true
    where m.model = '${name}' and m.version = ${version} and m.org = $2 and m.statement is not null`
  return async ({ request, query, key, wanted: { token, asOf } }: Asked): Promise<Proved> => {
    const { org } = request.principal
    const columnsOfKey = Object.fromEntries(fixed.slice(1).map(([column], at) => [column, key[at]!]))
    const place = placeOf({ org, ...columnsOfKey })
    const values = [prefixesOf(place), org, ...key, bucketOf(org)]
    const query_ = { name: `prove ${tableOf(projection)}`, text, values, rowMode: 'array', types: wireTypes } as const
    const attempt = async () => (await store.pool.query(query_)).rows[0]
    const least = later(asOf?.position, token?.position)
    const wait = { waitMs: waitOf(query), position: NO_POSITION, signal: store.signal, request }
    const found = await until(wait, attempt, it => it === undefined || holdsUntil(it) >= least)
    if (!found) throw notProved('No statement about this read model was signed here.')
    const position = BigInt(found[0] as string)
    if (holdsUntil(found) < least || (asOf && asOf.position < position)) {
      const message = `The read model is proved as of position ${position}, up to ${holdsUntil(found)}.`
      throw notProved(message)
    }
    const row = found[ROW_AT + columns.indexOf('org')] === null ? null : wireRow(columns, found, ROW_AT)
    const shown = row ? keyOfRow(projection, row) : { org, ...columnsOfKey }
    const [, statement, checkpoint] = found as [unknown, string, string]
    const made = { key: shown as RowProof['key'], row: row as RowProof['row'], statement, checkpoint }
    return { proof: rowProof(made, pathIn(found, place, row)), asOf: { asked: String(position), position } }
  }
}

/** The position up to which the rows of a statement stand, as far as is known. */
function holdsUntil([position, , , , next, logged]: readonly unknown[]): bigint {
  const at = BigInt(position as string)
  if (typeof next === 'string') return BigInt(next) - 1n
  return later(at, typeof logged === 'string' ? BigInt(logged) : undefined)
}

const later = (a: bigint | undefined, b: bigint | undefined): bigint => {
  const [first, second] = [a ?? 0n, b ?? 0n]
  return first > second ? first : second
}

/** The path in the pages that were read with the row. They differ for an instant while a rebuild takes its place. */
function pathIn([, , , pages]: readonly unknown[], place: string, row: unknown): MapPath {
  const read = Object.entries((pages ?? {}) as Readonly<Record<string, string>>)
  const path = pathTo(place, new Map(read.map(([prefix, page]) => [prefix, pageFrom(Buffer.from(page, 'base64'))])))
  const isThere = path.end?.place === place
  const isSame = row === null ? !isThere : isThere && path.end!.digest.equals(rowDigest(canonicalJson(row)))
  if (isSame) return path
  throw new KogiError('not_yet_visible', 'The read model was rebuilt and is not signed again yet; try again.')
}

const notProved = (message: string) => new KogiError('not_proved', message)
