/** What a commit costs that moves the checkpoints of all projections in all buckets: of many projections, of few. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '../../infra/embedded/postgres.ts'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { ensureCheckpoints, readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { type Partition, partitionOf } from '../../projections/ownership/partitions.ts'
import { joinShared, leaveShared, partitionsToJoin } from '../../projections/ownership/sharing.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { commitBatch } from '../../projections/runner/commit.ts'
import { type Figure, median, paired } from './figure.ts'

const FEW = 8
const MANY = 64
const ROUNDS = 9
const COMMITS_PER_ROUND = 60

/** The median commit of many projections against that of few, with shared checkpoints and with rows of their own. */
export async function checkpointBench(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-bench-checkpoints-'))
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: silentLog })
  const url = postgres.url('kogi')
  await migrate({ url, set: 'read', log: silentLog })
  const pool = createPool({ url, name: 'read', log: silentLog, max: 4 })
  try {
    const [few, many] = [await partitionsOf(pool, FEW), await partitionsOf(pool, MANY)]
    const own = await compare(pool, few, many)
    for (const partitions of [few, many]) await joinShared(pool, 'bench', partitionsToJoin(partitions))
    const shared = await compare(pool, few, many)
    await leaveShared(pool, [...few, ...many])
    return [
      paired(`all_bucket_commit_${MANY}_projections_against_${FEW}`, 'ms', shared),
      paired(`all_bucket_commit_${MANY}_projections_against_${FEW}_each_in_its_own_row`, 'ms', own),
    ]
  } finally {
    await pool.end()
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The partitions of some made-up projections, all at position 0. */
async function partitionsOf(pool: Pool, count: number): Promise<readonly Partition[]> {
  const projections = Array.from({ length: count }, (_, n) => ({
    ...tasks,
    name: `of_${count}_${n}`,
  })) as AnyProjection[]
  await ensureCheckpoints(pool, projections)
  const byName = new Map(projections.map(projection => [projection.name, projection]))
  const checkpoints = await readCheckpoints(pool, projections)
  return checkpoints.map(checkpoint => partitionOf(byName.get(checkpoint.projection)!, checkpoint))
}

async function compare(pool: Pool, few: readonly Partition[], many: readonly Partition[]) {
  const rounds: { value: number; bare: number }[] = []
  // The first round warms up and does not count.
  for (let round = 0; round <= ROUNDS; round += 1) {
    rounds.push({ bare: await commitMs(pool, few), value: await commitMs(pool, many) })
  }
  return rounds.slice(1)
}

/** How long a commit takes that moves all of these checkpoints and changes no rows, in milliseconds. */
async function commitMs(pool: Pool, partitions: readonly Partition[]): Promise<number> {
  const took: number[] = []
  for (let n = 0; n < COMMITS_PER_ROUND; n += 1) {
    const to = partitions[0]!.committed + 1n
    const started = performance.now()
    await commitBatch({ pool }, [], new Map(partitions.map(partition => [partition, to])))
    took.push(performance.now() - started)
  }
  return median(took)
}
