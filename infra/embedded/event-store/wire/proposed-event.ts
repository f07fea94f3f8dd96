/** An event as a client proposes it: the form in which it goes from a request to the log. */
export type ProposedEvent = {
  /** Lower-case UUID of 36 characters. */
  readonly id: string
  readonly type: Buffer
  readonly json: boolean
  readonly metadata: Buffer
  readonly data: Buffer
}

/** An id of zeros, which no event may have. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000'

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
