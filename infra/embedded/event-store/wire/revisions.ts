/** Revisions that mean something of their own, and what a client may expect of a stream before it writes to it. */

/** Revision of a tombstone: the largest signed 64-bit integer, which a number can only hold rounded. */
export const TOMBSTONE_REVISION = 2 ** 63

/** The stream has no event yet. */
export const NO_STREAM = -1
/** The stream may be in any state. */
export const ANY = -2
/** The stream has events or metadata. */
export const STREAM_EXISTS = -4

/** The last revision that a client expects, or one of the codes above. */
export type Expectation = {
  readonly code: number
  /** The revision with all its 64 bits, for the answer that the expectation was wrong. */
  readonly sent: bigint
}
