/**
 * The notary: hashes every domain event of the log, in its order, into a Merkle tree, and one of each org, and signs
 * their heads. It begins anew with the first event whenever it starts, so that it trusts nothing but the log, its keys
 * and the checkpoints that were signed: a log that does not lead to every one of those was changed, and is never signed
 * again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type EventStore, LostRaceError } from '../../commands/ports.ts'
import { openCheckpoint, originOf, signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { type NoteFault, type Signer, verifierOf } from '../../projections/notary/note.ts'
import type { EventLog, ReaderStatus } from '../../projections/ports.ts'
import { type Log, reasonOf } from '../log.ts'
import { Anchor, anchorName, type Held, heldBy } from './anchors.ts'
import { Hashing, LogAltered, type Signed, type TileSink } from './hashing.ts'
import { lastSeal, type Seal, writeSeal } from './seals.ts'
import { Witness, type WitnessDeps, type WitnessPlace } from './witnesses.ts'

export type NotaryOptions = {
  readonly events: Pick<EventLog, 'follow'>
  readonly store: EventStore
  /** Names the log in its checkpoints. */
  readonly origin: string
  /** All of them sign: beside a new key, the one that it replaces, until a checkpoint has both signatures. */
  readonly signers: () => Promise<readonly Signer[]>
  /** Files and addresses that get every checkpoint. */
  readonly anchors: readonly string[]
  /** Those that are asked to cosign every checkpoint, and how. */
  readonly witnesses?: {
    readonly places: readonly WitnessPlace[]
    readonly deps: Omit<WitnessDeps, 'signal' | 'onTrouble'>
  }
  /**
   * Whether the key may be one that was made for a new data folder: checkpoints of the event store that another key has
   * signed are of another system then, whose backup was restored here, as long as no anchor knows of this one.
   */
  readonly mayBeNew?: boolean
  readonly log: Log
  readonly now: () => string
  /** Where the tiles of the trees and their heads are kept; nowhere by default. */
  readonly tiles?: TileSink & { readonly heads: (seal: Seal) => Promise<void> }
  readonly sealMs?: number
  readonly onSealed?: (seal: Seal) => void
}

/** Where checkpoints are found that no anchor holds. */
const EVENT_STORE = 'the event store'
/** How often a log that has grown is sealed. */
const SEAL_MS = 1_000
const EVENTS_MAX = 500
/** Orgs in one seal: an append holds at most 1 MiB. */
const ORGS_MAX = 1_000
/** Orgs that a seal has although they have not grown, so that the last checkpoint of each is among the last seals. */
const ORGS_AGAIN = 5
const RETRY_MS = 1_000

type Work = {
  readonly hashing: Hashing
  readonly seal: Seal | undefined
  readonly revision: bigint
  readonly signers: readonly Signer[]
}

export class Notary {
  readonly #options: NotaryOptions
  #trouble: Error | undefined
  #altered: LogAltered | undefined
  #hashing: Hashing | undefined
  #sealed: Seal | undefined
  #anchors: readonly Anchor[] = []
  #witnesses: readonly Witness[] = []

  constructor(options: NotaryOptions) {
    this.#options = options
  }

  /** The last checkpoint that was signed, `undefined` before there is one and while another notary works. */
  get sealed(): Seal | undefined {
    return this.#sealed
  }

  /** Position of the last event that was hashed; none while another notary works. */
  get positions(): readonly bigint[] {
    return this.#hashing ? [this.#hashing.position] : []
  }

  /** Why nothing is sealed, while nothing is: the log was changed, or an engine or an anchor is away. */
  get trouble(): Error | undefined {
    const anchor = this.#anchors.find(({ trouble }) => trouble)
    const away =
      anchor && new Error(`the anchor ${anchorName(anchor.name)} takes no checkpoints: ${anchor.trouble!.message}`)
    return this.#altered ?? this.#trouble ?? away
  }

  /** The witnesses, each with the reason why it does not cosign, where there is one: the log is sealed without them. */
  get witnesses(): readonly { readonly name: string; readonly trouble: string | null }[] {
    return this.#witnesses.map(({ name, trouble }) => ({ name, trouble: trouble?.message ?? null }))
  }

  /** Seals until the signal aborts. Throws where another notary took over. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, anchors } = this.#options
    const stop = new AbortController()
    const ends = AbortSignal.any([signal, stop.signal])
    this.#anchors = anchors.map(name => new Anchor(name, ends))
    this.#witnesses = this.#witnessesUntil(ends)
    try {
      while (!ends.aborted) {
        try {
          await this.#work(ends)
        } catch (error) {
          if (error instanceof LostRaceError) throw error
          if (error instanceof LogAltered) {
            this.#altered = error
            log.error({ reason: error.message }, 'THE LOG WAS CHANGED: nothing is sealed any more')
            await new Promise<void>(resolve => ends.addEventListener('abort', () => resolve(), { once: true }))
          } else {
            if (!this.#trouble) log.warn({ reason: reasonOf(error) }, 'the log is not sealed, trying again')
            this.#trouble = error as Error
            await sleep(RETRY_MS, undefined, { signal: ends }).catch(() => {})
          }
        }
      }
    } finally {
      stop.abort()
      await Promise.allSettled([...this.#anchors, ...this.#witnesses].map(other => other.settled()))
      this.#hashing = undefined
      this.#sealed = undefined
      this.#altered = undefined
      this.#anchors = []
      this.#witnesses = []
    }
  }

  #witnessesUntil(signal: AbortSignal): readonly Witness[] {
    const { witnesses, log } = this.#options
    if (!witnesses) return []
    const onTrouble = (witness: string, reason: string, isAlarm: boolean) => {
      if (isAlarm) log.error({ witness, reason }, 'A WITNESS HAS SEEN ANOTHER LOG')
      else log.warn({ witness, reason }, 'a witness does not cosign the log, trying again')
    }
    return witnesses.places.map(place => new Witness(place, { ...witnesses.deps, onTrouble, signal }))
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { store, events, anchors } = this.#options
    const { seal, revision } = await lastSeal(store)
    const signers = await this.#options.signers()
    const signed = this.#signed(seal, await heldBy(anchors), signers)
    const hashing = new Hashing(signed, seal?.more === true, this.#options.tiles)
    this.#hashing = hashing
    const broken = new AbortController()
    const both = AbortSignal.any([signal, broken.signal])
    const own = signed.some(({ from }) => from === EVENT_STORE) ? seal : undefined
    const sealing = this.#keepSealing({ hashing, seal: own, revision, signers }, both).catch(error => {
      broken.abort()
      return error as Error
    })
    const onStatus = (status: ReaderStatus) => {
      if (status.state === 'retrying') this.#trouble = status.error
      if (status.state === 'live') hashing.isAtEnd = true
    }
    try {
      for await (const list of events.follow({
        after: 0n,
        max: () => EVENTS_MAX,
        signal: both,
        onStatus,
        unparsed: true,
      })) {
        await hashing.add(list)
      }
    } finally {
      broken.abort()
    }
    const fault = await sealing
    if (fault) throw fault
  }

  /**
   * The checkpoints that were signed last. One that no key of this log has signed is refused; those of another name are
   * of a log that ended, and this one begins.
   */
  #signed(seal: Seal | undefined, held: readonly Held[], signers: readonly Signer[]): readonly Signed[] {
    const { origin, log } = this.#options
    const verifiers = signers.map(verifierOf)
    const { mayBeNew = false } = this.#options
    const notes = [...(seal ? [{ anchor: EVENT_STORE, note: seal.note }] : []), ...held]
    return notes.flatMap(({ anchor, note }) => {
      if (!note.startsWith(`${origin}\n`)) {
        log.warn({ anchor, ended: note.split('\n')[0], origin }, 'the log goes on under another name')
        return []
      }
      try {
        return [{ head: openCheckpoint(note, verifiers), from: anchor }]
      } catch (error) {
        if (mayBeNew && held.length === 0 && (error as NoteFault).kind === 'unverified') {
          log.warn({ reason: reasonOf(error) }, 'the log was sealed elsewhere, and is sealed anew here')
          return []
        }
        throw new LogAltered(`The last checkpoint of ${anchor} is not signed by a key of this log: ${reasonOf(error)}`)
      }
    })
  }

  async #keepSealing({ hashing, seal, revision, signers }: Work, signal: AbortSignal): Promise<undefined> {
    const { sealMs = SEAL_MS, store, onSealed, tiles } = this.#options
    let at = revision
    let size = seal?.size ?? 0
    while (!signal.aborted) {
      const missing = hashing.missing
      if (missing) this.#miss(missing, hashing)
      if (hashing.isProved) {
        this.#trouble = undefined
        if (seal && this.#sealed === undefined) this.#sealed = seal
        // Before the checkpoint; and again in each round, where the database was away.
        await tiles?.flush()
        if (hashing.size > size || hashing.grown.length > 0) {
          const next = this.#seal(hashing, signers)
          // Before the write: an org that grows meanwhile is to be sealed again.
          for (const { org } of next.orgs) hashing.forget(org)
          at = await writeSeal(store, next, at)
          size = next.size
          this.#sealed = next
          await tiles?.heads(next)
          for (const anchor of this.#anchors) anchor.give(next.note)
          for (const witness of this.#witnesses) {
            witness.give('', next.note)
            for (const { org, note } of next.orgs) witness.give(org, note)
          }
          onSealed?.(next)
        }
      }
      await sleep(sealMs, undefined, { signal }).catch(() => {})
    }
    return undefined
  }

  /** A node that lags behind may have fewer events for a while: it is said, and nothing is sealed until they come. */
  #miss({ head, from }: Signed, { size }: Hashing): void {
    const missing = new LogAltered(`The log has ${size} events, and ${from} a checkpoint of ${head.size}.`)
    if (this.#trouble?.message === missing.message) return
    this.#trouble = missing
    this.#options.log.error({ reason: missing.message }, 'EVENTS ARE MISSING: nothing is sealed until they are there')
  }

  #seal(hashing: Hashing, signers: readonly Signer[]): Seal {
    const { origin, now } = this.#options
    const { size, root, position, grown } = hashing
    const orgs = [...grown.slice(0, ORGS_MAX), ...hashing.others(ORGS_AGAIN)].map(org => {
      const tree = hashing.treeOf(org)
      const head = { origin: originOf(origin, org), size: tree.size, root: tree.root }
      return { org, size: tree.size, root: tree.root.toString('base64'), note: signCheckpoint(head, signers) }
    })
    const note = signCheckpoint({ origin, size, root }, signers)
    const more = grown.length > ORGS_MAX
    return { size, root: root.toString('base64'), note, position, orgs, ...(more && { more }), at: now() }
  }
}
