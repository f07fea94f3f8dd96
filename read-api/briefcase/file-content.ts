/** `GET /kbfc/files/:id/content`: the bytes of a file, whole or a part of them, of any version. */
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ByteRange, ByteStream, Parameter, Route } from '../../domain/kernel/route.ts'
import { id, text } from '../../domain/kernel/schema.ts'
import { erasures } from '../../projections/audit/erasures.ts'
import { itemFiles } from '../../projections/briefcase/item-files.ts'
import { historyTableOf, quoted, tableOf } from '../../projections/rows/tables.ts'
import { noHistoryErrors } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors, tokenOf } from '../consistency.ts'
import { fromPath, inQuery, queriesOf, tokenParameters, whole } from '../parameters.ts'
import { conditionErrors, conditions } from '../revision.ts'

export type FileDeps = ReadStore & {
  /** Opens the bytes of a digest of an org, or a part of them; `undefined` where they are not there. */
  readonly openFile: (org: string, sha256: string, range?: ByteRange) => Promise<ByteStream | undefined>
}

const parameters: readonly Parameter[] = [
  { name: 'id', in: 'path', schema: id('file'), description: 'id of the file' },
  inQuery('version', whole(1, 2 ** 31 - 1), 'the version to read: the newest if left out'),
  ...tokenParameters,
]
const headers: readonly Parameter[] = [
  ...conditions,
  { name: 'Range', in: 'header', schema: text(200), description: 'a part: `bytes=0-499`; several are answered whole' },
  { name: 'If-Range', in: 'header', schema: text(200), description: 'the `ETag` that a part must be of' },
]

/** Position, whether rows stand still, and what the file is, where there is one. */
type Row = [unknown, unknown, string | null, string, string, string, boolean]

/** The route of the bytes of files. */
export const fileContentRoute = (deps: FileDeps): Route => ({
  method: 'GET',
  path: '/kbfc/files/:id/content',
  operationId: 'getFileContent',
  summary: 'The bytes of a file, to be saved: whole, or the part that `Range` names.',
  permission: 'briefcase.files.read',
  tag: 'kbfc',
  parameters: [...parameters, ...headers],
  response: text(1_000_000_000),
  media: ['application/octet-stream'],
  errors: { ...noHistoryErrors, 404: ['not_found'], ...conditionErrors, 416: ['range_not_satisfiable'], ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const name = fromPath(request, 'id', id('file'))
    const { org } = request.principal
    const now = `select * from ${tableOf(itemFiles)} n where n.org = $2 and n.id = $3`
    const versions = `select * from ${quoted(historyTableOf(itemFiles))} h where h.org = $2 and h.id = $3`
    const row =
      query.version === undefined
        ? now
        : `${versions} and h.version = $4 and exists (${now}) order by h._position desc limit 1`
    const statement = {
      of: [itemFiles, erasures],
      text: `select c.position, c.stalled, f.name, f.type, f.size, f.sha256, e.subject is not null
        from ${checkpointsSql([itemFiles, erasures])} left join (${row}) f on true
        left join ${tableOf(erasures)} e on e.org = f.org and e.subject = f.owner`,
      values: [org, name, ...(query.version === undefined ? [] : [query.version])],
    }
    const { rows, position } = await read(deps, request, statement, { token: tokenOf(request, query) })
    const [, , called, type, size, sha256, isErased] = rows[0] as Row
    if (called === null) throw new KogiError('not_found', `There is no such version of a file ${name}.`)
    if (isErased) throw new KogiError('not_found', 'The bytes of the file were erased with the data of its owner.')
    const bytes = {
      name: called,
      type,
      size: Number(size),
      open: (range?: ByteRange) => deps.openFile(org, sha256, range),
    }
    return { bytes, headers: { ...positioned(position).headers, ETag: `"${sha256}"` } }
  },
})
