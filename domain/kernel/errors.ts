/** What a refusal or a fault tells its reader: where the fault lies and what was wrong there. */
export type ErrorDetail = { readonly field: string; readonly message: string }

/**
 * An expected error of the interface. `code` is stable and append-only (snake_case); `message` says what happened and
 * what to do; `details` name fields. Which HTTP status a code has is the catalogue's business (infra/http/errors.ts).
 */
export class KogiError extends Error {
  readonly code: string
  readonly details: readonly ErrorDetail[]

  constructor(code: string, message: string, details: readonly ErrorDetail[] = [], options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.details = details
  }
}

/** A rule of the domain said no: the command is well formed, the state does not allow it. Thrown by `decide` alone. */
export class Rejection extends KogiError {}

/** Makes a rejection; `facts` are the numbers and names the rule looked at, shown to the caller as details. */
export function rejected(code: string, message: string, facts: Record<string, string | bigint | number> = {}) {
  const details = Object.entries(facts).map(([field, value]) => ({ field, message: String(value) }))
  return new Rejection(code, message, details)
}

/** A bug or a corrupt history, never a user's doing: impossible by the rules of the code that wrote the events. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Asserts what only a bug can break. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}
