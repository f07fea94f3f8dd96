import { Command } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { toWire } from '../domain/kernel/json.ts'
import { codec, projections } from '../infra/catalogue.ts'
import { type MissingKey, missingKeysSaid, missingPersonalKeys } from '../infra/missing-keys.ts'
import { createPool, withTransaction } from '../infra/postgres.ts'
import { type CheckedTable, checkTables } from '../projections/care/check.ts'
import { lagBetween } from '../projections/care/lag.ts'
import { type Checkpoint, readCheckpoints } from '../projections/ownership/checkpoints.ts'
import type { EventLog } from '../projections/ports.ts'
import { least } from '../projections/rows/positions.ts'
import { tablesOf } from '../projections/rows/tables.ts'
import { statusHelp } from './failing.ts'
import { type OperatorOptions, operate, print, type Tools } from './operator.ts'
import { type Progress, progress, table } from './terminal.ts'

type Options = OperatorOptions & { readonly org?: string }
type Checked = {
  readonly head: bigint
  readonly tables: readonly CheckedTable[]
  /** Checkpoints that an event has stopped: they were compared as of the event before. */
  readonly stopped: readonly Checkpoint[]
}

/** How many orgs are named for each table that differs. */
const NAMED_MAX = 10
/** Sealed texts of each column whose keys are looked for. */
const SEALED_ROWS_MAX = 100_000

const HELP = `
The rows of every table are read at one instant, and the log is folded anew up to the position that they stand for, so
it runs beside a system at work. A projection that an event has stopped is compared as of the event before, and that is
said. Shows the organizations whose rows differ, and the first row that does. Looks also whether the keys of sealed
texts are there: one that is missing, and was not erased, means that their database is a wrong one or lost some.
${statusHelp('a table differs, or a key is missing')}

Examples:
  $ kogi check
  $ kogi check --org acme --json`

/** `kogi check`: whether the read models are what the log says. */
export const checkCommand = () =>
  new Command('check')
    .description('fold the log anew and compare every read model with it, org by org')
    .option('--org <id>', 'only this organization')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of a table')
    .addHelpText('after', HELP)
    .action((options: Options) =>
      operate('check', options, async tools => {
        const { head, tables, stopped } = await check(tools, options.org)
        const equal = isEqual({ tables })
        const missingKeys = await missingKeysOf(tools, options.org)
        const said =
          missingKeys.length > 0
            ? `
${missingKeysSaid(missingKeys)}`
            : ''
        print(options, { equal, head, stopped, tables, missingKeys }, textOf({ head, tables, stopped }) + said)
        if (!equal || missingKeys.length > 0) process.exitCode = 1
      }),
    )

async function missingKeysOf({ pool, engines, log }: Tools, org: string | undefined): Promise<readonly MissingKey[]> {
  const keys = createPool({ url: engines.keysDatabaseUrl, name: 'keys', log, max: 1 })
  try {
    return (await missingPersonalKeys({ rows: pool, keys }, projections, { rowsMax: SEALED_ROWS_MAX, org })).missing
  } finally {
    await keys.end()
  }
}

/** Folds the log and compares the read models with it, with progress on standard error. */
export async function check({ pool, events }: Pick<Tools, 'pool' | 'events'>, org?: string): Promise<Checked> {
  const head = await events.head()
  const total = await lagBetween(events, 0n, head)
  const counted = counting(events, org)
  const folding = progress('folding the log', total.events)
  let comparing: Progress | undefined
  try {
    const checked = await withTransaction(
      pool,
      async client => {
        const tables = await checkTables({
          client,
          events: counted.events,
          decode: codec.decode,
          projections,
          onProgress: folding.advance,
          onComparing() {
            folding.finish()
            if (comparing) comparing.advance()
            else comparing = progress('comparing the rows', projections.flatMap(tablesOf).length, 'tables')
          },
          ...(org !== undefined && { org }),
        })
        const checkpoints = await readCheckpoints(client, projections)
        return { head, tables, stopped: checkpoints.filter(({ state }) => state !== 'running') }
      },
      { isolation: 'repeatable read', readOnly: true },
    )
    comparing?.finish()
    if (org !== undefined) mustBeSomewhere(org, checked, counted.found())
    return checked
  } finally {
    folding.stop()
    comparing?.stop()
  }
}

/** The log, and how many of the events that were read from it are an organization's. */
function counting(events: EventLog, org: string | undefined) {
  let found = 0
  async function* read(options: Parameters<EventLog['read']>[0]) {
    for await (const list of events.read(options)) {
      if (org !== undefined) found += list.filter(({ metadata }) => metadata?.org === org).length
      yield list
    }
  }
  return { events: { ...events, read }, found: () => found }
}

/** Refuses an organization that is in no event and no table: its rows would be equal, none on either side. */
function mustBeSomewhere(org: string, { tables }: Checked, events: number): void {
  if (events > 0 || tables.some(({ orgs, differences }) => orgs > 0 || differences.length > 0)) return
  const upTo = least(tables.map(reached))
  const message = `Neither the log, up to position ${upTo}, nor any table knows an organization ${JSON.stringify(org)}.`
  throw new KogiError('unknown_org', message)
}

export const isEqual = ({ tables }: Pick<Checked, 'tables'>): boolean =>
  tables.every(({ differences }) => differences.length === 0)

function textOf({ head, tables, stopped }: Checked): string {
  const lines = tables.map(({ table, orgs, rows, sha256, differences }) => {
    const verdict = differences.length === 0 ? 'equal' : `${differences.length} orgs differ`
    return [table, String(orgs), String(rows), sha256.slice(0, 16), verdict]
  })
  const differing = tables.filter(({ differences }) => differences.length > 0)
  return [
    table(['table', 'orgs', 'rows', 'sha256', 'log'], lines, ['orgs', 'rows']),
    `every org as of its checkpoint at one instant; all tables had reached ${least(tables.map(reached))} of ${head}`,
    ...stopped.map(stoppedLine),
    ...differing.flatMap(({ table, differences }) => [
      `${table} differs in ${named(differences.map(({ org }) => org))}; the first row that does:`,
      JSON.stringify(toWire(differences[0]!), null, 2),
    ]),
  ].join('\n')
}

const stoppedLine = ({ projection, version, bucket, state, position, error }: Checkpoint): string =>
  `${projection}_v${version}/${bucket} is ${state} at ${error?.type}, position ${error?.position}, and was compared ` +
  `as of position ${position}: what comes after it is not in its rows; see kogi projections`

/** `a, b, c and 4 more`. */
export function named(names: readonly string[], max = NAMED_MAX): string {
  const more = names.length - max
  return `${names.slice(0, max).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const reached = ({ position }: CheckedTable) => position
