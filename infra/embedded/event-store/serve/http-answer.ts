/** Answers over plain HTTP, before they are written to a connection. */

export type HttpAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Words of the status line in place of the usual ones: the stock client shows nothing else of a refusal. */
  readonly reason?: string
}

/** An answer without headers of its own. */
export function httpAnswer(status: number, body = ''): HttpAnswer {
  return { status, headers: {}, body }
}
