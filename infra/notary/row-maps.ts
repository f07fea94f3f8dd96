/**
 * Proved read models: for each org and model one Merkle map of its rows, whose root is signed together with the org's
 * last checkpoint. It follows the notary: once a checkpoint is signed and the read model has come that far, the rows
 * that changed since the last statement are hashed into the map, as they stood after the last event of the checkpoint.
 * Projectors do nothing for it.
 */
import { paused } from '../../commands/processes/pause.ts'
import { type Head, openCheckpoint, originOf } from '../../projections/notary/checkpoint.ts'
import { NoteFault, type Signer, verifierOf } from '../../projections/notary/note.ts'
import { updateMaps } from '../../projections/notary/row-map.ts'
import { signStatement } from '../../projections/notary/row-statement.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { type Log, reasonOf } from '../log.ts'
import { type Connection, type Pool, withTransaction } from '../postgres.ts'
import {
  changesIn,
  dropOthers,
  dropPages,
  headsOf,
  lockMaps,
  makeIndex,
  mapsOf,
  type OrgHead,
  orgsBehind,
  pagesFrom,
  reachedBy,
  type SignedMap,
  type StoredMap,
  sourceIdOf,
  spansWithin,
  writeMaps,
  writePages,
} from './row-map-rows.ts'
import type { Seal } from './seals.ts'

export type RowMapsOptions = {
  readonly pool: Pool
  /** The models whose rows are proved. */
  readonly models: readonly AnyProjection[]
  /** Names the log in its checkpoints. */
  readonly origin: string
  readonly signers: () => Promise<readonly Signer[]>
  readonly log: Pick<Log, 'warn' | 'error'>
  readonly tickMs?: number
  readonly rowsMax?: number
}

const TICK_MS = 200
const RETRY_MS = 1_000
/** How often all orgs are looked at, not only those with a new checkpoint. */
const AGAIN_MS = 30_000
/** Orgs of one transaction. */
const ORGS_MAX = 200
/** Versions of rows that one transaction hashes: the worker does nothing else meanwhile. */
const ROWS_MAX = 10_000

export class RowMaps {
  readonly #options: RowMapsOptions
  readonly #wanted = new Map<AnyProjection, Set<string>>()
  readonly #sources = new Map<AnyProjection, bigint>()
  #trouble: Error | undefined

  constructor(options: RowMapsOptions) {
    this.#options = options
  }

  /** Why nothing is proved, while nothing is. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  /** Takes note of the orgs that have a new checkpoint. */
  readonly onSealed = ({ orgs }: Pick<Seal, 'orgs'>): void => this.give(orgs.map(({ org }) => org))

  give(orgs: readonly string[]): void {
    for (const model of this.#options.models) {
      const wanted = this.#wanted.get(model) ?? new Set()
      this.#wanted.set(model, wanted)
      for (const org of orgs) wanted.add(org)
    }
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, pool, models, tickMs = TICK_MS } = this.#options
    for (const memory of [this.#wanted, this.#sources]) memory.clear()
    let lookedAt: number | undefined
    while (!signal.aborted) {
      try {
        if (lookedAt === undefined) await dropOthers(pool, models)
        if (models.length === 0) return
        if (lookedAt === undefined || performance.now() - lookedAt > AGAIN_MS) {
          for (const model of models) await this.#lookAgain(model)
          lookedAt = performance.now()
        }
        const signers = this.#isIdle ? [] : await this.#options.signers()
        for (const [model, orgs] of this.#wanted) await this.#proveAll(model, orgs, signers)
        this.#trouble = undefined
        await paused(tickMs, signal)
      } catch (error) {
        if (!this.#trouble) log.warn({ reason: reasonOf(error) }, 'read models are not proved, trying again')
        this.#trouble = error as Error
        await paused(RETRY_MS, signal)
      }
    }
  }

  get #isIdle(): boolean {
    return [...this.#wanted.values()].every(({ size }) => size === 0)
  }

  async #lookAgain(model: AnyProjection): Promise<void> {
    const { pool } = this.#options
    const source = await sourceIdOf(pool, model)
    if (source === undefined) return
    if (source !== this.#sources.get(model)) await makeIndex(pool, model)
    this.#sources.set(model, source)
    const wanted = this.#wanted.get(model) ?? new Set()
    this.#wanted.set(model, wanted)
    for (const org of await orgsBehind(pool, model, source)) wanted.add(org)
  }

  async #proveAll(model: AnyProjection, wanted: Set<string>, signers: readonly Signer[]): Promise<void> {
    const orgs = [...wanted]
    if (orgs.length === 0) return
    if ((await sourceIdOf(this.#options.pool, model)) !== this.#sources.get(model)) await this.#lookAgain(model)
    for (let at = 0; at < orgs.length; at += ORGS_MAX) {
      const some = orgs.slice(at, at + ORGS_MAX)
      // Before the transaction: a checkpoint that comes meanwhile is wanted again.
      for (const org of some) wanted.delete(org)
      const left = new Set(some)
      try {
        const { done, begun } = await this.#prove(model, some, signers)
        for (const org of [...done, ...begun]) left.delete(org)
        // Those that wait come before one with more rows than a transaction takes.
        for (const org of begun) left.add(org)
      } finally {
        for (const org of left) wanted.add(org)
      }
    }
  }

  /** Proves the rows of orgs at their last checkpoints, the first orgs first. */
  #prove(model: AnyProjection, orgs: readonly string[], signers: readonly Signer[]): Promise<Served> {
    return withTransaction(this.#options.pool, async client => {
      await client.query('set local synchronous_commit = off')
      await lockMaps(client, model)
      const source = await sourceIdOf(client, model)
      if (source === undefined) return { done: [], begun: [] }
      const reached = await reachedBy(client, model)
      const heads = (await headsOf(client, orgs)).filter(
        ({ org, position }) => (reached.get(bucketOf(org)) ?? 0n) >= position,
      )
      const names = heads.map(({ org }) => org)
      const maps = new Map((await mapsOf(client, model, names, source)).map(map => [map.org, map]))
      const due = heads.flatMap(head => {
        const map = maps.get(head.org)!
        const isDone = map.checkpoint === head.note && map.source === source
        const log = isDone ? undefined : this.#logOf(head, signers)
        return log ? [{ head, map, log }] : []
      })
      const open = new Set(due.map(({ head }) => head.org))
      const rest = names.filter(org => !open.has(org))
      if (due.length === 0) return { done: rest, begun: [] }
      const { done, begun } = await this.#write(client, model, { due, source, signers })
      return { done: [...rest, ...done], begun }
    })
  }

  /** The log of a checkpoint; none of one that another key signed, or another log, which will be replaced. */
  #logOf({ org, note, size }: OrgHead, signers: readonly Signer[]): Head | undefined {
    try {
      const log = openCheckpoint(note, signers.map(verifierOf))
      return log.origin === originOf(this.#options.origin, org) && log.size === size ? log : undefined
    } catch (error) {
      if (error instanceof NoteFault) return undefined
      throw error
    }
  }

  /** Brings maps on, by as many rows as one transaction takes. */
  async #write(client: Connection, model: AnyProjection, { due: all, source, signers }: Due): Promise<Served> {
    const isKept = ({ head, map }: Due['due'][number]) =>
      map.source === source && map.size <= head.size && firstLine(map.checkpoint) === firstLine(head.note)
    const wanted = all.map(one => ({
      org: one.head.org,
      after: isKept(one) ? one.map.position : 0n,
      upTo: one.head.position,
    }))
    const spans = await spansWithin(client, model, wanted, this.#options.rowsMax ?? ROWS_MAX)
    const due = all.slice(0, spans.length)
    const isDone = ({ head }: Due['due'][number], n: number) => spans[n]!.upTo >= head.position
    const anew = due.filter(one => !isKept(one)).map(({ map }) => map.id)
    if (anew.length > 0) await dropPages(client, anew)
    const changes = await changesIn(client, model, spans)
    const updated = await updateMaps(
      pagesFrom(client),
      due.map(({ map }) => ({ map: map.id, changes: changes.get(map.org)! })),
    )
    const signed = due.map((one, n): SignedMap => {
      const { head, map, log } = one
      const { root, grown } = updated[n]!
      const rows = (isKept(one) ? map.rows : 0) + grown
      if (!isDone(one, n)) return { ...partOf(one), source, position: spans[n]!.upTo, rows }
      this.#compare(model, map, { size: head.size, root })
      const { name, version } = model
      const statement = signStatement({ model: name, version, rows, root, log, position: head.position }, signers)
      const { id } = map
      return { id, source, position: head.position, size: head.size, rows, root, statement, checkpoint: head.note }
    })
    await writePages(client, updated)
    await writeMaps(client, signed)
    const served = due.map(({ head }) => head.org)
    return {
      done: served.filter((_, n) => isDone(due[n]!, n)),
      begun: served.filter((_, n) => !isDone(due[n]!, n)),
    }
  }

  /** A rebuild gives the same rows, unless the old ones were wrong: their statement stands, and is another one. */
  #compare({ name }: AnyProjection, before: StoredMap, now: { readonly size: number; readonly root: Buffer }): void {
    if (before.size !== now.size || before.root === null || before.root.equals(now.root)) return
    const { org, size } = before
    this.#options.log.error({ model: name, org, size }, 'ROWS ARE OTHERS THAN WERE SIGNED: they are signed anew')
  }
}

/** What stands of a map that has not come to its checkpoint: the name of the log, and the root of before to compare. */
function partOf({ head, map: { id, size, root } }: Due['due'][number]) {
  const before = size <= head.size ? { size, root } : { size: 0, root: null }
  return { id, ...before, statement: null, checkpoint: `${firstLine(head.note)}\n` }
}

const firstLine = (note: string | null) => note?.split('\n', 1)[0]

/** Orgs whose maps are at their checkpoints, and those whose maps came on and are not there yet. */
type Served = { readonly done: readonly string[]; readonly begun: readonly string[] }

type Due = {
  readonly due: readonly { readonly head: OrgHead; readonly map: StoredMap; readonly log: Head }[]
  readonly source: bigint
  readonly signers: readonly Signer[]
}
