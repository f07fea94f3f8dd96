/**
 * Which reads show sensitive data, and `GET /kmg/sensitive-reads`: who read it. An answer is noted after it is made, in
 * memory; notes are written every few seconds (infra/sensitive-reads.ts).
 */
import { z } from 'zod'
import type { ApiRequest, Route } from '../../domain/kernel/route.ts'
import { integer, oneOf, text, timestamp } from '../../domain/kernel/schema.ts'
import type { Resource } from '../resource.ts'
import { sealedColumnsOf } from '../rows.ts'
import { differenceOf } from './differences.ts'
import { notesRoute, number, type ReadNotes } from './notes.ts'

const KINDS = ['personal_data', 'money', 'files', 'audit'] as const
type Kind = (typeof KINDS)[number]

const DIFFERENCE = 'getDifference'

/** Reads of the notary's trees that show headers of events: who did what, when. */
const HEADERS = ['Log', 'PlatformLog'].flatMap(ids => [
  `prove${ids}Event`,
  ...[1, 2, 3, 4].map(pieces => `get${ids}Entries${pieces}`),
])

/** Reads that are sensitive beside those of rows with sealed columns, by their operation ids. */
const DECLARED: Readonly<Record<string, Kind>> = {
  searchMemories: 'personal_data',
  getPerson: 'personal_data',
  getPersonPage: 'personal_data',
  getStatement: 'money',
  exportBooks: 'money',
  getWalletBalanceSheet: 'money',
  getBalanceSheet: 'money',
  getNetWorth: 'money',
  getFileContent: 'files',
  listAuditRecords: 'audit',
  listAdministrativeActs: 'audit',
  listCauses: 'audit',
  [DIFFERENCE]: 'audit',
  listRefusedCommands: 'audit',
  listSensitiveReads: 'audit',
  getAuditExportContent: 'audit',
  getAuditExportDisclosure: 'personal_data',
  // With evidence: refusals, reads, erasures, consents and rows of the audit log.
  getControl: 'audit',
  exportControl: 'audit',
  ...Object.fromEntries(HEADERS.map(name => [name, 'audit' as const])),
}

/**
 * The kind of what each sensitive operation shows. Rows of the manager about persons are sensitive without sealed
 * columns too. A list as a file (`export…`) is as sensitive as the list, and so is its summary.
 */
export function sensitiveOperations(resources: readonly Resource[]): ReadonlyMap<string, Kind> {
  const sealed = resources
    .filter(({ projection }) => sealedColumnsOf(projection).length > 0)
    .flatMap(readsOf)
    .map(name => [name, 'personal_data'] as const)
  const ofPersons = resources
    .filter(({ tag, projection }) => tag === 'kmg' && Object.hasOwn(projection.row.shape, 'subject'))
    .flatMap(readsOf)
    .map(name => [name, 'audit'] as const)
  const all = [...Object.entries(DECLARED), ...ofPersons, ...sealed]
  const forms = ['list', 'export', 'summarize']
  return new Map(all.flatMap(([name, kind]) => forms.map(form => [name.replace(/^list/, form), kind] as const)))
}

/** The reads of a list: what has no name is not read by itself. */
const readsOf = ({ ids, names }: Resource): readonly string[] => [
  `list${ids.many}`,
  ...(names.length > 0 ? [`get${ids.one}`] : []),
]

const sensitiveRead = z.strictObject({
  number,
  operation: text(200).meta({ description: 'as the OpenAPI document names it', examples: ['getWallet'] }),
  kind: oneOf(...KINDS).meta({ description: 'what it shows: opened personal data, money, files, or the audit log' }),
  path: text(2_000).meta({ description: 'what was read; the query is not kept' }),
  actor: text(128),
  times: integer(1, 2 ** 31 - 1).meta({ description: 'how often, within the seconds of this note' }),
  at: timestamp.meta({ description: 'the first time' }),
  until: timestamp.meta({ description: 'the last time' }),
  correlation_id: text(255).meta({ description: 'of the last one' }),
})
export type SensitiveRead = z.output<typeof sensitiveRead>

export type SensitiveReadDeps = { readonly sensitiveReads: ReadNotes<SensitiveRead> }

/** The route of sensitive reads. */
export const sensitiveReadsRoute = ({ sensitiveReads }: SensitiveReadDeps): Route =>
  notesRoute({
    name: 'sensitive-reads',
    operationId: 'listSensitiveReads',
    summary: 'Who read sensitive data, the latest first: which operation on what, how often and when.',
    permission: 'audit.sensitive-reads.read',
    row: sensitiveRead,
    filters: ['operation', 'kind', 'path', 'actor', 'correlation_id'],
    read: sensitiveReads,
  })

export type NoteRead = (request: ApiRequest, read: Pick<SensitiveRead, 'operation' | 'kind' | 'path'>) => void

/** Routes whose sensitive answers are noted once they are made. */
export function noting(routes: readonly Route[], resources: readonly Resource[], note: NoteRead): Route[] {
  const kinds = sensitiveOperations(resources)
  return routes.map(route => {
    const kind = kinds.get(route.operationId)
    if (kind === undefined) return route
    const { operationId: operation, handle } = route
    return {
      ...route,
      async handle(request) {
        const answer = await handle(request)
        const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(request.params[name]!))
        note(request, { operation, kind, path })
        // Its query names the thing that it shows: who looks for reads of that thing finds this one.
        const shown = operation === DIFFERENCE ? differenceOf(resources, request) : undefined
        if (shown)
          note(request, { operation, kind: kinds.get(`get${shown.resource.ids.one}`) ?? kind, path: shown.path })
        return answer
      },
    }
  })
}
