/** Projections rebuilt while events pour in and while they are read. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { DomainEvent } from '../../../domain/kernel/event.ts'
import { codec, domainStreamPrefixes, projections } from '../../../infra/catalogue.ts'
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { eventLog } from '../../../infra/event-store/reader.ts'
import { silentLog } from '../../../infra/log.ts'
import type { Pool } from '../../../infra/postgres.ts'
import { rebuild } from '../../../projections/rebuild/rebuild.ts'
import { bucketOf } from '../../../projections/rows/bucket.ts'
import { tableDigest } from '../../../projections/rows/digest.ts'
import { type FoldedRows, foldEvent, sortedRows } from '../../../projections/rows/fold.ts'
import type { AnyProjection } from '../../../projections/rows/projection.ts'
import { fromDatabase, quoted, quotedList, tableOf } from '../../../projections/rows/tables.ts'
import { checkpointsSql } from '../../../read-api/consistency.ts'
import { randomHistory, randomOf } from '../../projections/history.ts'
import { decoded, expectFolded, freshPool, reached, startRunner } from '../../projections/support.ts'
import { append, storedEvents } from './processes.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)
const SECONDS = 30
const PER_SECOND = 500
const READERS = 3
const ORGS = 64

/** What a read answered: the rows of an org, good for a position. */
type Sample = {
  readonly projection: AnyProjection
  readonly org: string
  readonly position: bigint
  readonly rows: string
}

describe(`projections: rebuilt under load (KOGI_SEED=${SEED})`, function rebuilds() {
  this.timeout(600_000)
  before(function longRunsOnly() {
    if (!LONG) this.skip()
  })

  it(`${PER_SECOND} events/s: no read fails or goes back, and every one is what the log says`, async () => {
    const random = randomOf(SEED)
    const store = await startEventStore({ memory: true })
    const pool = await freshPool()
    const log = eventLog({ url: store.url, prefixes: domainStreamPrefixes })
    const history = randomHistory({ seed: SEED, count: SECONDS * PER_SECOND, orgs: ORGS })
    await append(store.url, history.slice(0, 1_000))
    const runner = startRunner(pool, log, { batch: { min: 20, max: 500, targetMs: 100 } })
    await reached(pool, await log.head())
    let done = false
    const started = performance.now()
    const appending = append(store.url, history.slice(1_000), PER_SECOND).finally(() => {
      done = true
    })
    const samples: Sample[] = []
    let rebuilds = 0
    const readers = Array.from({ length: READERS }, (_, n) => {
      const read = n === 0 ? inTransaction : inStatement
      return readOften(n, read)
    })
    while (!done) {
      const projection = projections[rebuilds % projections.length]!
      const options = { pool, events: log, decode: codec.decode, log: silentLog, id: `rebuild-${rebuilds}` }
      expect((await rebuild({ ...options, projection })).changedOrgs, projection.name).to.deep.equal([])
      rebuilds += 1
    }
    await appending
    const rate = Math.round(((history.length - 1_000) * 1_000) / (performance.now() - started))
    await Promise.all(readers)
    const events = await storedEvents(store.url)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await log.close()
    await store.close()
    await expectFolded(pool, events)
    expect(wrongSamples(samples, decoded(events))).to.deep.equal([])
    process.stdout.write(`    ${rebuilds} rebuilds, ${samples.length} reads, ${rate} events/s\n`)

    async function readOften(reader: number, read: typeof inStatement): Promise<void> {
      const stood = new Map<string, bigint>()
      while (!done) {
        // Mostly of the projection that is rebuilt now.
        const at = random(2) === 0 ? rebuilds : random(projections.length)
        const projection = projections[at % projections.length]!
        const org = `org-${random(ORGS)}`
        const sample = await read(pool, projection, org)
        const name = `${reader} ${projection.name} ${org}`
        expect(sample.position >= (stood.get(name) ?? 0n), `${name} at ${sample.position}`).to.equal(true)
        stood.set(name, sample.position)
        samples.push(sample)
        await sleep(random(40))
      }
    }
  })
})

const namesOf = ({ row }: AnyProjection) => Object.keys(row.shape)

/** As the read API reads: one statement that sees the checkpoint and the rows. */
async function inStatement(pool: Pool, projection: AnyProjection, org: string): Promise<Sample> {
  const names = namesOf(projection).map(name => `t.${quoted(name)}`)
  const order = projection.key.map(name => `t.${quoted(name)}`).join(', ')
  const { rows } = await pool.query({
    name: `sample ${projection.name}`,
    text: `select c.position as at, ${names.join(', ')} from ${checkpointsSql([projection])}
           left join ${quoted(tableOf(projection))} t on t."org" = $2 order by ${order}`,
    values: [bucketOf(org), org],
    rowMode: 'array',
  })
  const found = rows as unknown as unknown[][]
  const present = found.filter(values => values[1 + namesOf(projection).indexOf('org')] !== null)
  return sampleOf(projection, org, found[0]![0] as bigint, present)
}

/** As a check reads: a transaction that sees one instant, beginning with the lock that keeps the tables in place. */
async function inTransaction(pool: Pool, projection: AnyProjection, org: string): Promise<Sample> {
  const client = await pool.connect()
  try {
    await client.query('begin isolation level repeatable read read only')
    await client.query(`lock table ${quoted(tableOf(projection))} in access share mode`)
    const { name, version } = projection
    const { rows: checkpoints } = await client.query(
      'select position from checkpoints where projection = $1 and version = $2 and bucket = $3',
      [name, version, bucketOf(org)],
    )
    await sleep(20)
    const { rows } = await client.query({
      text: `select null, ${quotedList(namesOf(projection))} from ${quoted(tableOf(projection))}
             where "org" = $1 order by ${quotedList(projection.key)}`,
      values: [org],
      rowMode: 'array',
    })
    await client.query('commit')
    return sampleOf(projection, org, checkpoints[0].position, rows as unknown as unknown[][])
  } finally {
    client.release()
  }
}

function sampleOf(projection: AnyProjection, org: string, position: bigint, rows: readonly unknown[][]): Sample {
  const objects = rows.map(([, ...values]) => {
    const entries = namesOf(projection).map((name, at) => [name, values[at]] as const)
    return fromDatabase(projection, Object.fromEntries(entries))
  })
  const { rows: count, sha256 } = tableDigest(objects)
  return { projection, org, position, rows: `${count} rows ${sha256}` }
}

/** The reads that answered something else than the pure fold makes of the log up to their position. */
function wrongSamples(samples: readonly Sample[], events: readonly DomainEvent[]): readonly string[] {
  const folded: FoldedRows = new Map()
  let next = 0
  return [...samples]
    .sort((a, b) => (a.position < b.position ? -1 : 1))
    .flatMap(({ projection, org, position, rows }) => {
      for (; next < events.length && events[next]!.position <= position; next += 1) {
        foldEvent(projections, folded, events[next]!)
      }
      const { rows: count, sha256 } = tableDigest(sortedRows(folded, projection).filter(row => row.org === org))
      return rows === `${count} rows ${sha256}` ? [] : [`${projection.name} of ${org} at ${position}`]
    })
}
