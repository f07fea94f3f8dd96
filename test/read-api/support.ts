import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { type Json, toWire } from '../../domain/kernel/json.ts'
import type { ApiRequest, ApiResponse, Route } from '../../domain/kernel/route.ts'
import { guards, kinds, memories, memoryPermissions, projections, resources } from '../../infra/catalogue.ts'
import { memoryIndex } from '../../projections/memory/index.ts'
import { allBuckets } from '../../projections/rows/bucket.ts'
import { type FoldedRows, fold, foldEvent, sortedRows } from '../../projections/rows/fold.ts'
import { type AnyProjection, handlerOf } from '../../projections/rows/projection.ts'
import { historyTableOf, keyTextOf, tableOf, tablesOf } from '../../projections/rows/tables.ts'
import { type CheckpointSignal, followCheckpoints } from '../../read-api/checkpoint-signal.ts'
import { keepMoments } from '../../read-api/moments.ts'
import { type ReadDeps, readRoutes } from '../../read-api/routes.ts'
import { followVersions } from '../../read-api/versions.ts'
import { freshDatabase } from '../support/postgres.ts'
import { rowsAlone } from '../support/templates.ts'

/**
 * Makes the events of a history: revisions and positions follow by themselves, positions with gaps. Revisions grow by
 * `step`: with a large one few events do for what many make otherwise.
 */
export class History {
  readonly events: DomainEvent[] = []
  readonly #step: bigint
  readonly #revisions = new Map<string, bigint>()
  #position = 100n

  constructor(step = 1n) {
    this.#step = step
  }

  add(org: string, category: string, id: string, type: string, data: object, at = '2026-01-02T03:04:05.678Z'): this {
    const stream = `${category}-${org}~${id}`
    const revision = this.#revisions.get(stream) ?? 0n
    this.#revisions.set(stream, revision + this.#step)
    this.#position += 7n
    const metadata = {
      $correlationId: randomUUID(),
      $causationId: randomUUID(),
      commandId: randomUUID(),
      fingerprint: 'f'.repeat(64),
      org,
      id,
      actor: { subject: `clerk-of-${org}`, roles: ['team-member'] },
      subjects: [],
      at,
      schema: 1,
    }
    const eventId = randomUUID()
    this.events.push({ type, data, eventId, stream, category, revision, position: this.#position, metadata })
    return this
  }

  get position(): bigint {
    return this.#position
  }
}

/** Read models of a test's own in a real PostgreSQL, and the routes over them. */
export type World = {
  readonly pool: pg.Pool
  readonly routes: readonly Route[]
  readonly signal: CheckpointSignal
  /** Writes the rows of a whole history, folded without the runner, with every checkpoint at its end. */
  readonly write: (history: History) => Promise<void>
  /** Moves every checkpoint, as a projector does with each batch. */
  readonly move: (position: bigint, state?: string) => Promise<void>
  readonly call: (org: string, url: string, headers?: Record<string, string>, by?: By) => Promise<Answer>
  readonly close: () => Promise<void>
}
/** Who asks: somebody who may read all, unless another is named. */
type By = Partial<ApiRequest['principal']>
export type Answer = { readonly status: number; readonly code?: string; readonly message?: string } & Omit<
  ApiResponse,
  'status'
>

export async function makeWorld(overrides: Partial<ReadDeps> = {}): Promise<World> {
  const url = await freshDatabase(rowsAlone)
  const pool = new pg.Pool({ connectionString: url, max: 8 })
  const signal = followCheckpoints({
    serves: projections,
    async connect() {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      return client
    },
  })
  const unseal: ReadDeps['unseal'] = async (_, envelopes) =>
    envelopes.map(({ text }) => (text.startsWith('gone') ? null : `open ${text}`))
  const deps: ReadDeps = {
    pool,
    signal,
    versions: followVersions(pool),
    moments: keepMoments(pool),
    guards,
    unseal,
    ...memoryIndex({ pool, memories, unseal }),
    memories,
    kinds,
    memoryPermissions,
    resources,
    eventsAt: async () => [],
    refusals: async () => [],
    sensitiveReads: async () => [],
    operations: async () => [],
    noteRead: () => {},
    keysOf: async () => new Set<string>(),
    openFile: async () => undefined,
    allows: () => true,
    ...overrides,
  }
  const routes = readRoutes(deps)
  return {
    pool,
    routes,
    signal,
    async write(history) {
      const rows = await fold(projections, history.events)
      await pool.query(
        projections
          .flatMap(tablesOf)
          .map(table => `delete from ${table}`)
          .join(';'),
      )
      const current = projections.map(model => [tableOf(model), sortedRows(rows, model).map(toWire)] as const)
      for (const [table, made] of [...current, ...versionsOf(history)]) {
        if (made.length === 0) continue
        const json = JSON.stringify(made)
        await pool.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [json])
      }
      await move(pool, history.position)
    },
    move: (position, state) => move(pool, position, state),
    call: (org, url, headers, by) => call(routes, org, url, headers, by),
    async close() {
      await signal.close()
      await pool.end()
    },
  }
}

/** Every version of every row whose projection keeps a history, by table. */
function versionsOf({ events }: History): Map<string, Json[]> {
  const kept = projections.filter(({ history }) => history)
  const versions = new Map(kept.map(projection => [historyTableOf(projection), [] as Json[]]))
  const rows: FoldedRows = new Map()
  for (const event of events) {
    const before = kept.map(({ name }) => new Map(rows.get(name)))
    foldEvent(kept, rows, event)
    for (const [at, projection] of kept.entries()) {
      const handler = handlerOf(projection, event.type)
      if (!handler || !('keys' in handler)) continue
      for (const text of new Set(handler.keys(event).map(keyTextOf(projection)))) {
        const row = rows.get(projection.name)?.get(text)
        // A version that removes a row holds what the row was.
        const version = { ...(row ?? before[at]!.get(text)), _position: event.position, _removed: row === undefined }
        versions.get(historyTableOf(projection))!.push(toWire(version))
      }
    }
  }
  return versions
}

async function move(pool: pg.Pool, position: bigint, state = 'running'): Promise<void> {
  await pool.query(
    `insert into checkpoints select name, version, bucket, $3, 1, $4, null, now()
      from unnest($1::text[], $2::int[]) p(name, version) cross join unnest($5::int[]) bucket
      on conflict (projection, version, bucket) do update set position = excluded.position, state = excluded.state`,
    [projections.map(({ name }) => name), projections.map(({ version }) => version), position, state, allBuckets],
  )
  await pool.query(`select pg_notify('kogi_checkpoints', $1)`, [String(position)])
}

/** Calls a route as the server does: first path that fits, decoded parameters, refusals as codes. */
export async function call(
  routes: readonly Route[],
  org: string,
  url: string,
  headers: Record<string, string> = {},
  by: By = {},
): Promise<Answer> {
  const { pathname, searchParams } = new URL(url, 'http://kogi')
  const segments = pathname.slice(1).split('/').map(decodeURIComponent)
  for (const route of routes) {
    const pattern = route.path.slice(1).split('/')
    const fits =
      pattern.length === segments.length && pattern.every((part, at) => part.startsWith(':') || part === segments[at])
    if (!fits) continue
    const params = Object.fromEntries(
      pattern.flatMap((part, at) => (part.startsWith(':') ? [[part.slice(1), segments[at]!]] : [])),
    )
    const names = [...new Set(searchParams.keys())]
    const query = Object.fromEntries(
      names.map(name => [name, searchParams.getAll(name)] as const).map(([k, v]) => [k, v.length > 1 ? v : v[0]]),
    )
    const request: ApiRequest = {
      principal: { subject: 'reader', org, roles: [], permissions: ['*'], ...by },
      params,
      query,
      body: undefined,
      header: name => headers[name],
      correlationId: 'test',
      signal: new AbortController().signal,
    }
    try {
      return { status: 200, ...(await route.handle(request)) } as Answer
    } catch (error) {
      if (!(error instanceof KogiError)) throw error
      return {
        status: STATUS[error.code] ?? 500,
        code: error.code,
        message: error.message,
        data: error.details,
        ...('meta' in error && { meta: error.meta as Record<string, unknown> }),
      }
    }
  }
  return { status: 404, code: 'route_unknown' }
}

const STATUS: Readonly<Record<string, number>> = {
  as_of_beyond_head: 400,
  no_history: 400,
  invalid_parameter: 400,
  not_found: 404,
  not_sealed: 404,
  not_proved: 404,
  rate_unknown: 404,
  not_yet_visible: 503,
  projection_stalled: 503,
}

/** Rows of a read model without the columns that are worked out when they are read, which no fold of the log has. */
export const asStored = <R extends object>(rows: readonly R[], { computed = {} }: AnyProjection): readonly R[] =>
  rows.map(row => {
    const stored = Object.entries(row).filter(([name]) => name !== 'changes' && !Object.hasOwn(computed, name))
    return Object.fromEntries(stored) as R
  })

/** Every row of a list, page by page. */
export async function everyPage(world: World, org: string, url: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  let after: string | undefined
  do {
    const page = await world.call(
      org,
      after === undefined ? url : `${url}${url.includes('?') ? '&' : '?'}after=${after}`,
    )
    if (page.status !== 200) throw new Error(`${url}: ${JSON.stringify(page)}`)
    rows.push(...(page.data as Record<string, unknown>[]))
    if (after !== undefined && page.pagination!.next === after) throw new Error(`${url}: the same page again`)
    after = page.pagination!.next
  } while (after !== undefined)
  return rows
}
