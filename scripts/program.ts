/** The verbs of the CLI as one command of commander. */
import { Command } from 'commander'
import { VERSION } from '../infra/version.ts'

/** Every verb, in the order of the help. Each loads what it needs, and nothing of the others. */
const VERBS: Readonly<Record<string, () => Promise<Command>>> = {
  dev: async () => (await import('./dev.ts')).devCommand(),
  demo: async () => (await import('./demo.ts')).demoCommand(),
  token: async () => (await import('./token.ts')).tokenCommand(),
  import: async () => (await import('./import.ts')).importCommand(),
  imports: async () => (await import('./imports/statement.ts')).importsCommand(),
  books: async () => (await import('./books.ts')).booksCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
  notary: async () => (await import('./notary.ts')).notaryCommand(),
  witness: async () => (await import('./witness.ts')).witnessCommand(),
  erase: async () => (await import('./erase.ts')).eraseCommand(),
  memory: async () => (await import('./memory.ts')).memoryCommand(),
  subject: async () => (await import('./subject.ts')).subjectCommand(),
  keys: async () => (await import('./keys.ts')).keysCommand(),
  users: async () => (await import('./users.ts')).usersCommand(),
  'signing-keys': async () => (await import('./signing-keys.ts')).signingKeysCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  projections: async () => (await import('./projections.ts')).projectionsCommand(),
  processes: async () => (await import('./processes.ts')).processesCommand(),
  backup: async () => (await import('./backup.ts')).backupCommand(),
  restore: async () => (await import('./restore.ts')).restoreCommand(),
  rebuild: async () => (await import('./rebuild.ts')).rebuildCommand(),
  'command-api': async () => (await import('./command-api.ts')).commandApiCommand(),
  'read-api': async () => (await import('./read-api.ts')).readApiCommand(),
  gateway: async () => (await import('./gateway.ts')).gatewayCommand(),
  projector: async () => (await import('./projector.ts')).projectorCommand(),
  relay: async () => (await import('./relay.ts')).relayCommand(),
  worker: async () => (await import('./worker.ts')).workerCommand(),
  store: async () => (await import('./store.ts')).storeCommand(),
  migrate: async () => (await import('./migrate.ts')).migrateCommand(),
}

/** The CLI with one verb, or with all of them where `asked` names none. */
export async function program(asked = ''): Promise<Command> {
  const kogi = new Command('kogi')
    .description('Kogi: the system of record of the independent worker')
    .version(VERSION)
    .showHelpAfterError('(run it with --help to see what it takes)')
    .configureHelp({ sortSubcommands: false })
  const verbs = Object.hasOwn(VERBS, asked) ? [VERBS[asked]!] : Object.values(VERBS)
  for (const verb of verbs) kogi.addCommand(await verb())
  return kogi
}
