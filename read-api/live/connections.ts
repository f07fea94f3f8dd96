/** The open connections of a process: how many there may be, and when one of them ends. */
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Outlet } from '../../domain/kernel/route.ts'

export type LiveLimits = {
  /** Most connections of the process. */
  readonly connections: number
  /** Most of them that are of one org. */
  readonly perOrg: number
  /** Time between signs of life on a connection on which nothing happens, in ms. */
  readonly heartbeatMs: number
  /** Longest time that bytes wait for a client that takes none of them, in ms. */
  readonly slowMs: number
}

/** Why a connection is ended from this side. */
export type Ending =
  | 'token_ended'
  | 'access_changed'
  | 'too_slow'
  | 'draining'
  | 'gone'
  | 'too_many_requests'
  | 'engine_unavailable'

/** What clients are told about an ending; `gone` is for clients that answer nothing any more. */
export const ENDINGS: Readonly<Record<Ending, string>> = {
  token_ended: 'The token has ended. Come again with a new one.',
  access_changed: 'What you may do has changed. Come again with the same token, and begin behind the last id.',
  too_slow: 'Events waited too long to be read. Come again, and begin behind the last id.',
  draining: 'This process is about to stop. Come again: another one takes over.',
  gone: 'No sign of life came from this client.',
  too_many_requests: 'There are too many connections. Come again later.',
  engine_unavailable: 'The events cannot be read at the moment. Come again, and begin behind the last id.',
}

/** An open connection. */
export type Connection = {
  /** Absent until the caller is known. */
  readonly org: () => string | undefined
  /** When its token ends, in ms since the epoch. */
  readonly endsAt: () => number | undefined
  /** Whether what its caller may do is what it was. */
  readonly stands: () => boolean
  readonly outlet: Outlet
  /** Sends a sign of life; `false` says that the client has given none itself. */
  readonly heartbeat: () => boolean
  readonly end: (why: Ending) => void
}

/** How often connections are looked at: whose token ended, who is too slow, who is due a heartbeat. */
const LOOK_MS = 1_000

/** Holds the connections of one process. One timer serves all of them, and none where there are none. */
export class Connections {
  readonly #limits: LiveLimits
  readonly #onEnd: (why: Ending) => void
  readonly #open = new Map<Connection, number>()
  readonly #ofOrg = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #isDraining = false

  constructor(limits: LiveLimits, onEnd: (why: Ending) => void = () => {}) {
    this.#limits = limits
    this.#onEnd = onEnd
  }

  get count(): number {
    return this.#open.size
  }

  /** Throws `too_many_requests` where the process has no room, or the org has not. */
  mustHaveRoom(org?: string): void {
    const { connections, perOrg } = this.#limits
    const ofOrg = org === undefined ? 0 : (this.#ofOrg.get(org) ?? 0)
    if (this.#isDraining) throw new KogiError('draining', ENDINGS.draining)
    if (this.#open.size < connections && ofOrg < perOrg) return
    throw new KogiError('too_many_requests', ENDINGS.too_many_requests)
  }

  /** Counts a connection until its outlet closes; its org, where that is known, is counted with it. */
  add(connection: Connection): void {
    const org = connection.org()
    this.mustHaveRoom(org)
    this.#open.set(connection, performance.now())
    this.#timer ??= setInterval(() => this.#look(), Math.min(LOOK_MS, this.#limits.heartbeatMs))
    connection.outlet.onClose(() => this.#remove(connection))
    if (org !== undefined) this.join(org)
  }

  /** Counts an open connection as one of an org, once its caller is known. Throws `too_many_requests`. */
  join(org: string): void {
    const ofOrg = this.#ofOrg.get(org) ?? 0
    if (ofOrg >= this.#limits.perOrg) throw new KogiError('too_many_requests', ENDINGS.too_many_requests)
    this.#ofOrg.set(org, ofOrg + 1)
  }

  /** Ends every connection, and takes no more. */
  close(): void {
    this.#isDraining = true
    for (const connection of [...this.#open.keys()]) this.#end(connection, 'draining')
  }

  #remove(connection: Connection): void {
    if (!this.#open.delete(connection)) return
    const org = connection.org()
    const left = org === undefined ? 0 : this.#ofOrg.get(org)! - 1
    if (org !== undefined && left > 0) this.#ofOrg.set(org, left)
    else if (org !== undefined) this.#ofOrg.delete(org)
    if (this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const { heartbeatMs, slowMs } = this.#limits
    const [now, time] = [performance.now(), Date.now()]
    const slow: Connection[] = []
    for (const [connection, beatAt] of this.#open) {
      if ((connection.endsAt() ?? time) < time) this.#end(connection, 'token_ended')
      else if (!connection.stands()) this.#end(connection, 'access_changed')
      else if (connection.outlet.stalledMs() > slowMs) slow.push(connection)
      else if (now - beatAt >= heartbeatMs) {
        this.#open.set(connection, now)
        if (!connection.heartbeat()) this.#end(connection, 'gone')
      }
    }
    if (slow.length > 0) setImmediate(() => this.#endSlow(slow))
  }

  /** Ends those that took nothing. What sockets took while this process was held up itself is known by now. */
  #endSlow(slow: readonly Connection[]): void {
    for (const connection of slow) {
      const isSlow = connection.outlet.stalledMs() > this.#limits.slowMs
      if (isSlow && this.#open.has(connection)) this.#end(connection, 'too_slow')
    }
  }

  #end(connection: Connection, why: Ending): void {
    this.#onEnd(why)
    connection.end(why)
  }
}
