/** Uploads: the bytes are stored first, and then the event that tells of them. */
import { file } from '../../domain/briefcase/file/file.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Parameter, Route } from '../../domain/kernel/route.ts'
import { id } from '../../domain/kernel/schema.ts'
import { answered, errorsOf } from '../answer.ts'
import { type ClientCommand, type CommandDeps, dryRunOf, receiptSchema } from '../requests.ts'
import { commandParameters } from '../routes.ts'

/** What is known of bytes that are stored. */
export type StoredFile = { readonly type: string; readonly size: bigint; readonly sha256: string }

type UploadDeps = CommandDeps & {
  /** Stores the bytes of a file of an org. */
  readonly putFile: (org: string, bytes: AsyncIterable<Uint8Array>) => Promise<StoredFile>
  readonly fileBytesMax: number
}

/** The routes of uploads: a new file of an item, and a new version of a file. */
export function uploadRoutes(deps: UploadDeps): Route[] {
  const shared = {
    method: 'POST',
    permission: 'briefcase.files.write',
    tag: 'kbfc',
    upload: { bytesMax: deps.fileBytesMax },
    response: receiptSchema,
  } as const
  const parameters = (what: string): Parameter[] => [
    { name: 'id', in: 'path', schema: id(what), description: `id of the ${what}` },
    ...commandParameters.filter(({ name }) => name !== 'dry_run'),
  ]
  return [
    {
      ...shared,
      errors: errorsOf({ ...ADD, opens: false }),
      path: '/kbfc/items/:id/files',
      operationId: 'file.add',
      summary: 'Add a file to an item: `multipart/form-data` with the part `file`. The same key and bytes add it once.',
      parameters: parameters('item'),
      async handle(request) {
        const { stored, name } = await received(deps, request)
        return await answered(deps, ADD, request, { id: undefined, body: { item: request.params.id, name, ...stored } })
      },
    },
    {
      ...shared,
      errors: errorsOf(ADD_VERSION),
      path: '/kbfc/files/:id/versions',
      operationId: 'file.addVersion',
      summary: 'Add a version of a file. The same bytes as those of the newest version add none.',
      parameters: parameters('file'),
      async handle(request) {
        const { stored } = await received(deps, request)
        return await answered(deps, ADD_VERSION, request, { id: request.params.id, body: stored })
      },
    },
  ]
}

const client = (name: 'add' | 'addVersion', makes: string | undefined): ClientCommand => ({
  aggregate: file,
  name,
  operationId: `file.${name}`,
  method: 'POST',
  path: '/kbfc/files',
  permission: 'briefcase.files.write',
  summary: '',
  tag: 'kbfc',
  schema: file.commands[name],
  inPath: [],
  opens: name === 'add',
  makes,
})
const ADD = client('add', '/kbfc/files/:id')
const ADD_VERSION = client('addVersion', undefined)

/** Stores the file of a request. A name keeps its last part, as a path of some client would have. */
async function received(deps: UploadDeps, { upload, query, principal }: ApiRequest) {
  if (dryRunOf(query)) throw new KogiError('invalid_parameter', 'An upload cannot be tried without storing it.')
  return await upload!(async ({ name, bytes }) => {
    const stored = await deps.putFile(principal.org, bytes)
    const last = name
      .split(/[/\\]/)
      .at(-1)!
      .replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
      .trim()
    return { stored: { ...stored, size: String(stored.size) }, name: [...last].slice(0, 255).join('') || 'file' }
  })
}
