/** The tiles and heads of the notary's trees as rows of PostgreSQL, from which the read API makes proofs. */
import { HASH_BYTES, WIDTH } from '../../projections/notary/tiles.ts'
import { type Log, reasonOf } from '../log.ts'
import { type Connection, type Pool, withTransaction } from '../postgres.ts'
import type { TileSink } from './hashing.ts'
import type { Seal } from './seals.ts'

const POSITION_BYTES = 8
/** Rows of one statement: of 10 KB each, at most. */
const ROWS_MAX = 500
/** Seals that wait to be written, at most: every one has the head of the log, and each org comes again. */
const LATE_MAX = 1_000

/** Neighbouring hashes of one tile that wait to be written. */
type Piece = {
  readonly tree: string
  readonly level: number
  readonly index: number
  readonly from: number
  readonly hashes: Buffer[]
  readonly positions: bigint[]
}

/** Pieces whose tile begins with them: an earlier tile of the same place keeps what it has behind them. */
const BEGIN = `insert into notary_tiles as t (tree, level, index, first_position, positions, hashes)
  select tree, level, index, first_position, positions, hashes from unnest($1::text[], $2::int[], $3::int[], $4::int[],
    $5::bigint[], $6::bytea[], $7::bytea[]) u (tree, level, index, start, first_position, positions, hashes)
  on conflict (tree, level, index) do update set first_position = excluded.first_position,
    positions = overlay(t.positions placing excluded.positions from 1),
    hashes = overlay(t.hashes placing excluded.hashes from 1)
  where substring(t.hashes for length(excluded.hashes)) <> excluded.hashes
    or substring(t.positions for length(excluded.positions)) <> excluded.positions`
const GO_ON = `update notary_tiles t set
    positions = overlay(t.positions placing u.positions from u.start * ${POSITION_BYTES} + 1),
    hashes = overlay(t.hashes placing u.hashes from u.start * ${HASH_BYTES} + 1)
  from unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::bigint[], $6::bytea[], $7::bytea[])
    u (tree, level, index, start, first_position, positions, hashes)
  where t.tree = u.tree and t.level = u.level and t.index = u.index
    and (substring(t.hashes from u.start * ${HASH_BYTES} + 1 for length(u.hashes)) <> u.hashes
      or substring(t.positions from u.start * ${POSITION_BYTES} + 1 for length(u.positions)) <> u.positions)`

export type TileRows = TileSink & {
  readonly heads: (seal: Seal) => Promise<void>
  /** Keeps the last checkpoint of a tree that witnesses have cosigned. */
  readonly cosigned: (tree: string, note: string) => Promise<void>
}

/** Keeps tiles and heads. What cannot be written waits: the log is sealed without it, and proofs come later. */
export function tileRows(pool: Pool, log: Log): TileRows {
  let waiting = new Map<string, Piece>()
  let count = 0
  let late: Seal[] = []
  let isAway = false
  let last = Promise.resolve()
  const tried = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await work()
      isAway = false
      return true
    } catch (error) {
      if (!isAway) log.warn({ reason: reasonOf(error) }, 'the tiles of the notary cannot be written, trying again')
      isAway = true
      return false
    }
  }
  const flush = async () => {
    const [pieces, hashes] = [waiting, count]
    waiting = new Map()
    count = 0
    if (await tried(() => withTransaction(pool, client => writeTiles(client, [...pieces.values()])))) return
    // Those that came meanwhile go on where these end.
    for (const [key, piece] of waiting) pieces.set(key, joined(pieces.get(key), piece))
    waiting = pieces
    count += hashes
  }
  const heads = async () => {
    const seals = late
    late = []
    if (!(await tried(() => writeHeads(pool, seals)))) late = [...seals, ...late].slice(-LATE_MAX)
  }
  const cosigned = cosignedRows(pool)
  return {
    put(tree, { level, at, hash, position }) {
      const index = Math.floor(at / WIDTH)
      const key = `${level} ${index} ${tree}`
      const piece = waiting.get(key) ?? { tree, level, index, from: at % WIDTH, hashes: [], positions: [] }
      waiting.set(key, piece)
      piece.hashes.push(hash)
      piece.positions.push(position)
      count += 1
    },
    async flush(most = 0) {
      if (count > most) {
        last = last.then(flush)
        await last
      }
      if (late.length > 0) await heads()
      if (cosigned.waiting.size > 0) await tried(cosigned.write)
    },
    async heads(seal) {
      late.push(seal)
      await heads()
    },
    async cosigned(tree, note) {
      cosigned.waiting.set(tree, note)
      await tried(cosigned.write)
    },
  }
}

/** Cosigned checkpoints by tree, which wait until they are written to a head that is there. */
function cosignedRows(pool: Pool) {
  const waiting = new Map<string, string>()
  return {
    waiting,
    async write(): Promise<void> {
      for (const [tree, note] of [...waiting]) {
        const { rowCount } = await pool.query('update notary_heads set cosigned = $2 where tree = $1', [tree, note])
        if (rowCount === 1 && waiting.get(tree) === note) waiting.delete(tree)
      }
    },
  }
}

const joined = (first: Piece | undefined, { hashes, positions, ...rest }: Piece): Piece =>
  first
    ? { ...first, hashes: [...first.hashes, ...hashes], positions: [...first.positions, ...positions] }
    : { ...rest, hashes, positions }

async function writeTiles(client: Connection, pieces: readonly Piece[]): Promise<void> {
  for (const [text, isMeant] of [
    [BEGIN, ({ from }: Piece) => from === 0],
    [GO_ON, ({ from }: Piece) => from > 0],
  ] as const) {
    const meant = pieces.filter(isMeant)
    for (let at = 0; at < meant.length; at += ROWS_MAX) {
      const rows = meant.slice(at, at + ROWS_MAX)
      const column = <T>(of: (piece: Piece) => T) => rows.map(of)
      await client.query(text, [
        column(({ tree }) => tree),
        column(({ level }) => level),
        column(({ index }) => index),
        column(({ from }) => from),
        column(({ positions }) => String(positions[0])),
        column(({ positions }) => bytesOf(positions)),
        column(({ hashes }) => Buffer.concat(hashes)),
      ])
    }
  }
}

function bytesOf(positions: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(positions.length * POSITION_BYTES)
  positions.forEach((position, n) => {
    bytes.writeBigUInt64BE(position, n * POSITION_BYTES)
  })
  return bytes
}

async function writeHeads(pool: Pool, seals: readonly Seal[]): Promise<void> {
  const heads = new Map<string, { readonly size: number; readonly note: string }>()
  for (const { size, note, orgs } of seals) {
    heads.set('', { size, note })
    for (const { org, ...head } of orgs) heads.set(org, head)
  }
  const values = [...heads.values()]
  await pool.query(
    `insert into notary_heads as h (tree, size, note) select * from unnest($1::text[], $2::bigint[], $3::text[])
     on conflict (tree) do update set size = excluded.size, note = excluded.note where h.note <> excluded.note`,
    [[...heads.keys()], values.map(({ size }) => size), values.map(({ note }) => note)],
  )
}
