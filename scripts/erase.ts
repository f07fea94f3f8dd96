import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { execute } from '../commands/execute.ts'
import { parseBody } from '../commands/requests.ts'
import { type Erasures, erasure } from '../domain/audit/erasure/erasure.ts'
import { events } from '../domain/audit/erasure/messages.ts'
import { memberOf } from '../domain/record/keyed.ts'
import { stateOf } from '../infra/things.ts'
import { openWriteSide } from '../infra/write-side.ts'
import { STATUS, statusHelp } from './failing.ts'
import { type OperatorOptions, operate, print } from './operator.ts'

/** How long is waited until a worker has carried the erasure out. */
const ACT_MS = 10_000
const LOOK_MS = 200

type Options = OperatorOptions & {
  readonly org: string
  readonly basis: string
  readonly reason: string
  readonly by: string
}

const HELP = `
The erasure is an event of the log, which a worker carries out: it destroys the key that the person's data is sealed
under, and removes the bytes of their files. Nothing brings them back; what the log holds of them stays sealed for good,
and all proofs hold. GET /api/v1/kmg/erasures has the receipts.
${statusHelp('the erasure is in the log, and no worker has carried it out yet')}

Example:
  $ kogi erase jon --org acme --basis consent_withdrawn --reason "request 2026-118"`

/** `kogi erase <subject>`: erases a person's data. */
export const eraseCommand = () =>
  new Command('erase')
    .description("erase a person's data for good")
    .argument('<subject>', 'whose data, as tokens name the person (sub)')
    .requiredOption('--org <id>', 'organization that the data is in')
    .requiredOption('--basis <ground>', `legal ground: ${events.SubjectErased.shape.basis.options.join(', ')}`)
    .requiredOption('--reason <text>', 'why; the log keeps it for ever, so write nothing personal in it')
    .option('--by <id>', 'who erases', 'kogi-operator')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', HELP)
    .action((subject: string, options: Options) => erase(subject, options))

const erase = (subject: string, options: Options) =>
  operate('erase', options, async ({ engines, config, log }) => {
    const { org, basis, reason, by } = options
    const body = parseBody(erasure.commands.erase, { subject, basis, reason })
    const { deps, close } = openWriteSide(engines, config, log)
    try {
      const { position, events: made } = await execute(deps, {
        aggregate: erasure,
        name: 'erase',
        id: erasure.only!,
        opens: true,
        body,
        idempotencyKey: crypto.randomUUID(),
        principal: { subject: by, org, roles: [], permissions: [] },
        correlationId: crypto.randomUUID(),
      })
      const isCompleted = async () =>
        memberOf(((await stateOf(deps, erasure, { org, id: erasure.only! })) as Erasures).subjects, subject) ===
        'completed'
      let completed = await isCompleted()
      for (const end = Date.now() + ACT_MS; !completed && Date.now() < end; completed = await isCompleted()) {
        await sleep(LOOK_MS)
      }
      const before = made.length === 0 ? ' before' : ''
      const text = completed
        ? `The personal data of ${subject} was erased${before}: the key is destroyed.`
        : `The erasure of ${subject} is in the log, and waits for a worker (kogi worker, or kogi dev): one that runs ` +
          'carries it out once files of the last five minutes are older.'
      print(options, { subject, org, position, completed, already: made.length === 0 }, text)
      if (!completed) process.exitCode = STATUS.no
    } finally {
      await close()
    }
  })
