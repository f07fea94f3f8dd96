/** API keys are made and rotated: the event first, then the digest of what only this answer shows. */
import { hash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { keybook } from '../../domain/identity/keybook/keybook.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, ApiResponse, Route } from '../../domain/kernel/route.ts'
import { answered, errorsOf } from '../answer.ts'
import { type ClientCommand, type CommandDeps, dryRunOf, parseBody, receiptSchema } from '../requests.ts'
import { commandParameters } from '../routes.ts'

/** What is known of a secret: the digest finds the key, and a generation of a key has one digest for good. */
export type StoredKey = {
  readonly digest: Uint8Array
  readonly org: string
  readonly key: string
  readonly generation: number
}

export type ApiKeyDeps = CommandDeps & {
  /** Stores a digest; `false` where that generation of the key has one. */
  readonly storeKey: (key: StoredKey) => Promise<boolean>
}

/** What an API key looks like: 256 bits in base64url behind a prefix that scanners for leaked keys can find. */
export const API_KEY = /^kogi_[A-Za-z0-9_-]{43}$/
const newApiKey = (): string => `kogi_${randomBytes(32).toString('base64url')}`

/** Under what a key is stored. Such secrets need no slow hash: nobody can guess one. */
export const apiKeyDigest = (secret: string): Buffer => hash('sha256', secret, 'buffer')

const PERMISSION = 'identity.keys.write'

/** The routes that make secrets. */
export function apiKeyRoutes(deps: ApiKeyDeps): Route[] {
  const shared = {
    method: 'POST',
    permission: PERMISSION,
    tag: 'kbs',
    response: receiptSchema
      .extend({
        api_key: z.string().optional().meta({
          description: 'the key itself, shown this once; absent where the same request had done its work before',
        }),
      })
      .meta({ title: 'ApiKeyReceipt' }),
  } as const
  const parameters = commandParameters.filter(({ name }) => name !== 'dry_run')
  const { key, ...rest } = keybook.commands.rotate.shape
  const rotateBody = z.strictObject(rest).meta({ examples: [{ overlap_hours: 24, reason: 'Once a quarter.' }] })
  return [
    {
      ...shared,
      path: '/kbs/api-keys',
      operationId: 'keybook.make',
      summary: 'Make an API key of a member, for a server: the answer alone shows it.',
      parameters,
      body: MAKE.schema,
      errors: errorsOf(MAKE),
      handle: request => shown(deps, MAKE, request, request.body),
    },
    {
      ...shared,
      path: '/kbs/api-keys/:key/rotate',
      operationId: 'keybook.rotate',
      summary: 'Make a new secret of an API key; the one before counts for a while.',
      parameters: [{ name: 'key', in: 'path', schema: key, description: 'id of the API key' }, ...parameters],
      body: rotateBody,
      errors: errorsOf(ROTATE),
      handle: request =>
        shown(deps, ROTATE, request, { ...parseBody(rotateBody, request.body), key: request.params.key }),
    },
  ]
}

const client = (name: 'make' | 'rotate', path: string): ClientCommand => ({
  aggregate: keybook,
  name,
  operationId: `keybook.${name}`,
  method: 'POST',
  path,
  permission: PERMISSION,
  summary: '',
  tag: 'kbs',
  schema: keybook.commands[name],
  inPath: [],
  opens: true,
  makes: undefined,
})
const MAKE = client('make', '/kbs/api-keys')
const ROTATE = client('rotate', '/kbs/api-keys/:key/rotate')

type Made = { readonly events: readonly { readonly data: { readonly key: string; readonly generation: number } }[] }

/** Gives the command, and shows a new secret unless the same request has shown one. */
async function shown(
  deps: ApiKeyDeps,
  client: ClientCommand,
  request: ApiRequest,
  body: unknown,
): Promise<ApiResponse> {
  if (dryRunOf(request.query)) throw new KogiError('invalid_parameter', 'A key cannot be tried without making it.')
  const answer = await answered(deps, client, request, { id: undefined, body })
  const { key, generation } = (answer.data as Made).events[0]!.data
  const secret = newApiKey()
  const isNew = await deps.storeKey({ digest: apiKeyDigest(secret), org: request.principal.org, key, generation })
  return { ...answer, data: { ...(answer.data as object), ...(isNew && { api_key: secret }) } }
}
