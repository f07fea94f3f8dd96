/**
 * Witnesses: servers elsewhere that cosign the checkpoints of a log, once they have seen that the log goes on from the
 * one before. One that is away delays nothing: it is asked again, with the latest checkpoint then.
 *
 * Source: C2SP tlog-witness (https://c2sp.org/tlog-witness), `add-checkpoint`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { statedHead } from '../../projections/notary/checkpoint.ts'
import { type Cosignature, cosignaturesOf } from '../../projections/notary/cosignature.ts'
import type { Hash } from '../../projections/notary/merkle.ts'
import type { Verifier } from '../../projections/notary/note.ts'
import { reasonOf } from '../log.ts'

const TIMEOUT_MS = 5_000
/** The shortest time between two rounds of questions to one witness. */
const ROUND_MS = 5_000
const [PAUSE_MS_MIN, PAUSE_MS_MAX] = [1_000, 60_000]
/** How long a witness is not asked about a tree that it does not know. */
const UNKNOWN_MS = 600_000
const ANSWER_BYTES_MAX = 100_000
/** Trees of one round that may fail before the witness is left alone for a while. */
const FAILED_MAX = 3

export type WitnessPlace = { readonly key: Verifier; readonly url: string }

export type WitnessDeps = {
  /** The proof that a tree (`''`: of the whole log) of `size` entries begins with that of `old`. */
  readonly proofOf: (tree: string, old: number, size: number) => Promise<readonly Hash[]>
  /** Keeps a cosignature of a checkpoint. */
  readonly onCosigned: (tree: string, note: string, cosignature: Cosignature) => Promise<void>
  /** Hears why checkpoints are not cosigned, each reason once; `isAlarm` where the witness doubts the log itself. */
  readonly onTrouble: (name: string, reason: string, isAlarm: boolean) => void
  readonly signal: AbortSignal
  readonly roundMs?: number
}

/** What a witness says about one tree. */
class Refusal extends Error {
  readonly status: number
  /** Whether it has seen another log than this one. */
  readonly isAlarm: boolean

  constructor(status: number, message: string, isAlarm = false) {
    super(message)
    this.status = status
    this.isAlarm = isAlarm
  }
}

/** A witness that does not answer at all. */
class Unreachable extends Error {}

/** Asks one witness for cosignatures of the latest checkpoints, tree by tree. */
export class Witness {
  readonly name: string
  readonly #place: WitnessPlace
  readonly #deps: WitnessDeps
  readonly #wanted = new Map<string, string>()
  /** Sizes that the witness has cosigned, as far as is known. */
  readonly #sizes = new Map<string, number>()
  /** Sizes that it has cosigned for this notary. */
  readonly #done = new Map<string, number>()
  /** Until when it is not asked about trees that it does not know. */
  readonly #unknown = new Map<string, number>()
  /** Why it does not cosign a tree, until it does. */
  readonly #troubles = new Map<string, Error>()
  #away: Error | undefined
  #working: Promise<void> | undefined

  constructor(place: WitnessPlace, deps: WitnessDeps) {
    this.name = place.key.name
    this.#place = place
    this.#deps = deps
  }

  /** Why it does not cosign a tree, the gravest reason first: it doubts the log, is away, or refuses the whole log. */
  get trouble(): Error | undefined {
    const all = [...this.#troubles]
    const alarm = all.find(([, error]) => isAlarm(error))
    const [tree, error] = alarm ?? all.find(([tree]) => tree === '') ?? all[0] ?? []
    if (this.#away && !alarm) return this.#away
    return error && new Error(saidOf(tree!, error.message), { cause: error })
  }

  /** Takes the checkpoint of a tree, in the place of an earlier one that still waits. */
  give(tree: string, note: string): void {
    if ((this.#unknown.get(tree) ?? 0) > performance.now()) return
    if (this.#done.get(tree) === statedHead(note).size) return
    this.#wanted.set(tree, note)
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  /** Ends once nothing is asked any more; after the signal alone. */
  settled = async (): Promise<void> => this.#working

  async #work(): Promise<void> {
    const { signal, roundMs = ROUND_MS } = this.#deps
    let pauseMs = PAUSE_MS_MIN
    while (this.#wanted.size > 0 && !signal.aborted) {
      const isWell = await this.#round()
      await sleep(isWell ? roundMs : pauseMs, undefined, { signal }).catch(() => {})
      pauseMs = isWell ? PAUSE_MS_MIN : Math.min(pauseMs * 2, PAUSE_MS_MAX)
    }
  }

  /** Asks about every tree, until the witness is away or too many have failed; whether it has answered about one. */
  async #round(): Promise<boolean> {
    let answered = 0
    let failed = 0
    for (const [tree, note] of [...this.#wanted]) {
      if (this.#deps.signal.aborted) break
      try {
        await this.#ask(tree, note)
        answered += 1
        this.#troubles.delete(tree)
        if (this.#wanted.get(tree) === note) this.#wanted.delete(tree)
      } catch (error) {
        if (this.#deps.signal.aborted) break
        this.#refused(tree, error as Error)
        if (error instanceof Unreachable) return false
        if (error instanceof Refusal) answered += 1
        else failed += 1
        if (failed === FAILED_MAX) break
      }
    }
    return answered > 0
  }

  /** A tree that fails waits behind the others; one that the witness does not know is not asked about for a while. */
  #refused(tree: string, error: Error): void {
    const note = this.#wanted.get(tree)
    this.#wanted.delete(tree)
    if (error instanceof Refusal && error.status === 404) {
      this.#unknown.set(tree, performance.now() + UNKNOWN_MS)
      if (tree !== '') return // It may know the whole log alone.
    } else if (note !== undefined) this.#wanted.set(tree, note)
    if (error instanceof Unreachable) {
      if (!this.#away) this.#deps.onTrouble(this.name, reasonOf(error), false)
      this.#away = error
      return
    }
    const before = isAlarm(error) ? [this.#troubles.get(tree)] : [...this.#troubles.values()]
    const isSaid = before.some(trouble => trouble?.message === error.message)
    this.#troubles.set(tree, error)
    if (!isSaid) this.#deps.onTrouble(this.name, saidOf(tree, reasonOf(error)), isAlarm(error))
  }

  async #ask(tree: string, note: string): Promise<void> {
    const { size } = statedHead(note)
    const first = await this.#post(tree, note, this.#sizes.get(tree) ?? 0)
    const answer = typeof first === 'number' ? await this.#post(tree, note, first) : first
    if (typeof answer === 'number') {
      throw new Refusal(409, `it has a checkpoint of ${answer} events: another notary of this log asks it too`)
    }
    const [cosignature] = cosignaturesOf(note + answer, [this.#place.key])
    if (!cosignature) throw new Refusal(200, 'it cosigns with another key than the one that is set')
    this.#sizes.set(tree, size)
    this.#done.set(tree, size)
    await this.#deps.onCosigned(tree, note, cosignature)
  }

  /** The lines of the witness's cosignatures, or the size that it has, where that is another one than `old`. */
  async #post(tree: string, note: string, old: number): Promise<string | number> {
    const { size } = statedHead(note)
    if (old > size) {
      throw new Refusal(409, `it has cosigned ${old} events, and the log has ${size}: events are missing`, true)
    }
    const proof = await this.#deps.proofOf(tree, old, size)
    const lines = [`old ${old}`, ...proof.map(hash => hash.toString('base64'))]
    const { status, text } = await this.#answer(`${lines.join('\n')}\n\n${note}`)
    if (status === 200) return text
    if (status === 409 && /^(0|[1-9]\d{0,15})\n$/.test(text)) {
      this.#sizes.set(tree, Number(text))
      return Number(text)
    }
    const why = REASONS[status]
    if (why === undefined) throw new Error(`it answered ${status}`)
    throw new Refusal(status, why, status === 422)
  }

  async #answer(body: string): Promise<{ readonly status: number; readonly text: string }> {
    try {
      const response = await fetch(`${this.#place.url.replace(/\/$/, '')}/add-checkpoint`, {
        method: 'POST',
        headers: { 'Content-Type': 'text/plain; charset=utf-8' },
        body,
        redirect: 'error',
        signal: AbortSignal.any([this.#deps.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      const text = await beginningOf(response)
      this.#away = undefined
      return { status: response.status, text }
    } catch (error) {
      throw new Unreachable('it cannot be reached', { cause: error })
    }
  }
}

const isAlarm = (error: Error): boolean => error instanceof Refusal && error.isAlarm
const saidOf = (tree: string, reason: string): string => (tree === '' ? reason : `of the part of ${tree}: ${reason}`)

/** No more of an answer than a witness has to say: the rest is not read. */
async function beginningOf({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  // The end of the loop cancels the stream.
  for await (const part of body ?? []) {
    parts.push(part)
    bytes += part.length
    if (bytes >= ANSWER_BYTES_MAX) break
  }
  return Buffer.concat(parts).toString().slice(0, ANSWER_BYTES_MAX)
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'it calls the checkpoint malformed (400)',
  403: 'it knows the log by another key (403)',
  404: 'it does not know the log (404)',
  422: 'it says that the log does not go on from what it has seen (422)',
}
