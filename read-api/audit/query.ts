/** Questions to an export alone: the rows of a list, or one row, as of any position or time of it. */
import { KogiError } from '../../domain/kernel/errors.ts'
import { type Json, toWire } from '../../domain/kernel/json.ts'
import { fold, sortedRows } from '../../projections/rows/fold.ts'
import type { Row } from '../../projections/rows/tables.ts'
import { instantOf } from '../as-of.ts'
import type { Resource } from '../resource.ts'
import { AuditFault, type Manifest, skipsOf } from './bundle.ts'
import type { BundleSource } from './source.ts'
import { type CheckOptions, readManifest, verifiedEvents } from './verify.ts'

export type Question = CheckOptions & {
  readonly source: BundleSource
  readonly resources: readonly Resource[]
  /** The path of a list or of a row, as the API has it, with filters by equality: `/kwlt/accounts?currency=EUR`. */
  readonly query: string
  /** A position, or an instant (RFC 3339, with its zone); the end of the export, where there is none. */
  readonly asOf?: string | undefined
}

export type Answered = {
  readonly manifest: Manifest
  /** Position of the last event that the rows follow from: 0 where there is none. */
  readonly position: bigint
  readonly resource: Resource
  /** As they are stored: personal data sealed, columns that are worked out for an answer left out. */
  readonly rows: readonly Readonly<Record<string, Json>>[]
}

/**
 * Checks all of an export, folds its events up to `asOf`, and answers from these rows. Throws an `AuditFault` for the
 * export, and `invalid_parameter` for a question that no list answers.
 */
export async function answerOf({ source, resources, query, asOf, ...options }: Question): Promise<Answered> {
  const asked = askedIn(query, resources)
  const { resource } = asked
  const isWithin = boundOf(asOf)
  const manifest = await readManifest(source, options)
  if (manifest.selection !== undefined) {
    const message = 'Rows follow from all events: export the organization without a selection.'
    throw new AuditFault('selection_not_whole', message)
  }
  if (asOf !== undefined && /^\d+$/.test(asOf) && BigInt(asOf) > manifest.range.head) {
    throw invalid('--as-of', `is behind the end of the export, ${manifest.range.head}`)
  }
  let position = 0n
  const counted = async function* () {
    for await (const checked of verifiedEvents(source, manifest, options)) {
      const at = 'stored' in checked.line ? checked.line.stored.metadata.at : ''
      if (!isWithin(checked.position, at)) continue
      position = checked.position
      if (checked.decoded) yield checked.decoded
    }
  }
  const folded = await fold([resource.projection], counted(), skipsOf(manifest))
  const rows = sortedRows(folded, resource.projection)
    .filter(row => row.org === undefined || row.org === manifest.org)
    .filter(asked.fits)
    .sort(inOrder(resource.order))
    .map(row => toWire(row) as Readonly<Record<string, Json>>)
  return { manifest, position, resource, rows }
}

const invalid = (what: string, why: string) => new KogiError('invalid_parameter', `${what} ${why}.`)

/** Whether an event counts. A time means all events before the first that is later, as for reads. */
function boundOf(asOf: string | undefined): (position: bigint, at: string) => boolean {
  if (asOf === undefined) return () => true
  if (/^\d{1,19}$/.test(asOf)) return position => position <= BigInt(asOf)
  const instant = instantOf(asOf)
  if (instant === undefined) {
    throw invalid('--as-of', 'is a position or a time with its zone, such as 2026-12-31T23:59:59Z')
  }
  let isOver = false
  return (_, at) => {
    isOver ||= at > instant
    return !isOver
  }
}

type Asked = { readonly resource: Resource; readonly fits: (row: Row) => boolean }

/** The list that a path names, or the row in it, and which rows it asks for. */
function askedIn(query: string, resources: readonly Resource[]): Asked {
  const [path = '', filters = ''] = query.replace(/^\/api\/v1/, '').split('?')
  const given = path.split('/').map(decoded)
  for (const resource of resources) {
    const columns = { ...resource.parents, ...Object.fromEntries(resource.names.map(name => [`row ${name}`, name])) }
    const list = resource.path.split('/')
    const row = [...list, ...resource.names.map(name => `:row ${name}`)]
    for (const parts of resource.names.length > 0 ? [list, row] : [list]) {
      const wanted = wantedIn(parts, given, columns as Readonly<Record<string, string>>)
      if (wanted) return { resource, fits: fitting(resource, [...wanted, ...filtersIn(resource, filters)]) }
    }
  }
  throw invalid('--query', 'is no path of a list, or of a row in one, such as /kwlt/wallets/studio/accounts')
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid('--query', 'must be percent-encoded as a path is')
  }
}

type Wanted = readonly [column: string, value: string]

function wantedIn(
  parts: readonly string[],
  given: readonly string[],
  columns: Readonly<Record<string, string>>,
): readonly Wanted[] | undefined {
  if (parts.length !== given.length) return undefined
  const wanted: Wanted[] = []
  for (const [n, part] of parts.entries()) {
    const column = part.startsWith(':') ? columns[part.slice(1)] : undefined
    if (column !== undefined) wanted.push([column, given[n]!])
    else if (part !== given[n]) return undefined
  }
  return wanted
}

function filtersIn({ filters, walked, many }: Resource, text: string): readonly Wanted[] {
  const known = [...filters, ...walked]
  return [...new URLSearchParams(text)].map(([name, value]) => {
    if (known.includes(name)) return [name, value]
    throw invalid('--query', `filters ${many} by ${name}; there are ${known.join(', ') || 'no filters'}`)
  })
}

function fitting({ where }: Resource, wanted: readonly Wanted[]): (row: Row) => boolean {
  const among = Object.entries(where) as [string, string | readonly string[]][]
  return row =>
    among.every(([column, values]) => [values].flat().includes(String(row[column]))) &&
    wanted.every(([column, value]) => {
      const held = row[column]
      return Array.isArray(held) ? held.includes(value) : held !== undefined && String(held) === value
    })
}

const inOrder = (order: readonly string[]) => (a: Row, b: Row) => {
  for (const name of order) {
    const [one, other] = [a[name], b[name]] as [string, string]
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}
