/**
 * Makes the exports that were ordered, one after another: a folder of the worker's own, whose files grow with the log,
 * then one archive in the store of files. An end in between loses nothing: the next worker of this machine goes on
 * where the files end, and one of another machine begins anew.
 */
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WriteDeps } from '../../commands/execute.ts'
import { uuidOf } from '../../commands/ids.ts'
import type { RowChanges } from '../../commands/processes/timers.ts'
import { auditExport, type Exports } from '../../domain/audit/export/export.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { memberOf } from '../../domain/record/keyed.ts'
import { AuditFault } from '../../read-api/audit/bundle.ts'
import { type Bundle, type BundleOptions, writeBundle } from '../../read-api/audit/export.ts'
import type { Selection } from '../../read-api/audit/selection.ts'
import { Faults } from '../faults.ts'
import type { FileStore } from '../files/store.ts'
import type { Log } from '../log.ts'
import { keepLooking } from '../looking.ts'
import { give, stateOf } from '../things.ts'
import { FileChanged, zipped } from './archive.ts'
import type { Ordered } from './rows.ts'

/** The shortest time between two looks, and the longest one while changes are heard. */
const LOOK_MS = 500
const AT_REST = { pauseMs: LOOK_MS, changeMs: 60_000 }
/** Time until the next look where something failed. */
const RETRY_MS = 5_000
/** How often a word in the log is tried while clients write there too, and the pause that grows with each try. */
const TRIES_MAX = 10
const TRY_MS = 50
/** How often it is noted in the log how far an export has come. */
const PROGRESS_MS = 5_000
/** How long an export waits for read models that lag behind, before it is made without the files for people. */
const READABLE_MS = 60_000

export type ExporterDeps = WriteDeps & {
  readonly pending: () => Promise<readonly Ordered[]>
  /** What an export of an org is made of. */
  readonly optionsOf: (org: string, signal: AbortSignal) => Promise<Omit<BundleOptions, 'selection' | 'note'>>
  /** Where exports stand until they are whole. */
  readonly folder: string
  readonly files: Pick<FileStore, 'put'>
  readonly changes?: RowChanges
  readonly log: Pick<Log, 'info'>
  readonly progressMs?: number
  readonly readableMs?: number
}

/** Thrown where an export was removed while it was made. */
class Removed extends Error {}

export class Exporter {
  readonly #deps: ExporterDeps
  #trouble: Error | undefined
  /** Since when exports wait for read models, by their folder. */
  readonly #late = new Map<string, number>()

  constructor(deps: ExporterDeps) {
    this.#deps = deps
  }

  /** What keeps it from making exports, while there is something. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await keepLooking(signal, {
      changes: this.#deps.changes,
      retryMs: RETRY_MS,
      look: async () => ((await this.look(signal)) === 0 ? AT_REST : { pauseMs: LOOK_MS }),
      onTrouble: trouble => {
        this.#trouble = trouble
      },
    })
  }

  /** Makes the exports that wait: all that can be, though others fail, and then throws the first failure. */
  async look(signal: AbortSignal): Promise<number> {
    const pending = await this.#deps.pending()
    if (pending.length === 0) await rm(this.#deps.folder, { recursive: true, force: true })
    const faults = new Faults()
    for (const ordered of pending) {
      if (signal.aborted) break
      await faults.of(() => this.#make(ordered, signal))
    }
    faults.throwFirst()
    return pending.length
  }

  async #make(ordered: Ordered, signal: AbortSignal): Promise<void> {
    if (!(await this.#isWanted(ordered))) return
    const { org, id } = ordered
    const place = path.join(this.#deps.folder, uuidOf([org, id]))
    const bundle = path.join(place, 'bundle')
    await mkdir(bundle, { recursive: true })
    try {
      const written = await this.#write(ordered, { place, bundle, note: path.join(place, 'standing.json') }, signal)
      signal.throwIfAborted()
      const name = `export-${id.replaceAll(/[^\w.-]/g, '_')}`
      const { events, leftOut, head, notReadable, files } = written
      const options = { name, madeAt: new Date(this.#deps.now()), signal }
      const { size, sha256 } = await this.#deps.files.put(org, zipped(bundle, files, options))
      await this.#give(ordered, 'complete', {
        events,
        ...(leftOut !== undefined && { leftOut }),
        ...(notReadable !== undefined && { notReadable }),
        bytes: size,
        sha256,
        head,
      })
      this.#deps.log.info({ org, context: { export: id, events } }, 'an export was made')
    } catch (error) {
      if (signal.aborted) throw error
      if (error instanceof FileChanged) await rm(place, { recursive: true, force: true })
      if (error instanceof AuditFault) await this.#give(ordered, 'fail', { code: error.code, reason: error.message })
      else if (!(error instanceof Removed)) throw error
    }
    this.#late.delete(place)
    await rm(place, { recursive: true, force: true })
  }

  async #write(ordered: Ordered, { place, bundle, note }: Place, signal: AbortSignal): Promise<Bundle> {
    const { optionsOf, progressMs = PROGRESS_MS, readableMs = READABLE_MS } = this.#deps
    const { exports } = await this.#state(ordered.org)
    const selection = memberOf(exports, ordered.id)?.selection as Selection | undefined
    const options = await optionsOf(ordered.org, signal)
    let told = performance.now()
    return writeBundle(bundle, {
      ...options,
      selection,
      note,
      isReadableNeeded: () => {
        const late = this.#late.get(place) ?? performance.now()
        this.#late.set(place, late)
        return performance.now() - late < readableMs
      },
      onProgress: async (position, events) => {
        signal.throwIfAborted()
        if (performance.now() - told < progressMs) return
        told = performance.now()
        if (!(await this.#isWanted(ordered))) throw new Removed()
        await this.#give(ordered, 'progress', { events, position, head: options.head })
      },
    })
  }

  readonly #state = (org: string) =>
    stateOf(this.#deps, auditExport, { org, id: auditExport.only! }) as Promise<Exports>

  /** Rows lag behind: the log knows whether an export is still to be made. */
  async #isWanted({ org, id }: Ordered): Promise<boolean> {
    return memberOf((await this.#state(org)).exports, id)?.stage === 'running'
  }

  async #give({ org, id }: Ordered, name: 'progress' | 'complete' | 'fail', fields: object): Promise<void> {
    const body = { export: id, ...fields }
    const given = { by: 'exports', name, body, part: canonicalJson(body) }
    for (let tries = 1; ; tries += 1) {
      try {
        await give(this.#deps, auditExport, { org, id: auditExport.only! }, given)
        return
      } catch (error) {
        // Clients write to the same stream.
        if (!(error instanceof KogiError && error.code === 'conflict') || tries === TRIES_MAX) throw error
        await sleep(tries * TRY_MS)
      }
    }
  }
}

type Place = { readonly place: string; readonly bundle: string; readonly note: string }
