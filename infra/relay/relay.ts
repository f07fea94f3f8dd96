/**
 * The relay: every domain event of the log to the event bus, in the order of the log. What is published names the
 * message that it comes behind, so that the bus stores all of it in order or refuses it; then the relay begins again
 * behind the last event that was stored. The checkpoint follows what was stored.
 */

import { type EventStore, LostRaceError } from '../../commands/ports.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../commands/processes/checkpoint.ts'
import { paused } from '../../commands/processes/pause.ts'
import { categoryOf } from '../../domain/kernel/codec.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { EventLog, ReaderStatus } from '../../projections/ports.ts'
import { type Log, reasonOf } from '../log.ts'
import { type Bus, type BusMessage, BusMovedError } from './bus.ts'
import { cloudEventOf } from './cloud-event.ts'
import { subjectOf } from './subject.ts'

export type RelayOptions = {
  readonly bus: Bus
  readonly events: Pick<EventLog, 'follow'>
  readonly store: EventStore
  /** The word of the service that a category belongs to. */
  readonly serviceOf: ReadonlyMap<string, string>
  /** Names this process in the checkpoint. */
  readonly worker: string
  readonly log: Log
  readonly now: () => string
  readonly onRelayed?: (outcome: 'published' | 'duplicate' | 'passed', event: StoredEvent) => void
}

/** Name of the checkpoint's stream, and of the lease. */
export const RELAY = 'relay'

/** Messages on their way at once. */
const WINDOW = 1_024
const EVENTS_MAX = 500
/** How often the checkpoint is written where it has moved. */
const SAVE_MS = 1_000
const [PAUSE_MS_MIN, PAUSE_MS_MAX] = [100, 5_000]

type Sent = { readonly event: StoredEvent; readonly sequence: number; readonly stored: ReturnType<Bus['publish']> }

export class Relay {
  readonly #options: RelayOptions
  #trouble: Error | undefined
  #position: bigint | undefined
  #saved: Checkpoint | undefined
  #revision = -1n

  constructor(options: RelayOptions) {
    this.#options = options
  }

  /** Position of the last event that the bus has stored; `undefined` while another process relays. */
  get position(): bigint | undefined {
    return this.#position
  }

  /** The error of an engine that keeps it from working, while there is one. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  /** Relays until the signal aborts. Throws where another process took over. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, log } = this.#options
    const { checkpoint, revision } = await readCheckpoint(store, RELAY)
    this.#position = checkpoint.position
    this.#saved = checkpoint
    this.#revision = revision
    const stop = new AbortController()
    const ends = AbortSignal.any([signal, stop.signal])
    const saving = this.#keepSaving(ends).catch(error => {
      stop.abort()
      throw error
    })
    saving.catch(() => {})
    try {
      for (let pauseMs = PAUSE_MS_MIN; !ends.aborted; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
        const before: bigint | undefined = this.#position
        await this.#relay(ends).catch(error => {
          if (!this.#trouble) log.warn({ reason: reasonOf(error) }, 'the event bus takes no events, trying again')
          this.#trouble = error as Error
        })
        if (this.#position !== before) pauseMs = PAUSE_MS_MIN
        await paused(pauseMs, ends)
      }
    } finally {
      stop.abort()
      await saving
      await this.#save()
      this.#position = undefined
    }
  }

  /** Publishes what is behind the last stored event, until the signal aborts or something goes wrong. */
  async #relay(signal: AbortSignal): Promise<void> {
    const { bus, events } = this.#options
    let end = await bus.end()
    // The first events may be stored already. Once one was not, all behind it are new, and many go at once.
    let isNew = false
    const broken = new AbortController()
    const window = new Window(
      sent => this.#stored(sent),
      () => broken.abort(),
    )
    const both = AbortSignal.any([signal, broken.signal])
    const onStatus = (status: ReaderStatus) => {
      this.#trouble = status.state === 'retrying' ? status.error : undefined
    }
    for await (const list of events.follow({ after: this.#position!, max: () => EVENTS_MAX, signal: both, onStatus })) {
      for (const event of list) {
        const message = messageOf(event, this.#options)
        if (both.aborted) break
        if (!message) {
          await window.empty()
          if (!window.fault) this.#pass(event)
        } else if (isNew) {
          if (window.isFull) await window.room()
          if (!both.aborted) window.add({ event, sequence: end + 1, stored: bus.publish(message, end) })
          end += 1
        } else {
          const { sequence, isDuplicate } = await bus.publish(message, end)
          this.#note(isDuplicate ? 'duplicate' : 'published', event)
          if (!isDuplicate) end = sequence
          isNew = !isDuplicate
        }
      }
    }
    await window.empty()
    if (window.fault) throw window.fault
  }

  async #stored({ event, sequence, stored }: Sent): Promise<void> {
    const found = await stored
    if (found.sequence !== sequence) throw new BusMovedError(`stored as ${found.sequence}, not as ${sequence}`)
    this.#note('published', event)
  }

  #note(outcome: 'published' | 'duplicate' | 'passed', event: StoredEvent): void {
    this.#trouble = undefined
    this.#position = event.position
    this.#options.onRelayed?.(outcome, event)
  }

  /** An event that is none of ours has no org, and so no subject. */
  #pass(event: StoredEvent): void {
    const { stream, revision, type } = event
    this.#options.log.error({ stream, revision: String(revision), type }, 'an unreadable event is not relayed')
    this.#note('passed', event)
  }

  async #keepSaving(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#save()
      await paused(SAVE_MS, signal)
    }
  }

  /** Writes the checkpoint where it has moved, and the first time: a relay that was overtaken fails by it. */
  async #save(): Promise<void> {
    const { store, worker, now } = this.#options
    const position = this.#position!
    if (this.#saved?.worker === worker && this.#saved.position === position) return
    const value: Checkpoint = { position, left: [], decided: -1, worker, at: now() }
    try {
      this.#revision = await writeCheckpoint(store, RELAY, value, this.#revision)
      this.#saved = value
    } catch (error) {
      if (error instanceof LostRaceError) throw error
      this.#trouble = error as Error
    }
  }
}

/** What was published and is not known to be stored, in order. */
class Window {
  fault: Error | undefined
  readonly #sent: Sent[] = []
  readonly #settle: (sent: Sent) => Promise<void>
  readonly #onFault: () => void
  #settling: Promise<void> | undefined
  #waiting: (() => void) | undefined

  constructor(settle: (sent: Sent) => Promise<void>, onFault: () => void) {
    this.#settle = settle
    this.#onFault = onFault
  }

  add(sent: Sent): void {
    sent.stored.catch(() => {})
    this.#sent.push(sent)
    this.#settling ??= this.#settleAll()
  }

  get isFull(): boolean {
    return this.#sent.length >= WINDOW && !this.fault
  }

  /** Resolves when more may be sent, or something went wrong. */
  async room(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#waiting = resolve
    })
  }

  /** Resolves when all are stored, or one is not. */
  async empty(): Promise<void> {
    await this.#settling
  }

  async #settleAll(): Promise<void> {
    try {
      for (let next = this.#sent[0]; next; next = this.#sent[0]) {
        await this.#settle(next)
        this.#sent.shift()
        // Half of the window is free before more is sent: then it goes out in one write.
        if (this.#sent.length < WINDOW / 2) this.#wake()
      }
    } catch (error) {
      this.fault = error as Error
      this.#onFault()
    }
    this.#settling = this.fault && this.#settling
    this.#wake()
  }

  #wake(): void {
    this.#waiting?.()
    this.#waiting = undefined
  }
}

/** The message of an event; none for one that nobody can read. */
export function messageOf(
  event: StoredEvent,
  { serviceOf, bus }: Pick<RelayOptions, 'serviceOf' | 'bus'>,
): BusMessage | undefined {
  const category = categoryOf(event.stream)
  const service = serviceOf.get(category)
  const { org } = event.metadata
  if (service === undefined || typeof org !== 'string' || org === '') return undefined
  const cloudEvent = cloudEventOf(event, service)
  const whole = Buffer.from(JSON.stringify(cloudEvent))
  const { data: _, ...head } = cloudEvent
  const dataref = `/api/v1/kmg/audit-log?category=${category}&id=${encodeURIComponent(event.metadata.id)}`
  const body = whole.length <= bus.bodyBytesMax() ? whole : Buffer.from(JSON.stringify({ ...head, dataref }))
  return { subject: subjectOf(org, service, category, event.type), id: event.eventId, body }
}
