/** Answers over plain HTTP, before they are written to a connection. */

export type HttpAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer without headers of its own. */
export function httpAnswer(status: number, body = ''): HttpAnswer {
  return { status, headers: {}, body }
}
