/**
 * Carries out erasures: destroys the key of a person, removes their files, and notes in the log that it is done. Every
 * step can be done again. Erased persons stay erased: where a database of keys was restored from an older backup, their
 * keys are destroyed again when a worker begins, and every few minutes.
 */
import type { WriteDeps } from '../../commands/execute.ts'
import { paused } from '../../commands/processes/pause.ts'
import type { RowChanges } from '../../commands/processes/timers.ts'
import { erasure } from '../../domain/audit/erasure/erasure.ts'
import { thingOfKey } from '../../domain/record/subject.ts'
import { Faults } from '../faults.ts'
import type { FileStore } from '../files/store.ts'
import type { Log } from '../log.ts'
import { keepLooking } from '../looking.ts'
import type { Pool } from '../postgres.ts'
import { give } from '../things.ts'
import { destroyKeys, type Person, withKeys } from './keys.ts'
import { retire } from './retention.ts'
import type { ErasureRows, FilesOf } from './rows.ts'

/** The shortest time between two looks, and the longest one while changes are heard. */
const LOOK_MS = 1_000
const REST_MS = 60_000
/** Time after which all that was ever erased is compared with the keys, and retention rules are looked at. */
const AGAIN_MS = 600_000
/** Time until the next look where something failed, or waits. */
const RETRY_MS = 5_000
/** Time that the read model of files gets in one look to come to the end of the log, and between two asks. */
const SETTLE_MS = 5_000
const ASK_MS = 100
/** Bytes that were stored since are left alone: another person may be uploading the same ones, and no event says so. */
const YOUNG_MS = 300_000
/** Erasures that are noted together: others append to the same stream meanwhile. */
const AT_ONCE = 100

export type EraserDeps = WriteDeps & {
  readonly rows: ErasureRows
  readonly keys: Pick<Pool, 'query'>
  readonly files: Pick<FileStore, 'remove'>
  /** The position of the last event in the log. */
  readonly head: (signal?: AbortSignal) => Promise<bigint>
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
    let next = 0
    const look = async () => {
      let isDone = false
      const faults = new Faults()
      await faults.of(async () => {
        isDone = await this.look(signal)
      })
      if (performance.now() >= next) {
        await faults.of(async () => {
          const parts = new Faults()
          await parts.of(() => this.again(signal))
          await parts.of(() => retire(this.#deps, signal))
          parts.throwFirst()
          next = performance.now() + AGAIN_MS
        })
      }
      faults.throwFirst()
      return isDone ? { pauseMs: LOOK_MS, changeMs: REST_MS } : { pauseMs: RETRY_MS }
    }
    await keepLooking(signal, {
      look,
      changes: this.#deps.changes,
      retryMs: RETRY_MS,
      onTrouble: trouble => {
        this.#trouble = trouble
      },
    })
  }

  /**
   * Carries out the erasures that are not completed: all that can be, though others fail, and then throws the first
   * failure. Says whether all are completed: those with files that were stored just now wait until these are older.
   */
  async look(signal?: AbortSignal): Promise<boolean> {
    const { rows, keys } = this.#deps
    const pending = await rows.pending()
    if (pending.length === 0) return true
    const faults = new Faults()
    const destroyed = new Map<Person, number>()
    for (const person of pending) {
      if (signal?.aborted) return false
      await faults.of(async () => void destroyed.set(person, await destroyKeys(keys, person)))
    }
    let waiting = 0
    await faults.of(async () => {
      const look = await this.#begin(signal)
      for (const [org, persons] of byOrg([...destroyed.keys()])) {
        for (let at = 0; at < persons.length && !signal?.aborted; at += AT_ONCE) {
          await faults.of(async () => {
            waiting += await this.#complete(look, org, persons.slice(at, at + AT_ONCE), destroyed)
          })
        }
      }
    })
    faults.throwFirst()
    return waiting === 0 && !signal?.aborted
  }

  /** Destroys keys and removes files of persons who were erased before, which a restored system has again. */
  async again(signal?: AbortSignal): Promise<void> {
    const { rows, keys, files, log } = this.#deps
    const erased = await rows.all()
    if (erased.length === 0) return
    const faults = new Faults()
    for (const person of await withKeys(keys, erased)) {
      await faults.of(async () => {
        await destroyKeys(keys, person)
        log.warn({ org: person.org }, 'a key of an erased person was there again, and was destroyed again')
      })
    }
    await faults.of(async () => {
      const look = await this.#begin(signal)
      for (const [org, persons] of byOrg(erased)) {
        if (signal?.aborted) return
        await faults.of(async () => {
          const found = await this.#filesOf(look, org, persons)
          await files.remove(org, [...new Set([...found.values()].flat())], look.storedBefore)
        })
      }
    })
    faults.throwFirst()
  }

  async #begin(signal: AbortSignal | undefined): Promise<Look> {
    const storedBefore = Date.now() - YOUNG_MS
    const head = await this.#deps.head(signal)
    return { storedBefore, head, end: performance.now() + SETTLE_MS, signal: signal ?? new AbortController().signal }
  }

  async #filesOf({ head, end, signal }: Look, org: string, persons: readonly Person[]): Promise<FilesOf> {
    // Things have no files.
    const subjects = persons.map(({ subject }) => subject).filter(subject => !thingOfKey(subject))
    if (subjects.length === 0) return new Map()
    for (;;) {
      const found = await this.#deps.rows.files(org, subjects, head)
      if (found) return found
      if (signal.aborted || performance.now() >= end) {
        throw new Error('the read model of files has not come to the end of the log: nothing is removed')
      }
      await paused(ASK_MS, signal)
    }
  }

  /** Removes the files of persons whose keys are destroyed, and notes those who have none left; counts the others. */
  async #complete(
    look: Look,
    org: string,
    persons: readonly Person[],
    destroyed: ReadonlyMap<Person, number>,
  ): Promise<number> {
    const found = await this.#filesOf(look, org, persons)
    const faults = new Faults()
    const erased: { subject: string; keys: number; files: number }[] = []
    for (const person of persons) {
      await faults.of(async () => {
        const digests = found.get(person.subject) ?? []
        const young = await this.#deps.files.remove(org, digests, look.storedBefore)
        const keys = destroyed.get(person) ?? 0
        if (young.length === 0) erased.push({ subject: person.subject, keys, files: digests.length })
      })
    }
    if (erased.length > 0) {
      const given = { by: 'erasures', name: 'complete', body: { erased }, part: JSON.stringify(erased) }
      await faults.of(() => give(this.#deps, erasure, { org, id: erasure.only! }, given))
    }
    faults.throwFirst()
    return persons.length - erased.length
  }
}

/** What holds for one look: bytes and events that came after its start are not its own. */
type Look = {
  readonly storedBefore: number
  readonly head: bigint
  /** When it stops waiting for the read model, on the clock of `performance.now`. */
  readonly end: number
  readonly signal: AbortSignal
}

function byOrg(persons: readonly Person[]): ReadonlyMap<string, readonly Person[]> {
  const found = new Map<string, Person[]>()
  for (const person of persons) {
    const there = found.get(person.org)
    if (there) there.push(person)
    else found.set(person.org, [person])
  }
  return found
}
