/** The event bus: a list of messages that consumers follow, each at its own pace. */

export type BusMessage = {
  readonly subject: string
  /** A message whose id was published a short while ago is not stored again. */
  readonly id: string
  readonly body: Uint8Array
}

export type Delivered = BusMessage & { readonly sequence: number }

export type Consumer = {
  /** Names how far it has come, over its own end and that of the bus's process. */
  readonly name: string
  /** Subject whose tokens may be `*`, the last one `>`. */
  readonly filter: string
}

/** The bus does not end where the publisher thinks: someone else has published, or a message was lost. */
export class BusMovedError extends Error {
  override readonly name = 'BusMovedError'
}

/** Every method throws where the bus does not answer. */
export type Bus = {
  /** Sequence of the last message, 0 where there was none. */
  readonly end: () => Promise<number>
  /** Largest body that it takes, in bytes. */
  readonly bodyBytesMax: () => number
  /**
   * Stores a message behind the one at `after`, so that messages published at once are stored in their order or not at
   * all. Throws `BusMovedError` where the last message is another one.
   */
  readonly publish: (
    message: BusMessage,
    after: number,
  ) => Promise<{ readonly sequence: number; readonly isDuplicate: boolean }>
  /**
   * Hands the messages of a subject to `handle`, one after another from the first one on, until the signal aborts. A
   * message counts as done when `handle` resolves; it comes again, before all later ones, when that throws.
   */
  readonly consume: (
    consumer: Consumer,
    handle: (message: Delivered) => Promise<void>,
    signal: AbortSignal,
  ) => Promise<void>
  readonly close: () => Promise<void>
}
