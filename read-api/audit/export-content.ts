/** The archives of audit exports, and what was opened of them for a recipient. */
import { Readable } from 'node:stream'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, ByteRange, ByteStream, Parameter, Route } from '../../domain/kernel/route.ts'
import { id, text } from '../../domain/kernel/schema.ts'
import { auditExports } from '../../projections/audit/audit-exports.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { noHistoryErrors } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors, tokenOf } from '../consistency.ts'
import { fromPath, queriesOf, tokenParameters } from '../parameters.ts'
import { conditionErrors, conditions } from '../revision.ts'
import type { Unseal } from '../rows.ts'
import { archiveSource } from './archive-source.ts'
import { openedFields } from './opened.ts'
import { bytesIn } from './source.ts'

export type ExportDeps = ReadStore & {
  /** Opens the bytes of a digest of an org, or a part of them; `undefined` where they are not there. */
  readonly openFile: (org: string, sha256: string, range?: ByteRange) => Promise<ByteStream | undefined>
  readonly unseal: Unseal
}

const parameters: readonly Parameter[] = [
  { name: 'id', in: 'path', schema: id('export'), description: 'id of the export' },
  ...tokenParameters,
]
const headers: readonly Parameter[] = [
  ...conditions,
  { name: 'Range', in: 'header', schema: text(200), description: 'a part: `bytes=0-499`; several are answered whole' },
  { name: 'If-Range', in: 'header', schema: text(200), description: 'the `ETag` that a part must be of' },
]

/** The route of archives. */
export const exportContentRoute = (deps: ExportDeps): Route => ({
  method: 'GET',
  path: '/kmg/audit/exports/:id/content',
  operationId: 'getAuditExportContent',
  summary: 'An audit export as a ZIP archive, to be saved: whole, or the part that `Range` names.',
  permission: 'audit.exports.read',
  tag: 'kmg',
  parameters: [...parameters, ...headers],
  response: text(1_000_000_000),
  media: ['application/zip'],
  errors: {
    ...noHistoryErrors,
    404: ['not_found'],
    ...conditionErrors,
    416: ['range_not_satisfiable'],
    ...readErrors,
  },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const { name, sha256, size, position } = await completed(deps, request, tokenOf(request, query))
    const bytes = {
      name: `${name.replaceAll('/', '_')}.zip`,
      type: 'application/zip',
      size,
      open: (range?: ByteRange) => deps.openFile(request.principal.org, sha256, range),
    }
    return { bytes, headers: { ...positioned(position).headers, ETag: `"${sha256}"` } }
  },
})

type Row = [unknown, unknown, string | null, string, string, readonly { readonly disclosure: string }[]]

const disclosureParameters: readonly Parameter[] = [
  ...parameters,
  { name: 'disclosure', in: 'path', schema: id('disclosure'), description: 'id of the disclosure' },
]

/**
 * The route of what was opened. Nothing of it is kept: it is opened as it is sent, so that what was erased since is
 * erased here too.
 */
export const disclosureRoute = (deps: ExportDeps): Route => ({
  method: 'GET',
  path: '/kmg/audit/exports/:id/disclosures/:disclosure',
  operationId: 'getAuditExportDisclosure',
  summary: 'The sealed fields of an audit export, opened for the recipient of a disclosure: lines of JSON.',
  permission: 'audit.disclosures.write',
  tag: 'kmg',
  parameters: disclosureParameters,
  response: text(1_000_000_000),
  media: ['application/x-ndjson'],
  errors: { ...noHistoryErrors, 404: ['not_found'], ...readErrors },
  async handle(request) {
    const query = queriesOf(request, disclosureParameters)
    const found = await completed(deps, request, tokenOf(request, query))
    const { name, sha256, size, position, disclosures } = found
    const wanted = fromPath(request, 'disclosure', id('disclosure'))
    const disclosure = disclosures.find(each => each.disclosure === wanted)
    if (!disclosure) throw new KogiError('not_found', `There is no disclosure ${wanted} of the export ${name}.`)
    const { org } = request.principal
    const source = archiveSource({
      name,
      size,
      async read(from, length) {
        const stream = await deps.openFile(org, sha256, { first: from, last: from + length - 1 })
        if (!stream) throw new KogiError('file_missing', 'The archive of the export is not where it was stored.')
        return bytesIn(stream)
      },
    })
    const head = { org, export: name, archive_sha256: sha256, ...disclosure }
    const bytes = {
      name: `${name}-${wanted}.ndjson`.replaceAll('/', '_'),
      type: 'application/x-ndjson',
      async open() {
        await source.entries()
        return Readable.from(openedFields(source, { head, org, unseal: deps.unseal }))
      },
    }
    return { bytes, headers: { ...positioned(position).headers } }
  },
})

/** The export that the path names. Throws `not_found` where there is none, or it is not completed. */
async function completed(deps: ExportDeps, request: ApiRequest, token: ReturnType<typeof tokenOf>) {
  const name = fromPath(request, 'id', id('export'))
  const statement = {
    of: [auditExports],
    text: `select c.position, c.stalled, e.state, e.sha256, e.bytes, e.disclosures
      from ${checkpointsSql([auditExports])}
      left join ${tableOf(auditExports)} e on e.org = $2 and e.id = $3`,
    values: [request.principal.org, name],
  }
  const { rows, position } = await read(deps, request, statement, { token })
  const [, , state, sha256, bytes, disclosures] = rows[0] as Row
  if (state === null) throw new KogiError('not_found', `There is no export ${name}.`)
  if (state !== 'completed') throw new KogiError('not_found', `The export ${name} is ${state}: it has no archive yet.`)
  return { name, sha256, size: Number(bytes), disclosures, position }
}
