#!/usr/bin/env node
/** The CLI: one verb, one file. */
import { Command } from 'commander'
import { endWithParent } from '../infra/children.ts'
import { endWithUsage, fail, forgivePipes } from './failing.ts'

/** Every verb, in the order of the help. Each loads what it needs, and nothing of the others. */
const VERBS: Readonly<Record<string, () => Promise<Command>>> = {
  dev: async () => (await import('./dev.ts')).devCommand(),
  demo: async () => (await import('./demo.ts')).demoCommand(),
  token: async () => (await import('./token.ts')).tokenCommand(),
  import: async () => (await import('./import.ts')).importCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  projections: async () => (await import('./projections.ts')).projectionsCommand(),
  backup: async () => (await import('./backup.ts')).backupCommand(),
  restore: async () => (await import('./restore.ts')).restoreCommand(),
  rebuild: async () => (await import('./rebuild.ts')).rebuildCommand(),
  'command-api': async () => (await import('./command-api.ts')).commandApiCommand(),
  'read-api': async () => (await import('./read-api.ts')).readApiCommand(),
  projector: async () => (await import('./projector.ts')).projectorCommand(),
  store: async () => (await import('./store.ts')).storeCommand(),
  migrate: async () => (await import('./migrate.ts')).migrateCommand(),
}

endWithParent()
forgivePipes()

const kogi = new Command('kogi')
  .description('Kogi: the system of record of the independent worker')
  .version('0.1.0')
  .showHelpAfterError('(run it with --help to see what it takes)')
  .configureHelp({ sortSubcommands: false })

const asked = process.argv[2] ?? ''
const verbs = Object.hasOwn(VERBS, asked) ? [VERBS[asked]!] : Object.values(VERBS)
for (const verb of verbs) kogi.addCommand(await verb())

endWithUsage(kogi)
await kogi.parseAsync().catch(error => fail(error))
