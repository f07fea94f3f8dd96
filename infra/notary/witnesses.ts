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

export type WitnessPlace = { readonly key: Verifier; readonly url: string }

export type WitnessDeps = {
  /** The proof that a tree (`''`: of the whole log) of `size` entries begins with that of `old`. */
  readonly proofOf: (tree: string, old: number, size: number) => Promise<readonly Hash[]>
  /** Keeps a cosignature of a checkpoint. */
  readonly onCosigned: (tree: string, note: string, cosignature: Cosignature) => Promise<void>
  /** Hears why the checkpoint of the whole log is not cosigned; `isAlarm` where the witness doubts the log itself. */
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
  #trouble: Error | undefined
  #working: Promise<void> | undefined

  constructor(place: WitnessPlace, deps: WitnessDeps) {
    this.name = place.key.name
    this.#place = place
    this.#deps = deps
  }

  /** Why it did not cosign the last checkpoint of the log that it was asked about. */
  get trouble(): Error | undefined {
    return this.#trouble
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
      let isAway = false
      for (const [tree, note] of [...this.#wanted]) {
        if (signal.aborted) return
        try {
          await this.#ask(tree, note)
          this.#trouble = undefined
          if (this.#wanted.get(tree) === note) this.#wanted.delete(tree)
        } catch (error) {
          if (signal.aborted) return
          if (error instanceof Refusal && error.status === 404) this.#forget(tree)
          isAway = !(error instanceof Refusal)
          if (tree === '' || isAway || (error as Refusal).isAlarm) this.#say(error as Error)
          if (isAway) break
        }
      }
      await sleep(isAway ? pauseMs : roundMs, undefined, { signal }).catch(() => {})
      pauseMs = isAway ? Math.min(pauseMs * 2, PAUSE_MS_MAX) : PAUSE_MS_MIN
    }
  }

  #say(trouble: Error): void {
    if (this.#trouble?.message === trouble.message) return
    this.#trouble = trouble
    this.#deps.onTrouble(this.name, reasonOf(trouble), trouble instanceof Refusal && trouble.isAlarm)
  }

  #forget(tree: string): void {
    this.#wanted.delete(tree)
    this.#unknown.set(tree, performance.now() + UNKNOWN_MS)
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
    const response = await fetch(`${this.#place.url.replace(/\/$/, '')}/add-checkpoint`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: `${lines.join('\n')}\n\n${note}`,
      redirect: 'error',
      signal: AbortSignal.any([this.#deps.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    const text = (await response.text()).slice(0, ANSWER_BYTES_MAX)
    if (response.status === 200) return text
    if (response.status === 409 && /^(0|[1-9]\d{0,15})\n$/.test(text)) {
      this.#sizes.set(tree, Number(text))
      return Number(text)
    }
    const why = REASONS[response.status]
    if (why === undefined) throw new Error(`it answered ${response.status}`)
    throw new Refusal(response.status, why, response.status === 422)
  }
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'it calls the checkpoint malformed (400)',
  403: 'it knows the log by another key (403)',
  404: 'it does not know the log (404)',
  422: 'it says that the log does not go on from what it has seen (422)',
}
