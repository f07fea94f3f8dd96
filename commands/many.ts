/** The commands that the lines or cards of one file stand for: one that is refused does not stop the others. */
import { z } from 'zod'
import { KogiError } from '../domain/kernel/errors.ts'
import type { ApiRequest, Parameter } from '../domain/kernel/route.ts'
import { integer, object, text } from '../domain/kernel/schema.ts'
import { execute } from './execute.ts'
import { uuidOf } from './ids.ts'
import { type ClientCommand, type CommandDeps, IDEMPOTENCY_KEY_MAX, parseCommand } from './requests.ts'

/** A command of a place in a file: where it is refused with `unless`, the next one is given instead. */
type Try = {
  readonly client: ClientCommand
  readonly id?: string
  readonly body: object
  readonly unless?: string
}
type Item = { readonly line: number; readonly tries: readonly Try[] }
type Refused = { readonly line: number; readonly code: string; readonly message: string }

export const refusedSchema = z.array(object({ line: integer(1, 2 ** 31 - 1), code: text(64), message: text(1_000) }))

export const keyParameter: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  schema: z.string().max(IDEMPOTENCY_KEY_MAX),
  description:
    'Gives each line a key that follows from this and its place: the same file sent again creates nothing twice. ' +
    'Made up if left out.',
}

/** Statuses that say no more than that the same may be accepted later. */
const AGAIN = new Set([409, 429])

type Asked = { readonly items: readonly Item[]; readonly key: string; readonly dryRun: symbol | undefined }

/**
 * Gives the commands, each under a key that follows from that of the request and its place, so that the same file sent
 * again under the same key does nothing twice. `done` has the place of the try that changed something, by item. A
 * fault, which is no answer about a line, ends it: its details name the line, and the key under which the rest follows.
 */
export async function givenEach(deps: CommandDeps, request: ApiRequest, { items, key, dryRun }: Asked) {
  const refused: Refused[] = []
  const done: number[] = []
  let position = 0n
  for (const [n, { line, tries }] of items.entries()) {
    for (const [at, one] of tries.entries()) {
      try {
        const receipt = await execute(deps, commandOf(request, one, uuidOf(at === 0 ? [key, n] : [key, n, at]), dryRun))
        if (receipt.events.length > 0) done.push(at)
        if (receipt.position > position) position = receipt.position
      } catch (error) {
        const { status, code, message, details } = deps.errorAnswer(error, request.correlationId)
        if (code === one.unless) continue
        if (status >= 500 || AGAIN.has(status)) {
          const where = [
            { field: 'line', message: String(line) },
            { field: 'Idempotency-Key', message: key },
          ]
          throw new KogiError(code, message, [...details, ...where], { cause: error })
        }
        const about = details.map(({ field, message }) => `${field} ${message}`).join('; ')
        refused.push({ line, code, message: (about ? `${message} ${about}` : message).slice(0, 1_000) })
      }
      break
    }
  }
  const headers = { 'Idempotency-Key': key, ...(position > 0n && { 'Kogi-Position': String(position) }) }
  return { done, refused, headers }
}

const commandOf = (
  { principal, correlationId }: ApiRequest,
  { client, id, body }: Try,
  key: string,
  dryRun: symbol | undefined,
) => ({
  ...parseCommand(client, {
    id,
    body,
    key,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    principal,
    correlationId,
    dryRun,
  }),
  isOfBulk: true,
})
