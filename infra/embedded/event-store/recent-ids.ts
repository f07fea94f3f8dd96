/** Where an event id was written last time. */
export interface Remembered {
  readonly stream: number
  readonly revision: number
}

/**
 * The ids of the last events, for re-appends that expect no revision. As on a real server it is a memory only: bounded,
 * lost at a restart, and keyed by the id alone, so that the first stream an id was written to keeps it.
 */
export class RecentIds {
  private readonly entries = new Map<string, Remembered>()
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  get(id: string): Remembered | undefined {
    return this.entries.get(id)
  }

  add(id: string, stream: number, revision: number): void {
    if (this.entries.has(id)) return
    this.entries.set(id, { stream, revision })
    if (this.entries.size > this.limit) {
      const [oldest] = this.entries.keys()
      this.entries.delete(oldest!)
    }
  }

  clear(): void {
    this.entries.clear()
  }
}
