/** Compares a table with the fold of the log: the parts of a check. */
import { createHash } from 'node:crypto'
import type { PoolClient } from 'pg'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { bucketOf } from '../rows/bucket.ts'
import { rowDigest, SetDigester, type TableDigest, TableDigester } from '../rows/digest.ts'
import { type FoldedRows, foldEvent, sortedRows } from '../rows/fold.ts'
import { type AnyProjection, handlerOf } from '../rows/projection.ts'
import { storedRows, storedVersions } from '../rows/stored.ts'
import { byKey, historyTableOf, isAppendOnly, keyTextOf, type Row, tableOf } from '../rows/tables.ts'

/**
 * An org whose rows in a table differ from the fold of the log, with the first row in key order that does; a side that
 * has no such row is `undefined`. Where very many orgs differ, the last of them come without a row.
 */
export type Difference = {
  readonly table: string
  readonly org: string
  readonly key?: Readonly<Record<string, string>>
  readonly stored?: Row | undefined
  readonly folded?: Row | undefined
}

type Pair = { readonly stored: Row | undefined; readonly folded: Row | undefined }
/** A stored row and its canonical JSON. */
type WithText = { readonly row: Row; readonly text: string }

export const orgOf = (row: Row): string => (typeof row.org === 'string' ? row.org : '')

/** The stored rows of a table: how many there are, their digest, and where they differ. */
export type Compared = {
  readonly table: string
  readonly orgs: number
  readonly rows: number
  /** SHA-256 over the orgs' digests in the order of their ids: one value to compare two systems by. */
  readonly sha256: string
  readonly differences: readonly Difference[]
}

/**
 * A table and the fold of its projection. Rows that events change are kept in memory. Rows that are only ever added are
 * summed up, so that a log of any length fits, and looked at again only where the sums differ.
 */
export class Comparison {
  readonly projection: AnyProjection
  readonly summed: boolean
  readonly #versions: Versions | undefined
  readonly #sums = new Map<string, SetDigester>()
  readonly #digests = new Map<string, TableDigest>()
  readonly #differences = new Map<string, Difference>()
  #rows: FoldedRows = new Map()
  /** The folded rows of the orgs that are to be explained. */
  readonly #gathered: FoldedRows = new Map()

  constructor(projection: AnyProjection) {
    this.projection = projection
    this.summed = isAppendOnly(projection)
    this.#versions = projection.history ? new Versions(projection) : undefined
  }

  /** Takes the next event of the log. */
  take(event: DomainEvent): void {
    const handler = this.summed ? handlerOf(this.projection, event.type) : undefined
    if (!handler || !('append' in handler)) {
      const fold = () => foldEvent([this.projection], this.#rows, event)
      if (this.#versions) this.#versions.take(event, this.#rows, fold)
      else fold()
      return
    }
    for (const row of handler.append(event) as readonly Row[]) sumOf(this.#sums, orgOf(row)).addDigest(rowDigest(row))
  }

  /** Compares the stored rows of some buckets, or of one org, with the rows that were folded, and forgets those. */
  async compare(client: PoolClient, buckets: ReadonlySet<number>, only: string | undefined): Promise<void> {
    const digesters = new Map<string, TableDigester>()
    const sums = new Map<string, SetDigester>()
    const { projection, summed } = this
    async function* withTexts(): AsyncGenerator<WithText> {
      for await (const row of storedRows(client, projection, only)) {
        const org = orgOf(row)
        if (!buckets.has(bucketOf(org))) continue
        const text = canonicalJson(row)
        const digest = createHash('sha256').update(text).digest()
        const digester = digesters.get(org) ?? new TableDigester()
        digesters.set(org, digester)
        digester.addDigest(digest)
        if (summed) sumOf(sums, org).addDigest(digest)
        else yield { row, text }
      }
    }
    for await (const pair of unequal(byKey(projection), withTexts(), sortedRows(this.#rows, projection)))
      this.#note(pair)
    for (const org of new Set([...sums.keys(), ...this.#sums.keys()])) {
      if (!sumOf(sums, org).equals(sumOf(this.#sums, org))) {
        this.#differences.set(org, { table: tableOf(projection), org })
      }
    }
    for (const [org, digester] of digesters) this.#digests.set(org, digester.end())
    this.#rows = new Map()
  }

  /** Orgs that differ by their sums, whose first row or version that differs is not known yet. */
  get unclear(): readonly string[] {
    return unclearIn([...this.#differences.values(), ...(this.#versions?.differences ?? [])])
  }

  /** Takes an event of an org that is to be explained. */
  gather(event: DomainEvent): void {
    const fold = () => foldEvent([this.projection], this.#gathered, event)
    if (this.#versions) this.#versions.gather(event, this.#gathered, fold)
    else fold()
  }

  /** Finds the first row of an org, and the first version, that differs from what was gathered: all of that org. */
  async explain(client: PoolClient, org: string): Promise<void> {
    await this.#versions?.explain(client, org)
    if (!unclearIn([...this.#differences.values()]).includes(org)) return
    const own = sortedRows(this.#gathered, this.projection).filter(row => orgOf(row) === org)
    const pair = await firstUnequal(byKey(this.projection), storedRows(client, this.projection, org), own)
    if (!pair) return
    this.#differences.delete(org)
    this.#note(pair)
  }

  /** Compares the stored row versions with those that were taken, where the projection keeps them. */
  async compareVersions(client: PoolClient, only: string | undefined): Promise<void> {
    await this.#versions?.compare(client, only)
  }

  #note({ stored, folded }: Pair): void {
    const org = orgOf((stored ?? folded)!)
    if (this.#differences.has(org)) return
    this.#differences.set(org, differenceOf(tableOf(this.projection), this.projection.key, { stored, folded }))
  }

  /** The results of the table, and of its history where it has one. */
  results(): readonly Compared[] {
    const differences = [...this.#differences.values()]
    const rows = comparedOf(tableOf(this.projection), this.#digests, differences)
    return this.#versions ? [rows, this.#versions.result()] : [rows]
  }
}

/** Every version of every row, summed up, and looked at again only where the sums differ. */
class Versions {
  readonly #projection: AnyProjection
  readonly #keyText: (key: Row) => string
  readonly #sums = new Map<string, SetDigester>()
  readonly #digests = new Map<string, TableDigest>()
  readonly #differences = new Map<string, Difference>()
  readonly #gathered: Row[] = []

  constructor(projection: AnyProjection) {
    this.#projection = projection
    this.#keyText = keyTextOf(projection)
  }

  get differences(): readonly Difference[] {
    return [...this.#differences.values()]
  }

  /** Sums up the versions that an event makes of the rows that `fold` changes. */
  take(event: DomainEvent, folded: FoldedRows, fold: () => void): void {
    for (const version of this.#made(event, folded, fold))
      sumOf(this.#sums, orgOf(version)).addDigest(rowDigest(version))
  }

  /** Keeps the versions that an event makes. */
  gather(event: DomainEvent, folded: FoldedRows, fold: () => void): void {
    this.#gathered.push(...this.#made(event, folded, fold))
  }

  #made(event: DomainEvent, folded: FoldedRows, fold: () => void): readonly Row[] {
    const handler = handlerOf(this.#projection, event.type)
    if (!handler) return []
    const made = 'append' in handler ? (handler.append(event) as readonly Row[]) : handler.keys(event)
    const texts = new Set(made.map(this.#keyText))
    const rowOf = (text: string) => folded.get(this.#projection.name)?.get(text)
    const before = new Map([...texts].map(text => [text, rowOf(text)]))
    fold()
    return [...texts].flatMap(text => {
      const after = rowOf(text)
      const row = after ?? before.get(text)
      return row ? [{ ...row, _position: event.position, _removed: after === undefined }] : []
    })
  }

  /** Finds the first version of an org that differs from what was gathered. */
  async explain(client: PoolClient, org: string): Promise<void> {
    if (!unclearIn(this.differences).includes(org)) return
    const keyOrder = byKey(this.#projection)
    const order = (a: Row, b: Row) => keyOrder(a, b) || Number((a._position as bigint) - (b._position as bigint))
    const own = this.#gathered.filter(version => orgOf(version) === org).sort(order)
    const pair = await firstUnequal(order, storedVersions(client, this.#projection, org), own)
    if (!pair) return
    const key = [...(this.#projection.key as readonly string[]), '_position']
    this.#differences.set(org, differenceOf(historyTableOf(this.#projection), key, pair))
  }

  async compare(client: PoolClient, only: string | undefined): Promise<void> {
    const digesters = new Map<string, TableDigester>()
    const sums = new Map<string, SetDigester>()
    for await (const version of storedVersions(client, this.#projection, only)) {
      const org = orgOf(version)
      const digest = rowDigest(version)
      const digester = digesters.get(org) ?? new TableDigester()
      digesters.set(org, digester)
      digester.addDigest(digest)
      sumOf(sums, org).addDigest(digest)
    }
    for (const org of new Set([...sums.keys(), ...this.#sums.keys()])) {
      if (sumOf(sums, org).equals(sumOf(this.#sums, org))) continue
      this.#differences.set(org, { table: historyTableOf(this.#projection), org })
    }
    for (const [org, digester] of digesters) this.#digests.set(org, digester.end())
  }

  result(): Compared {
    return comparedOf(historyTableOf(this.#projection), this.#digests, this.differences)
  }
}

function comparedOf(
  table: string,
  digests: ReadonlyMap<string, TableDigest>,
  differences: readonly Difference[],
): Compared {
  const orgs = [...digests].sort(([a], [b]) => (a < b ? -1 : 1))
  const all = new TableDigester()
  for (const [, { sha256 }] of orgs) all.addDigest(Buffer.from(sha256, 'hex'))
  const rows = orgs.reduce((sum, [, digest]) => sum + digest.rows, 0)
  const sorted = differences.toSorted((a, b) => (a.org < b.org ? -1 : 1))
  return { table, orgs: orgs.length, rows, sha256: all.end().sha256, differences: sorted }
}

function sumOf(sums: Map<string, SetDigester>, org: string): SetDigester {
  const sum = sums.get(org) ?? new SetDigester()
  sums.set(org, sum)
  return sum
}

const unclearIn = (differences: readonly Difference[]): string[] =>
  differences.filter(({ key }) => key === undefined).map(({ org }) => org)

function differenceOf(table: string, names: readonly PropertyKey[], { stored, folded }: Pair): Difference {
  const row = (stored ?? folded)!
  const key = Object.fromEntries((names as readonly string[]).map(name => [name, String(row[name])]))
  return { table, org: orgOf(row), key, stored, folded }
}

/** The first rows in which two lists in the same order differ; `undefined` where they do not. */
async function firstUnequal(
  order: (a: Row, b: Row) => number,
  stored: AsyncIterable<Row>,
  folded: readonly Row[],
): Promise<Pair | undefined> {
  async function* withTexts(): AsyncGenerator<WithText> {
    for await (const row of stored) yield { row, text: canonicalJson(row) }
  }
  for await (const pair of unequal(order, withTexts(), folded)) return pair
  return undefined
}

/** The rows in which two lists in key order differ, side by side. */
async function* unequal(
  order: (a: Row, b: Row) => number,
  stored: AsyncIterable<WithText>,
  folded: readonly Row[],
): AsyncGenerator<Pair> {
  let at = 0
  for await (const { row, text } of stored) {
    for (; at < folded.length && order(folded[at]!, row) < 0; at += 1) yield { stored: undefined, folded: folded[at] }
    const mine = at < folded.length && order(folded[at]!, row) === 0 ? folded[at] : undefined
    if (mine) at += 1
    if (!mine || canonicalJson(mine) !== text) yield { stored: row, folded: mine }
  }
  for (; at < folded.length; at += 1) yield { stored: undefined, folded: folded[at] }
}
