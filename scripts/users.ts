import { randomUUID } from 'node:crypto'
import { text as textOf } from 'node:stream/consumers'
import { Command } from 'commander'
import type { User } from '../domain/identity/user/user.ts'
import { KogiError } from '../domain/kernel/errors.ts'
import { directories } from '../infra/access/directories.ts'
import { followedUsers } from '../infra/access/users.ts'
import { createPool } from '../infra/postgres.ts'
import { emailName, nameDigest } from '../infra/sign-in/credentials.ts'
import { openAccounts, openIssuer } from '../infra/sign-in/open.ts'
import { openWriteSide } from '../infra/write-side.ts'
import { statusHelp } from './failing.ts'
import { type OperatorOptions, operate, print } from './operator.ts'

type Opened = ReturnType<typeof openAccounts>
type Work = (opened: Opened, options: OperatorOptions & { readonly reason?: string }) => Promise<void>

const HELP = `
A user is named by their id, or by the address that they sign in with. What is done is an event in the log of the user.
Tokens in hand end within seconds.
${statusHelp()}

Examples:
  $ kogi users add mira@studio.example < password.txt
  $ kogi users recovery-codes mira@studio.example
  $ kogi users suspend mira@studio.example --reason "asked to"`

/** `kogi users`: users who sign in here, as operators look after them. */
export function usersCommand(): Command {
  const users = new Command('users').description('look after the users who sign in here').addHelpText('after', HELP)
  users.addCommand(
    common(new Command('add'))
      .description('add a user, whose password is read from standard input')
      .argument('<email>', 'address to sign in with')
      .action((email: string, options: OperatorOptions) => run(options, (opened, given) => add(opened, given, email))),
  )
  for (const [name, [description, work]] of Object.entries(VERBS)) {
    users.addCommand(
      common(new Command(name))
        .description(description)
        .argument('<user>', 'id of the user, or address')
        .option('--reason <text>', 'why, for the log of the user')
        .action((named: string, options: OperatorOptions) =>
          run(options, async (opened, given) => work(opened, given, await found(opened, named))),
        ),
    )
  }
  return users
}

const common = (command: Command): Command =>
  command
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of text')

type Given = OperatorOptions & { readonly reason?: string }
type OnUser = (opened: Opened, given: Given, user: User) => Promise<void>

const VERBS: Readonly<Record<string, readonly [description: string, work: OnUser]>> = {
  show: ['show how a user signs in, and where they are signed in', show],
  suspend: ['suspend a user: all sessions end, and nobody signs in', standing('suspend', 'suspended')],
  resume: ['end the suspension of a user', standing('resume', 'active')],
  'sign-out': ['end all sessions of a user', signOut],
  'recovery-codes': ['make new recovery codes, for a user who has lost their password or authenticator', newCodes],
}

const run = (options: Given, work: Work) =>
  operate('users', options, async ({ engines, config, log }) => {
    const { deps, close } = openWriteSide(engines, config, log)
    const pool = createPool({ url: engines.keysDatabaseUrl, name: 'keys', log, max: 2 })
    try {
      const { keyring } = deps
      const issuer = openIssuer(config, pool, keyring)
      if (!issuer) throw new KogiError('invalid_parameter', 'Nobody signs in here: KOGI_ISSUER is not set.')
      const [users, orgs] = [followedUsers(deps.store), directories(deps.store)]
      await work(openAccounts({ config, pool, keyring, write: deps, issuer, users, directories: orgs }), options)
    } finally {
      await close()
      await pool.end()
    }
  })

async function found({ users, rows }: Opened, named: string): Promise<User> {
  const row = named.includes('@') ? await rows.byName(nameDigest('email', emailName(named))) : undefined
  const state = await users.of(row?.person ?? named)
  if (state.status === 'none') throw new KogiError('not_found', `There is no user ${named}.`)
  return state
}

async function add({ accounts }: Opened, options: Given, email: string): Promise<void> {
  const password = (await textOf(process.stdin)).replace(/\r?\n$/, '')
  const user = await accounts.add({ email, password }, randomUUID())
  print(options, { user }, `Added the user ${user}.`)
}

async function show({ keyring }: Opened, options: Given, state: User): Promise<void> {
  const [email] = state.email ? await keyring.open(state.user, [state.email]) : []
  const shown = { ...state, email: email ?? null }
  const sessions = state.sessions.map(({ session, org, client, until }) => `${session} ${org} ${client ?? ''} ${until}`)
  const lines = [
    `user            ${state.user}`,
    `address         ${email ?? 'none'}`,
    `status          ${state.status}`,
    `authenticator   ${state.hasTotp ? 'yes' : 'no'}`,
    `passkeys        ${state.passkeys.length}`,
    `recovery codes  ${state.recoveryCodes}`,
    ...sessions.map(line => `session         ${line}`),
  ]
  print(options, shown, lines.join('\n'))
}

function standing(command: 'suspend' | 'resume', status: User['status']): OnUser {
  return async ({ give }, options, { user }) => {
    await give(user, command, options.reason === undefined ? {} : { reason: options.reason }, randomUUID())
    print(options, { user, status }, `The user ${user} is ${status}.`)
  }
}

async function signOut({ sessions }: Opened, options: Given, { user, sessions: open }: User): Promise<void> {
  await sessions.endAll(user, 'by_operator', randomUUID())
  print(options, { user, ended: open.length }, `${open.length} sessions of ${user} were ended.`)
}

async function newCodes({ factors }: Opened, options: Given, { user }: User): Promise<void> {
  const codes = await factors.newRecoveryCodes(user, randomUUID())
  print(options, { user, recovery_codes: codes }, codes.join('\n'))
}
