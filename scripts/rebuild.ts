import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { codec, domainStreamPrefixes, projections } from '../infra/catalogue.ts'
import { openEngines } from '../infra/engines.ts'
import { eventLog } from '../infra/event-store/reader.ts'
import { createLog } from '../infra/log.ts'
import { createPool } from '../infra/postgres.ts'
import { lagBetween } from '../projections/lag.ts'
import { rebuild } from '../projections/runner/rebuild.ts'
import { configFrom } from './serve.ts'
import { progress } from './terminal.ts'

const HELP = `
The new tables are built beside those that are read, from the first event on. When they stand where the old ones stand,
they take their place within one transaction, and rows that were others before are reported. Reads and the projector go
on meanwhile; nothing that events have caused happens again.

Example:
  $ kogi rebuild balances`

/** `kogi rebuild <projection>`: its tables anew, while the old ones are read. */
export const rebuildCommand = () =>
  new Command('rebuild')
    .description('build the tables of a projection anew, beside those that are read')
    .argument('<projection>', `one of ${projections.map(({ name }) => name).join(', ')}`)
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .addHelpText('after', HELP)
    .action(async (name: string, options: { data?: string }) => {
      const projection = projections.find(each => each.name === name)
      if (!projection)
        throw new KogiError('unknown_projection', `There is no projection ${name}: see kogi projections.`)
      const config = configFrom(options)
      const log = createLog({ service: 'kogi-rebuild', level: config.logLevel, fd: 2 })
      const engines = await openEngines(config, log)
      const pool = createPool({ url: engines.databaseUrl, name: 'read', log })
      const events = eventLog({ url: engines.eventStoreUrl, prefixes: domainStreamPrefixes })
      const total = await lagBetween(events, 0n, await events.head())
      const bar = progress(`rebuilding ${name}`, Math.max(1, total.events))
      const abort = new AbortController()
      process.once('SIGINT', () =>
        abort.abort(new KogiError('aborted', 'The rebuild was given up; nothing has changed.')),
      )
      try {
        const rebuilt = await rebuild({
          projection,
          pool,
          events,
          decode: codec.decode,
          log,
          id: `rebuild:${process.pid}:${randomBytes(4).toString('hex')}`,
          signal: abort.signal,
          onBatch: batch => bar.advance(batch.events),
        })
        bar.stop()
        console.log(`${name}: ${rebuilt.rows} rows of ${rebuilt.orgs} orgs at position ${rebuilt.position}`)
        if (rebuilt.changedOrgs.length === 0) console.log('every row is what it was before')
        else
          console.log(
            `the rows of ${rebuilt.changedOrgs.length} orgs were others before: ${rebuilt.changedOrgs.join(', ')}`,
          )
      } finally {
        await Promise.allSettled([events.close(), pool.end()])
        await engines.close()
      }
    })
