import { Command } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { erasedSubjects } from '../infra/erasures/erased.ts'
import { commandStore } from '../infra/event-store/command-store.ts'
import { keyring } from '../infra/keyring.ts'
import { masterKeysOf } from '../infra/master-keys.ts'
import { noteOperation } from '../infra/operations.ts'
import { createPool } from '../infra/postgres.ts'
import { openIssuer } from '../infra/sign-in/open.ts'
import type { SigningKeys } from '../infra/sign-in/signing-keys.ts'
import { statusHelp } from './failing.ts'
import { type OperatorOptions, operate, print } from './operator.ts'
import { table } from './terminal.ts'

const HELP = `
Keys follow one another by themselves (KOGI_SIGNING_KEY_DAYS). To rotate at once is for a key that others may have:
--withdraw takes the keys of before out of the published ones, so that tokens signed with them are refused, within five
minutes where they were verified before.
${statusHelp()}

Example:
  $ kogi signing-keys rotate --withdraw`

/** `kogi signing-keys`: the keys that own tokens are signed with, and `kogi signing-keys rotate`. */
export const signingKeysCommand = () =>
  common(new Command('signing-keys'))
    .description('show the keys that tokens of this system are signed with')
    .addHelpText('after', HELP)
    .action((options: OperatorOptions) => run(options, keys => show(keys, options)))
    .addCommand(
      common(new Command('rotate'))
        .description('sign with a new key from now on')
        .option('--withdraw', 'the keys of before count no more')
        .action((_: unknown, command: Command) => {
          const options = command.optsWithGlobals<OperatorOptions & { withdraw?: true }>()
          return run(options, async (keys, note) => {
            const kid = await keys.rotate(options.withdraw && 'withdraw')
            await note(`tokens are signed with ${kid}${options.withdraw ? ', keys of before were withdrawn' : ''}`)
            print(options, { kid }, `Tokens are signed with ${kid} from now on.`)
          })
        }),
    )

const common = (command: Command): Command =>
  command
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of text')

type Note = (done: string) => Promise<void>

const run = (options: OperatorOptions, work: (keys: SigningKeys, note: Note) => Promise<void>) =>
  operate('signing-keys', options, async ({ engines, config, log }) => {
    const pool = createPool({ url: engines.keysDatabaseUrl, name: 'keys', log, max: 2 })
    const store = commandStore(engines.eventStoreUrl)
    try {
      const masters = masterKeysOf(config)
      const issuer = openIssuer(config, pool, keyring(pool, { erased: erasedSubjects(store), masters }))
      if (!issuer) throw new KogiError('invalid_parameter', 'Nobody signs in here: KOGI_ISSUER is not set.')
      await work(issuer.keys, done => noteOperation(engines, log, { what: 'signing_key_rotated', done }))
    } finally {
      await Promise.allSettled([store.close(), pool.end()])
    }
  })

async function show(keys: SigningKeys, options: OperatorOptions): Promise<void> {
  const all = await keys.list()
  const rows = all.map(key => [
    key.kid,
    key.alg,
    key.signs ? 'signs' : Date.parse(key.signs_from) > Date.now() ? 'next' : 'before',
    key.signs_until,
    key.published_until,
  ])
  print(options, { keys: all }, table(['key', 'algorithm', '', 'signs until', 'published until'], rows))
}
