import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { codec, projections } from '../infra/catalogue.ts'
import type { Pool } from '../infra/postgres.ts'
import { lagBetween } from '../projections/care/lag.ts'
import { type Checkpoint, readCheckpoints } from '../projections/ownership/checkpoints.ts'
import { rebuild } from '../projections/rebuild/rebuild.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { tableOf } from '../projections/rows/tables.ts'
import { named } from './check.ts'
import { statusHelp } from './failing.ts'
import { type OperatorOptions, operate, print, projectionNamed, type Tools } from './operator.ts'
import { abortedByStop } from './stop-signal.ts'
import { progress } from './terminal.ts'

type Rebuilt = Awaited<ReturnType<typeof rebuild>>

const GIVING_UP = 'giving up, unless the new tables are in place already'

const HELP = `
The new tables are built beside those that are read, from the first event on. When they have reached the positions of
the old ones, they take their place within one transaction, and rows that were different before are reported. Reads and
the projector go on meanwhile; nothing that events have caused happens again. A rebuild that fails or is given up has
changed nothing.
${statusHelp()}

Example:
  $ kogi rebuild balances`

/** `kogi rebuild <projection>`: builds its tables anew, while the old ones are read. */
export const rebuildCommand = () =>
  new Command('rebuild')
    .description('build the tables of a projection anew, beside those that are read')
    .argument('<projection>', `one of ${projections.map(({ name }) => name).join(', ')}`)
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of lines')
    .addHelpText('after', HELP)
    .action((name: string, options: OperatorOptions) => {
      const signal = abortedByStop(GIVING_UP, 'The rebuild was given up; nothing has changed.')
      return operate('rebuild', options, async tools => {
        const projection = projectionNamed(name)
        const rebuilt = await rebuildBeside(tools, projection, signal)
        const stopped = (await readCheckpoints(tools.pool, [projection])).filter(({ state }) => state !== 'running')
        print(options, { projection: name, ...rebuilt, stopped }, textOf(name, rebuilt, stopped))
      })
    })

async function rebuildBeside({ pool, events, log }: Tools, projection: AnyProjection, signal: AbortSignal) {
  const total = await lagBetween(events, 0n, await events.head())
  const before = await oidOf(pool, projection)
  const bar = progress(`rebuilding ${projection.name}`, total.events)
  try {
    const rebuilt = await rebuild({
      projection,
      pool,
      events,
      decode: codec.decode,
      log,
      id: `rebuild:${process.pid}:${randomBytes(4).toString('hex')}`,
      signal,
      onBatch: batch => bar.advance(batch.events),
      onSwapped() {
        bar.finish()
        process.stderr.write('the new tables are in place; comparing them with what was there\n')
      },
    })
    return rebuilt
  } catch (error) {
    bar.stop()
    if (signal.aborted) throw signal.reason
    if (error instanceof KogiError && error.code === 'engine_unavailable') {
      const outcome = await outcomeOf(pool, projection, before)
      throw new KogiError(error.code, `${error.message} ${outcome}`, [], { cause: error.cause })
    }
    throw error
  } finally {
    bar.stop()
  }
}

const OUTCOME_TRIES = 10
const OUTCOME_WAIT_MS = 1_000

/** The sentence that says what a rebuild that lost an engine has changed: all of the tables, or nothing. */
async function outcomeOf(pool: Pool, projection: AnyProjection, before: string | null): Promise<string> {
  const again = 'Run it again: what it left behind is removed then'
  for (let tries = 0; before !== null && tries < OUTCOME_TRIES; tries += 1) {
    const now = await oidOf(pool, projection).catch(() => undefined)
    if (now === before) return `The rebuild was given up; nothing has changed. ${again}.`
    if (now) return 'The new tables are in place; which rows were different before is not known.'
    await new Promise(resolve => setTimeout(resolve, OUTCOME_WAIT_MS))
  }
  return `The rebuild was given up: either nothing has changed, or all of the new tables are in place. ${again}.`
}

async function oidOf(pool: Pool, projection: AnyProjection): Promise<string | null> {
  const { rows } = await pool.query<{ oid: string | null }>('select to_regclass(quote_ident($1))::oid::text as oid', [
    tableOf(projection),
  ])
  return rows[0]!.oid
}

function textOf(name: string, { rows, orgs, position, changedOrgs }: Rebuilt, stopped: readonly Checkpoint[]): string {
  const changed = `the rows of ${changedOrgs.length} orgs were different before: ${named(changedOrgs)}`
  return [
    `${name}: ${rows} rows of ${orgs} orgs at position ${position}`,
    changedOrgs.length === 0 ? 'every row is what it was before' : changed,
    ...stopped.map(({ version, bucket, state, error }) => {
      const event = `${error?.type} at position ${error?.position}`
      return `${name}_v${version}/${bucket} is still ${state} by ${event}: ${error?.error}`
    }),
    ...(stopped.length > 0
      ? [`a rebuild goes no further than that: kogi projections retry ${name} once it is mended, or skip the event`]
      : []),
  ].join('\n')
}
