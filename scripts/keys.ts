import { Command } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import type { EngineUrls } from '../infra/engines.ts'
import { countKinds, rewrap, unknownMasters } from '../infra/erasures/keys.ts'
import type { Log } from '../infra/log.ts'
import { type MasterKeys, masterKeysOf } from '../infra/master-keys.ts'
import { noteOperation } from '../infra/operations.ts'
import { createPool, type Pool } from '../infra/postgres.ts'
import { secretMasters } from '../infra/secrets/master.ts'
import { countSecrets, rewrapSecrets } from '../infra/secrets/values.ts'
import { STATUS, statusHelp } from './failing.ts'
import { type OperatorOptions, operate, print } from './operator.ts'
import { progress, table } from './terminal.ts'

type RotateOptions = OperatorOptions & { readonly all?: true }
type Ran = {
  readonly options: RotateOptions
  readonly keys: Pool
  readonly masters: MasterKeys
  /** Those of secrets, which development has one of its own for. */
  readonly ofSecrets: MasterKeys
  readonly engines: EngineUrls
  readonly log: Log
}

const HELP = `
Keys of personal data are wrapped under the first master key of KOGI_MASTER_KEYS, and unwrapped under all of them. To
rotate: put a new one first in the settings of all processes and start them anew, run kogi keys rotate, and take the old
one out of the settings. Backups from before stay wrapped under the old one: keep it as long as any of them, away from
the system at work. What is wrapped under a master key that is lost cannot be read any more. A key of Vault keeps its
name when Vault rotates it: --all wraps every key anew, so that Vault's older versions of it are needed no more.
${statusHelp('keys are wrapped under a master key that is not set')}

Examples:
  $ openssl rand -base64 32 > master-2.key
  $ KOGI_MASTER_KEYS=master-2.key,master-1.key kogi keys rotate`

/** `kogi keys`: how the keys of personal data are kept, and `kogi keys rotate`. */
export const keysCommand = () =>
  withCommon(new Command('keys'))
    .description('show how the keys of personal data are kept: in the clear, or under which master key')
    .addHelpText('after', HELP)
    .action((options: OperatorOptions) => run(options, show))
    .addCommand(
      withCommon(new Command('rotate'))
        .description('wrap every key under the first master key, beside a system at work')
        .option('--all', 'those that are under it already, too')
        .addHelpText('after', statusHelp())
        .action((_: unknown, command: Command) => run(command.optsWithGlobals<RotateOptions>(), rotate)),
    )

const withCommon = (command: Command): Command =>
  command
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of text')

const run = (options: RotateOptions, work: (ran: Ran) => Promise<void>) =>
  operate('keys', options, async ({ engines, config, log }) => {
    const masters = masterKeysOf(config)
    const keys = createPool({ url: engines.keysDatabaseUrl, name: 'keys', log, max: 1 })
    try {
      await work({ options, keys, masters, ofSecrets: secretMasters(config), engines, log })
    } finally {
      await keys.end()
    }
  })

async function show({ options, keys, masters, ofSecrets }: Ran): Promise<void> {
  const kinds = await countKinds(keys)
  const secrets = await countSecrets(keys)
  const unknown = [
    ...(await unknownMasters(keys, masters)),
    ...secrets.flatMap(({ master }) => (ofSecrets.names.includes(master) ? [] : master)),
  ]
  const missing = (master: string | null) =>
    master !== null && unknown.includes(master) ? 'this master key is not set' : ''
  const rows = kinds.map(({ master, destroyed, keys: count }) => [
    destroyed ? 'destroyed' : master === null ? 'in the clear' : `under ${master}`,
    String(count),
    missing(master),
  ])
  const ofVault = secrets.map(({ master, secrets: count }) => [
    `secrets under ${master}`,
    String(count),
    missing(master),
  ])
  const all = table(['keys', 'count', ''], [...rows, ...ofVault], ['count'])
  print(options, { kinds, secrets, masters: masters.names, unknown }, all)
  if (unknown.length > 0) process.exitCode = STATUS.no
}

async function rotate({ options, keys, masters, ofSecrets, engines, log }: Ran): Promise<void> {
  const [current] = masters.names
  if (current === undefined) {
    throw new KogiError('invalid_parameter', 'KOGI_MASTER_KEYS names no master key: there is nothing to wrap under.')
  }
  const kinds = await countKinds(keys)
  const isAll = options.all === true
  const others = kinds.filter(({ master, destroyed }) => !destroyed && (isAll || master !== current))
  const bar = progress(
    'Wrapping',
    others.reduce((sum, { keys: count }) => sum + count, 0),
    'keys',
  )
  try {
    const wrapped = await rewrap(keys, masters, bar.advance, isAll)
    bar.finish()
    const secrets = await rewrapSecrets(keys, ofSecrets, isAll)
    const done = `${wrapped} keys and those of ${secrets} secrets`
    await noteOperation(engines, log, { what: 'keys_rotated', done: `${done} wrapped under ${current}` })
    print(options, { wrapped, secrets, master: current }, `${done} were wrapped under ${current}.`)
  } finally {
    bar.stop()
  }
}
