#!/usr/bin/env node
/** The CLI: one verb, one file. */
import { Command } from 'commander'
import { endWithParent } from '../infra/children.ts'
import { auditCommand } from './audit.ts'
import { checkCommand } from './check.ts'
import { commandApiCommand } from './command-api.ts'
import { demoCommand } from './demo.ts'
import { devCommand } from './dev.ts'
import { doctorCommand } from './doctor.ts'
import { endWithUsage, fail, forgivePipes } from './failing.ts'
import { importCommand } from './import.ts'
import { migrateCommand } from './migrate.ts'
import { projectionsCommand } from './projections.ts'
import { projectorCommand } from './projector.ts'
import { readApiCommand } from './read-api.ts'
import { rebuildCommand } from './rebuild.ts'
import { storeCommand } from './store.ts'
import { tokenCommand } from './token.ts'

endWithParent()
forgivePipes()

const kogi = new Command('kogi')
  .description('Kogi: the system of record of the independent worker')
  .version('0.1.0')
  .showHelpAfterError('(run it with --help to see what it takes)')
  .configureHelp({ sortSubcommands: false })

for (const verb of [
  devCommand(),
  demoCommand(),
  tokenCommand(),
  importCommand(),
  auditCommand(),
  checkCommand(),
  doctorCommand(),
  projectionsCommand(),
  rebuildCommand(),
  commandApiCommand(),
  readApiCommand(),
  projectorCommand(),
  storeCommand(),
  migrateCommand(),
]) {
  kogi.addCommand(verb)
}

endWithUsage(kogi)
await kogi.parseAsync().catch(error => fail(error))
