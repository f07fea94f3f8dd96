import { type ErrorDetail, KogiError, Rejection } from '../../domain/kernel/errors.ts'
import { asEngineError } from '../postgres.ts'

/** What is said to a client whose request failed. */
export type ErrorAnswer = {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly details: readonly ErrorDetail[]
  /** What `meta` says besides. */
  readonly meta: Readonly<Record<string, unknown>>
  /** Seconds to wait, where the error knows better than its status. */
  readonly retryAfterSeconds?: number | undefined
}

type Entry = { readonly status: number; readonly message: string; readonly advice: string }

/**
 * Every code that the interface itself answers. Append-only: a code keeps its meaning and its status for ever. The
 * codes of the domain's rejections are its own; they all answer 422 unless they stand here.
 */
export const errorCatalogue = {
  invalid_request: entry(400, 'This is not a well-formed HTTP request.', 'Mend the client.'),
  invalid_json: entry(400, 'The body is not valid JSON.', 'Mend the body where the details point to.'),
  invalid_body: entry(
    400,
    'The body does not have the form of this operation.',
    'Mend the fields that the details name.',
  ),
  invalid_parameter: entry(400, 'A parameter is not valid.', 'Mend the parameter that the details name.'),
  as_of_beyond_head: entry(
    400,
    'The position or time asked about lies beyond what is known.',
    'Ask about an earlier one, or wait for a position with `at_least`.',
  ),
  no_history: entry(400, 'What this was before is not kept.', 'Ask without `as_of`.'),
  unauthenticated: entry(401, 'This operation needs a token.', 'Send `Authorization: Bearer <token>`.'),
  invalid_token: entry(401, 'The token is not valid.', 'Get a new token for this API.'),
  insufficient_user_authentication: entry(
    401,
    'This operation needs a second factor, shown just now.',
    'Prove who you are again with `POST /kbs/step-up`, and use the new token.',
  ),
  wrong_credentials: entry(401, 'These credentials are not right.', 'Check them; after some wrong ones, wait.'),
  second_factor_needed: entry(
    401,
    'This user has a second factor.',
    'Send `code` of the authenticator as well, or `recovery_code`, or sign in with a passkey.',
  ),
  password_refused: entry(422, 'This cannot be a password.', 'Choose a longer one that nobody would guess.'),
  sign_up_closed: entry(403, 'Nobody can sign up here by themselves.', 'Ask the operator for a user.'),
  step_over: entry(422, 'This step is over, or was done before.', 'Begin again.'),
  forbidden: entry(403, 'The token does not allow this operation.', 'Ask for the permission that the details name.'),
  account_suspended: entry(
    403,
    'You are suspended in this organization.',
    'An administrator of the organization ends the suspension.',
  ),
  not_a_member: entry(
    403,
    'You are no member of this organization.',
    'Accept the invitation that waits for you, or ask an administrator for one.',
  ),
  organization_blocked: entry(
    403,
    'The operators have blocked this organization.',
    'Ask the operators of the installation.',
  ),
  origin_forbidden: entry(
    403,
    'Pages of this origin may not connect.',
    'An operator adds the origin to KOGI_CORS_ORIGINS.',
  ),
  not_found: entry(
    404,
    'There is nothing with this id.',
    'Check the id; what belongs to another organization is not found.',
  ),
  not_sealed: entry(404, 'The log has no signed checkpoint yet.', 'Ask again shortly; an operator runs the notary.'),
  not_proved: entry(
    404,
    'There is no proof of this at that position.',
    'Ask without `as_of`; an operator names the read models that are proved (KOGI_PROVED_MODELS).',
  ),
  rate_unknown: entry(
    404,
    'No rates lead from one currency to the other on that day.',
    'Record a rate of the day, or of a day before it for which it still counts; see `valid_days` of the rate table.',
  ),
  route_not_found: entry(404, 'There is no such path.', 'See /openapi.json for every path.'),
  method_not_allowed: entry(405, 'This path does not take this method.', 'Use a method of the `Allow` header.'),
  request_timeout: entry(408, 'The request took too long to arrive.', 'Send it again, whole.'),
  conflict: entry(409, 'Others changed the same thing at the same time.', 'Send the same request again.'),
  precondition_failed: entry(412, 'The thing has another revision.', 'Read it again and decide anew.'),
  range_not_satisfiable: entry(416, 'The file has no such bytes.', 'Ask for a range within its size.'),
  file_missing: entry(503, 'The bytes of the file are not where they were stored.', 'An operator has to restore them.'),
  answer_too_large: entry(
    502,
    'The answer is larger than the gateway passes on.',
    'Ask for less at once; an operator sets KOGI_GATEWAY_ANSWER_BYTES.',
  ),
  vault_sealed: entry(
    503,
    'No master key is set: secrets are neither kept nor shown.',
    'An operator sets KOGI_MASTER_KEYS for all processes and starts them anew.',
  ),
  secret_missing: entry(
    503,
    'The value of the secret is not where it was stored.',
    'Rotate the secret, or let an operator restore the database of the keys.',
  ),
  body_too_large: entry(413, 'The body is too large.', 'Send less at once.'),
  unsupported_media_type: entry(
    415,
    'The body must be JSON in UTF-8, not compressed.',
    'Send `Content-Type: application/json` and no `Content-Encoding`.',
  ),
  expectation_failed: entry(417, 'This expectation is not met.', 'Leave `Expect` out, or expect `100-continue`.'),
  idempotency_key_reused: entry(
    422,
    'This Idempotency-Key was used for another command.',
    'Use a new key for a new command, and the same body with the same key.',
  ),
  reference_unknown: entry(
    422,
    'The command names a thing that does not exist.',
    'Make that thing first, or mend the field that the details name.',
  ),
  reference_removed: entry(
    422,
    'The command names a thing that was removed.',
    'Name another thing in the field that the details name, or add that one again.',
  ),
  subject_erased: entry(
    422,
    'The personal data of the subject was erased.',
    'Leave the personal fields out, or open a new thing for another subject.',
  ),
  export_impossible: entry(
    422,
    'The books cannot be written in this format.',
    'Choose another format, one account, or less at once.',
  ),
  report_too_large: entry(
    422,
    'The report has more currencies than one answer holds.',
    'Ask for one currency, or for one wallet.',
  ),
  import_invalid: entry(
    422,
    'The file cannot be imported in this way.',
    'Mend what the details name: the rules, the options, or the row.',
  ),
  statement_invalid: entry(
    422,
    'The file is no sound bank statement.',
    'Mend the lines that the details name, or get the file from the bank again.',
  ),
  statement_gap: entry(
    422,
    'Balances of the statement contradict its rows.',
    'Get the file from the bank again, or send `accept_gaps` to import it as it is.',
  ),
  import_undo_unfinished: entry(
    409,
    'Rows of the file are entries of an import that is being taken back.',
    'Send the undo of that import again until it is answered, then import the file.',
  ),
  matches_undecided: entry(
    422,
    'Rows may be entries that the wallet has already.',
    'Say in `matches` which entry each row is, or null to book it; or send `on_match`.',
  ),
  upgrade_required: entry(426, 'This path is a WebSocket.', 'Connect to it with a WebSocket client.'),
  too_many_requests: entry(429, 'Too many requests.', 'Wait for as long as `Retry-After` says.'),
  headers_too_large: entry(431, 'The headers are too large.', 'Send fewer or shorter headers.'),
  internal: entry(500, 'Something went wrong on our side.', 'Report the request id; it is in our logs.'),
  transfer_coding_unsupported: entry(
    501,
    'This transfer coding is not supported.',
    'Send `Transfer-Encoding: chunked`, or a `Content-Length`.',
  ),
  engine_unavailable: entry(503, 'An engine does not answer at the moment.', 'Send the same request again shortly.'),
  not_yet_visible: entry(
    503,
    'The position asked for is not reached yet.',
    'Ask again shortly, or wait longer with `wait`.',
  ),
  outcome_unknown: entry(
    503,
    'Whether the command took effect is not known.',
    'Send it again with the same Idempotency-Key: it takes effect once.',
  ),
  event_unreadable: entry(
    503,
    'An event in the history of this thing cannot be read.',
    'An operator has to go past it with `kogi projections skip`; the details name the position and the projections.',
  ),
  maintenance: entry(
    503,
    'Nothing is changed while the installation is maintained.',
    'Send the same request again later: `Retry-After`, and GET /kmg/notices, say when.',
  ),
  draining: entry(503, 'This process is about to stop.', 'Send the same request again: another process takes it.'),
  read_model_building: entry(
    503,
    'A read model of this release is still being built.',
    'Ask again later: `/health/ready` tells when; processes of the release before go on answering.',
  ),
  projection_stalled: entry(503, 'A read model stands still.', 'An operator has to mend it; commands still work.'),
} as const satisfies Record<string, Entry>

/** A code of the interface's own catalogue. */
export type ErrorCode = keyof typeof errorCatalogue

/** Makes an error of the catalogue, with its own message unless another one says more. */
export function httpError(code: ErrorCode, details: readonly ErrorDetail[] = [], message?: string): KogiError {
  return new KogiError(code, message ?? errorCatalogue[code].message, details)
}

/** What a client is told about an error: anything that is not meant for clients is `internal` and says nothing. */
export function answerTo(error: unknown): ErrorAnswer {
  const known = asEngineError(error)
  if (known instanceof KogiError) {
    const { code, message, details } = known
    const { meta = {}, retryAfterSeconds } = known as Partial<Pick<ErrorAnswer, 'meta' | 'retryAfterSeconds'>>
    const status = isCatalogued(code) ? errorCatalogue[code].status : known instanceof Rejection ? 422 : undefined
    if (status !== undefined && code !== 'internal') return { status, code, message, details, meta, retryAfterSeconds }
  }
  return { status: 500, code: 'internal', message: errorCatalogue.internal.message, details: [], meta: {} }
}

/** Statuses that are worth another try, with the seconds to wait. */
export const retryAfterSeconds: Readonly<Record<number, number>> = { 409: 1, 429: 1, 503: 1 }

function isCatalogued(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code)
}

function entry(status: number, message: string, advice: string): Entry {
  return { status, message, advice }
}
