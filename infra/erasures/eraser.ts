/**
 * Carries out erasures: destroys the key of a person, removes their files, and notes in the log that it is done. Every
 * step can be done again. Whoever is erased stays so: a database of keys that was restored from an older backup has the
 * keys destroyed again when a worker begins, and every few minutes.
 */
import type { WriteDeps } from '../../commands/execute.ts'
import { paused } from '../../commands/processes/pause.ts'
import type { RowChanges } from '../../commands/processes/timers.ts'
import { erasure } from '../../domain/audit/erasure/erasure.ts'
import type { FileStore } from '../files/folder.ts'
import type { Log } from '../log.ts'
import type { Pool } from '../postgres.ts'
import { give } from '../things.ts'
import { destroyKey, type Person, withKeys } from './keys.ts'
import type { ErasureRows } from './rows.ts'

/** The shortest time between two looks, and the longest one while changes are heard. */
const LOOK_MS = 1_000
const REST_MS = 60_000
/** Time after which all that was ever erased is compared with the keys. */
const AGAIN_MS = 600_000
/** Erasures that are noted together: others append to the same stream meanwhile. */
const AT_ONCE = 100

export type EraserDeps = WriteDeps & {
  readonly rows: ErasureRows
  readonly keys: Pick<Pool, 'query'>
  readonly files: Pick<FileStore, 'remove'>
  readonly changes?: RowChanges
  readonly log: Pick<Log, 'warn'>
}

export class Eraser {
  readonly #deps: EraserDeps
  #trouble: Error | undefined

  constructor(deps: EraserDeps) {
    this.#deps = deps
  }

  /** What keeps it from erasing, while there is something. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { changes } = this.#deps
    let next = 0
    while (!signal.aborted) {
      const ticket = changes?.ticket() ?? 0
      try {
        if (performance.now() >= next) {
          await this.again()
          next = performance.now() + AGAIN_MS
        }
        await this.look(signal)
        this.#trouble = undefined
      } catch (error) {
        this.#trouble = error as Error
      }
      await paused(LOOK_MS, signal)
      if (changes?.isListening() && !this.#trouble) await changes.changed(ticket, REST_MS, signal)
    }
    this.#trouble = undefined
  }

  /** Carries out the erasures that are not completed. */
  async look(signal?: AbortSignal): Promise<void> {
    const pending = await this.#deps.rows.pending()
    for (const org of new Set(pending.map(person => person.org))) {
      const persons = pending.filter(person => person.org === org)
      for (let at = 0; at < persons.length && !signal?.aborted; at += AT_ONCE) {
        await this.#erase(org, persons.slice(at, at + AT_ONCE))
      }
    }
  }

  /** Destroys keys and removes files of persons who were erased before, which a restored system has again. */
  async again(): Promise<void> {
    const { rows, keys, files, log } = this.#deps
    const erased = await rows.all()
    if (erased.length === 0) return
    for (const person of await withKeys(keys, erased)) {
      await destroyKey(keys, person)
      log.warn({ org: person.org }, 'a key of an erased person was there again, and was destroyed again')
    }
    for (const [org, digests] of await rows.allFiles()) await files.remove(org, digests)
  }

  async #erase(org: string, persons: readonly Person[]): Promise<void> {
    const { rows, keys, files } = this.#deps
    const erased: { subject: string; keys: number; files: number }[] = []
    for (const person of persons) {
      const had = await destroyKey(keys, person)
      const digests = await rows.files(person)
      await files.remove(org, digests)
      erased.push({ subject: person.subject, keys: had ? 1 : 0, files: digests.length })
    }
    const given = { by: 'erasures', name: 'complete', body: { erased }, part: JSON.stringify(erased) }
    await give(this.#deps, erasure, { org, id: erasure.only! }, given)
  }
}
