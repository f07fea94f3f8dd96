/** `kogi witness`: cosigns the checkpoints of logs of others. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Command, InvalidArgumentError } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { lockFolder } from '../infra/embedded/event-store/care/lock.ts'
import { signerIn } from '../infra/notary/keys.ts'
import { witnessServer } from '../infra/notary/witness-server.ts'
import { witnessOf, witnessText } from '../projections/notary/cosignature.ts'
import { collect, verifierIn } from './log-keys.ts'

type Options = {
  readonly name: string
  readonly key: string
  readonly log: readonly string[]
  readonly state: string
  readonly host: string
  readonly port: number
}

const HELP = `
A witness that somebody else runs makes it impossible to show two histories of a log to two persons. It speaks
the C2SP witness protocol, remembers the last checkpoint of each log in the folder of --state, which it must not
lose, and prints its public key: auditors name it with kogi audit verify --witness, and the log with
KOGI_NOTARY_WITNESSES='<public key> <address>'.

Example:
  $ openssl genpkey -algorithm ed25519 -out witness.pem
  $ kogi witness --name witness.example/w1 --key witness.pem --state ./witness --log example.com/kogi+1a2b3c4d+AbC…`

export const witnessCommand = (): Command =>
  new Command('witness')
    .description('cosign the checkpoints of other logs, as a witness')
    .requiredOption('--name <name>', 'name of the witness, such as witness.example/w1', nameOption)
    .requiredOption('--key <file>', 'its private Ed25519 key in PEM, which nothing else uses')
    .option('--log <key>', 'public key of a log, or a file with it; required, may be repeated', collect, [])
    .requiredOption('--state <folder>', 'what it remembers of each log')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port; 0 for a free one', portOption, 0)
    .addHelpText('after', HELP)
    .action(serve)

function nameOption(text: string): string {
  if (/^[^\s+]{1,200}$/.test(text)) return text
  throw new InvalidArgumentError('a name has no white space and no plus sign')
}

function portOption(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('a port is a whole number up to 65535')
}

async function serve({ name, key, log, state, host, port }: Options): Promise<void> {
  if (log.length === 0) throw new KogiError('invalid_parameter', 'Name the logs that are cosigned with --log.')
  const signer = await signerIn(name, key)
  const logs = await Promise.all(log.map(verifierIn))
  const lock = await lockFolder(state)
  const server = witnessServer({
    signer,
    logs,
    folder: state,
    mayWrite: lock.check,
    now: () => Math.floor(Date.now() / 1_000),
  })
  server.listen(port, host)
  await once(server, 'listening')
  const { port: bound } = server.address() as AddressInfo
  process.stdout.write(`ready http://${host}:${bound}\n${witnessText(witnessOf(signer))}\n`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      server.close(() => {
        lock.release()
        process.exit(0)
      })
      server.closeIdleConnections()
    })
  }
}
