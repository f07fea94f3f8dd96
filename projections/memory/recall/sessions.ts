/** Memories of one session, in the order of the log: what stands beside a hit is likely to be about the same. */

type Placed = { readonly number: number; readonly position: bigint; readonly key: string }

const compare = (a: Placed, b: Placed): number =>
  a.position < b.position ? -1 : a.position > b.position ? 1 : a.key < b.key ? -1 : 1

export class Sessions {
  readonly #sessions = new Map<string, Placed[]>()
  #size = 0

  /** How many memories are in sessions. */
  get size(): number {
    return this.#size
  }

  add(session: string, placed: Placed): void {
    const all = this.#sessions.get(session) ?? []
    this.#sessions.set(session, all)
    // Nearly always the last: sessions grow with the log.
    let at = all.length
    while (at > 0 && compare(placed, all[at - 1]!) < 0) at -= 1
    all.splice(at, 0, placed)
    this.#size += 1
  }

  remove(session: string, number: number): void {
    const all = this.#sessions.get(session)!
    all.splice(
      all.findIndex(placed => placed.number === number),
      1,
    )
    if (all.length === 0) this.#sessions.delete(session)
    this.#size -= 1
  }

  /** The memories right before and behind one of a session. */
  beside(session: string, number: number): number[] {
    const all = this.#sessions.get(session)!
    const at = all.findIndex(placed => placed.number === number)
    return [all[at - 1], all[at + 1]].flatMap(placed => placed?.number ?? [])
  }
}
