import { Command } from 'commander'
import { toWire } from '../domain/kernel/json.ts'
import { codec, domainStreamPrefixes, projections } from '../infra/catalogue.ts'
import { openEngines } from '../infra/engines.ts'
import { eventLog } from '../infra/event-store/reader.ts'
import { createLog } from '../infra/log.ts'
import { createPool, withTransaction } from '../infra/postgres.ts'
import { type CheckedTable, checkTables } from '../projections/check.ts'
import { lagBetween } from '../projections/lag.ts'
import { least } from '../projections/runner/positions.ts'
import { configFrom } from './serve.ts'
import { progress, table } from './terminal.ts'

type Options = { readonly data?: string; readonly org?: string; readonly json?: boolean }

const HELP = `
The rows of every table are read at one instant, and the log is folded anew up to the position that they stand for, so
it runs beside a system at work. Ends with 1 where a table differs, and shows the first row that does.

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
    .action(async (options: Options) => {
      const checked = await check(options)
      const differences = checked.flatMap(({ differences }) => differences)
      if (options.json) console.log(JSON.stringify({ equal: differences.length === 0, tables: toWire(checked) }))
      else show(checked)
      if (differences.length > 0) process.exitCode = 1
    })

async function check(options: Options): Promise<readonly CheckedTable[]> {
  const config = configFrom(options)
  const log = createLog({ service: 'kogi-check', level: config.logLevel, fd: 2 })
  const engines = await openEngines(config, log)
  const pool = createPool({ url: engines.databaseUrl, name: 'read', log })
  const events = eventLog({ url: engines.eventStoreUrl, prefixes: domainStreamPrefixes })
  const total = await lagBetween(events, 0n, await events.head())
  const bar = progress('folding the log', Math.max(1, total.events))
  try {
    return await withTransaction(
      pool,
      client =>
        checkTables({
          client,
          events,
          decode: codec.decode,
          projections,
          onProgress: bar.advance,
          ...(options.org !== undefined && { org: options.org }),
        }),
      { isolation: 'repeatable read', readOnly: true },
    )
  } finally {
    bar.stop()
    await Promise.allSettled([events.close(), pool.end()])
    await engines.close()
  }
}

function show(checked: readonly CheckedTable[]): void {
  const lines = checked.map(({ table, orgs, rows, sha256, differences }) => {
    const verdict = differences.length === 0 ? 'equal' : `${differences.length} orgs differ`
    return [table, String(orgs), String(rows), sha256.slice(0, 16), verdict]
  })
  console.log(table(['table', 'orgs', 'rows', 'sha256', 'log'], lines, ['orgs', 'rows']))
  console.log(`every org as of its checkpoint at one instant; all tables had reached ${least(checked.map(reached))}`)
  for (const difference of checked.flatMap(({ differences }) => differences.slice(0, 1))) {
    console.log(JSON.stringify(toWire(difference), null, 2))
  }
}

const reached = ({ position }: CheckedTable) => position
