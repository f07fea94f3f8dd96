import { Command } from 'commander'
import { openEngines } from '../infra/engines.ts'
import { createLog } from '../infra/log.ts'
import { migrateAll } from '../infra/migrate.ts'
import { configFrom } from './serve.ts'

/** `kogi migrate`: brings both databases to the newest schema. */
export const migrateCommand = () =>
  new Command('migrate')
    .description('bring the databases of the read models and of the keys to the newest schema')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .addHelpText('after', '\nExample:\n  $ kogi migrate')
    .action(async (options: { data?: string }) => {
      const config = configFrom(options)
      const log = createLog({ service: 'kogi-migrate', level: config.logLevel, fd: 2 })
      const engines = await openEngines(config, log)
      try {
        for (const [set, names] of Object.entries(await migrateAll(engines, log))) {
          console.log(`${set}: ${names.length === 0 ? 'up to date' : names.join(', ')}`)
        }
      } finally {
        await engines.close()
      }
    })
