/**
 * The trees of the notary over HTTP: the last signed checkpoint, tiles and entry bundles as C2SP tlog-tiles has them,
 * and proofs made of them. An org has its own tree; that of the whole log, and what it seals of every org, is for the
 * operator.
 */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../../domain/kernel/route.ts'
import { unsigned64 } from '../../domain/kernel/schema.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { inclusionRanges } from '../../projections/notary/merkle.ts'
import { entryProofText } from '../../projections/notary/proof.ts'
import { HASH_BYTES, levelIn, type Tile, tileIn, WIDTH, widthOf } from '../../projections/notary/tiles.ts'
import { noHistoryErrors } from '../as-of.ts'
import { fromPath, inQuery, invalidParameter, queriesOf, whole } from '../parameters.ts'
import { consistencyHashes, hashes, hashesOf, headOf, positionsIn, type TreeDeps } from './trees.ts'

export type ProofDeps = TreeDeps & {
  /** The events at some positions of a tree's events (`''`: of the log), in their order; all of them are there. */
  readonly eventsAt: (tree: string, positions: readonly bigint[]) => Promise<readonly StoredEvent[]>
}

/** The tree of whose events a request asks: of its org, or `''` for the whole log. */
type Scope = {
  readonly path: string
  readonly permission: string
  readonly called: string
  readonly ids: string
  readonly treeOf: (request: ApiRequest) => string
}

const SCOPES: readonly Scope[] = [
  {
    path: '/kmg/audit/log',
    permission: 'audit.log.read',
    called: 'the organization’s part of the log',
    ids: 'Log',
    treeOf: ({ principal }) => principal.org,
  },
  {
    path: '/kmg/platform/log',
    permission: 'platform.log.read',
    called: 'the whole log',
    ids: 'PlatformLog',
    treeOf: () => '',
  },
]

const BYTES = 'application/octet-stream'
const TEXT = 'text/plain; charset=utf-8'
/** Pieces of the longest path of a tile: `x001/x234/067.p/12`. */
const PIECES = 4
const SIZE_MAX = 2 ** 48

const base64 = z.string().meta({ description: 'a SHA-256 hash in base64' })
const consistencySchema = z.strictObject({ old: z.int(), size: z.int(), hashes: z.array(base64) })
const consistencyParameters: readonly Parameter[] = [
  {
    ...inQuery('old', whole(0, SIZE_MAX).meta({ examples: ['1000'] }), 'events that the earlier checkpoint has'),
    required: true,
  },
  inQuery('size', whole(0, SIZE_MAX), 'events of the later one; those of the last checkpoint by default'),
]

const checkpointParameters: readonly Parameter[] = [
  inQuery('cosigned', z.enum(['true', 'false']), 'the last one that a witness has cosigned'),
]

/** The routes of both trees. */
export const proofRoutes = (deps: ProofDeps): Route[] =>
  SCOPES.flatMap(scope => routesOf(scope, deps)).map(route => ({
    ...route,
    handle: request => {
      queriesOf(request, route.parameters)
      return route.handle(request)
    },
  }))

function routesOf({ path, permission, called, ids, treeOf }: Scope, deps: ProofDeps): Route[] {
  const shared = { method: 'GET', permission, tag: 'kmg', parameters: [] as Parameter[], response: z.string() } as const
  const errors = { ...noHistoryErrors, 404: ['not_found', 'not_sealed'], 503: ['engine_unavailable'] }
  const tiled = { ...shared, errors, media: [BYTES], answerHeaders: [] }
  const inPath = (count: number) => Array.from({ length: count }, (_, n) => `:n${n + 1}`).join('/')
  const placeIn = (count: number) => (request: ApiRequest) =>
    Array.from({ length: count }, (_, n) => request.params[`n${n + 1}`]!).join('/')
  const pieces = Array.from({ length: PIECES }, (_, n) => n + 1)
  const partOf = (description: string, count: number): Parameter[] =>
    Array.from({ length: count }, (_, n) => ({ name: `n${n + 1}`, in: 'path', schema: z.string(), description }))
  return [
    {
      ...shared,
      path: `${path}/checkpoint`,
      operationId: `get${ids}Checkpoint`,
      summary: `The last signed checkpoint of ${called} (C2SP tlog-checkpoint).`,
      parameters: checkpointParameters,
      media: [TEXT],
      answerHeaders: [],
      errors,
      handle: request => checkpoint(deps, treeOf(request), request),
    },
    ...pieces.flatMap(count => [
      {
        ...tiled,
        path: `${path}/tile/entries/${inPath(count)}`,
        operationId: `get${ids}Entries${count}`,
        summary: `What the tree of ${called} seals of 256 events (C2SP tlog-tiles).`,
        parameters: partOf('the place of the bundle, as tlog-tiles writes it', count),
        handle: (request: ApiRequest) => entriesAt(deps, treeOf(request), placeIn(count)(request)),
      },
      {
        ...tiled,
        path: `${path}/tile/:level/${inPath(count)}`,
        operationId: `get${ids}Tile${count}`,
        summary: `A tile of the tree of ${called}: up to 256 hashes (C2SP tlog-tiles).`,
        parameters: [
          { name: 'level', in: 'path' as const, schema: z.string(), description: 'the level, 0 for events' },
          ...partOf('the place of the tile, as tlog-tiles writes it', count),
        ],
        handle: (request: ApiRequest) => tileAt(deps, treeOf(request), request.params.level!, placeIn(count)(request)),
      },
    ]),
    {
      ...shared,
      path: `${path}/proofs/consistency`,
      operationId: `prove${ids}Consistency`,
      summary: `The proof that ${called} begins with what it was at an earlier size (RFC 6962).`,
      parameters: consistencyParameters,
      response: consistencySchema,
      answerHeaders: [],
      errors,
      handle: request => consistency(deps, treeOf(request), request),
    },
    {
      ...shared,
      path: `${path}/proofs/:position`,
      operationId: `prove${ids}Event`,
      summary: `The event at a position with the proof that ${called} has it (C2SP tlog-proof).`,
      parameters: [{ name: 'position', in: 'path', schema: unsigned64, description: 'position of the event' }],
      media: [TEXT],
      answerHeaders: [],
      errors,
      handle: request => inclusion(deps, treeOf(request), fromPath(request, 'position', unsigned64)),
    },
  ]
}

const file = (name: string, type: string, content: string | Uint8Array): ApiResponse => ({
  file: { name, type, content },
})

/** The last checkpoint of a tree, with the cosignatures that it has; or the last one that has any. */
async function checkpoint(deps: ProofDeps, tree: string, request: ApiRequest): Promise<ApiResponse> {
  const { note, cosigned } = await headOf(deps, tree)
  if (queriesOf(request, checkpointParameters).cosigned !== 'true') {
    return file('checkpoint', TEXT, cosigned?.startsWith(note) ? cosigned : note)
  }
  if (cosigned === null) throw new KogiError('not_sealed', 'No witness has cosigned a checkpoint yet.')
  return file('checkpoint', TEXT, cosigned)
}

/** How many events the last checkpoint of a tree has, and the position of the last; none where no tile has it yet. */
export async function lastSealed(deps: ProofDeps, tree: string): Promise<{ size: number; position?: bigint }> {
  const { size } = await headOf(deps, tree).catch(error => {
    if (error instanceof KogiError && error.code === 'not_sealed') return { size: 0 }
    throw error
  })
  if (size === 0) return { size, position: -1n }
  const leaves = await leavesOf(deps, 'index = $2', [tree, Math.floor((size - 1) / WIDTH)])
  const position = leaves?.positions[(size - 1) % WIDTH]
  return { size, ...(position !== undefined && { position }) }
}

/** The tile that a path names, where the last checkpoint has all of it. */
async function tileOf(deps: ProofDeps, tree: string, level: number | undefined, path: string): Promise<Tile> {
  const [place, { size }] = [tileIn(path), await headOf(deps, tree)]
  if (level === undefined || !place || place.width > widthOf({ level, index: place.index }, size)) {
    throw new KogiError('not_found', 'The tree has no such tile.')
  }
  return { level, ...place }
}

async function tileAt(deps: ProofDeps, tree: string, text: string, path: string): Promise<ApiResponse> {
  const { level, index, width } = await tileOf(deps, tree, levelIn(text), path)
  const bytes = await hashesOf(deps.pool, tree, level, index)
  if (bytes.length < width * HASH_BYTES) throw notWritten()
  return file('tile', BYTES, bytes.subarray(0, width * HASH_BYTES))
}

async function entriesAt(deps: ProofDeps, tree: string, path: string): Promise<ApiResponse> {
  const { index, width } = await tileOf(deps, tree, 0, path)
  const positions = (await leavesOf(deps, 'index = $2', [tree, index]))?.positions ?? []
  if (positions.length < width) throw notWritten()
  const events = await deps.eventsAt(tree, positions.slice(0, width))
  const parts = events.flatMap(event => {
    const entry = Buffer.from(leafOf(event))
    const length = Buffer.alloc(2)
    length.writeUInt16BE(entry.length)
    return [length, entry]
  })
  return file('entries', BYTES, Buffer.concat(parts))
}

const notWritten = () => new KogiError('engine_unavailable', 'The tiles of the notary are not written yet.')

/** A tile of level 0: which it is, and the positions of its events. */
async function leavesOf({ pool }: ProofDeps, condition: string, values: unknown[]) {
  const { rows } = await pool.query({
    text: `select index, positions from notary_tiles where tree = $1 and level = 0 and ${condition}`,
    values,
    rowMode: 'array',
  })
  return rows[0] && { index: Number(rows[0][0]), positions: positionsIn(rows[0][1] as Buffer) }
}

async function inclusion(deps: ProofDeps, tree: string, text: string): Promise<ApiResponse> {
  const position = BigInt(text)
  const { size, note } = await headOf(deps, tree)
  // A tree that was shorter may have left tiles behind its last one.
  const leaves = await leavesOf(
    deps,
    'first_position <= $2 and index <= $3 order by first_position desc, index desc limit 1',
    [tree, text, Math.floor((size - 1) / WIDTH)],
  )
  const at = leaves?.positions.indexOf(position) ?? -1
  const index = leaves && at >= 0 ? leaves.index * WIDTH + at : size
  if (index >= size) throw new KogiError('not_found', `The last checkpoint has no event at ${position}.`)
  const [proof, events] = await Promise.all([
    hashes(deps, tree, inclusionRanges(index, size)),
    deps.eventsAt(tree, [position]),
  ])
  return file(
    `${position}.tlog-proof`,
    TEXT,
    entryProofText(leafOf(events[0]!), index, { hashes: proof, checkpoint: note }),
  )
}

async function consistency(deps: ProofDeps, tree: string, request: ApiRequest): Promise<ApiResponse> {
  const query = queriesOf(request, consistencyParameters)
  if (query.old === undefined) throw invalidParameter('old', 'must be given')
  const head = await headOf(deps, tree)
  const [old, size] = [Number(query.old), query.size === undefined ? head.size : Number(query.size)]
  if (size > head.size) throw invalidParameter('size', `must not be greater than that of the checkpoint, ${head.size}`)
  if (old > size) throw invalidParameter('old', `must not be greater than size, ${size}`)
  const proof = await consistencyHashes(deps, tree, { old, size })
  return { data: { old, size, hashes: proof.map(hash => hash.toString('base64')) } }
}
