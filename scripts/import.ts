import path from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { loadWallet, type WalletState } from '../commands/imports/wallet-state.ts'
import { currency, id, ORG_ID } from '../domain/kernel/schema.ts'
import { STATEMENT_FORMATS } from '../domain/wallet/statement/file.ts'
import { openEngines } from '../infra/engines.ts'
import { openWriteSide } from '../infra/write-side.ts'
import { importBankStatement, type StatementOptions } from './imports/statement.ts'
import type { OnChange } from './journal/changes.ts'
import type { Reader } from './journal/commas.ts'
import type { CurrencyNames } from './journal/commodities.ts'
import { ImportRefused } from './journal/journal.ts'
import { type Plan, planImport, type Target } from './journal/plan.ts'
import { type ReadJournal, readJournal } from './journal/read.ts'
import { report, showReport } from './journal/report.ts'
import { nothingDone, type Outcome, runImport } from './journal/run.ts'
import { configFrom, quietLog } from './serve.ts'
import { progress } from './terminal.ts'

type Options = {
  readonly wallet: string
  readonly org: string
  readonly subject: string
  readonly kind: Target['kind']
  readonly commodity: CurrencyNames
  readonly source?: string
  readonly changed?: OnChange
  readonly reader?: Reader
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly data?: string
}

const HELP = `
The whole journal is read, balanced and decided in memory first: a refusal names file and line, and nothing is written.
What was imported before is left alone, so that an import that was cut off, or a journal that has grown, is run again.

A transaction that was edited since, or whose amount hledger computes otherwise now, is posted anew and its first entry
taken back by one for the same days, so that the wallet holds what the journal says. Where it is not certain that they
are the same one, or where the journal has lost transactions, the import is refused until --changed says what to do.

Transactions become entries; accounts are opened as needed, with overdraft allowed; names that begin with "external:"
stand for the world outside the wallet. Comments, tags and prices are not kept: an exchange (@, @@) is booked through
external:conversion:<a>:<b>, so that every currency balances; so is what beancount holds at cost. A
posting's own date is kept. An amount that the journal leaves to be computed is rounded to the cent, and the report says
so. Virtual postings without another side are refused. beancount runs the plugins that a file names.

A comma before three digits is a decimal mark for hledger and groups thousands for ledger and beancount: the report says
what each was taken as, and a directive in the file, or --reader, chooses.

With --format it is a bank statement: camt.052/053/054, MT940 and MT942 (mt940), OFX and QFX (ofx), or CSV with rules
that say where its columns stand. Opening + rows must be closing, or --accept-gaps says that it may be otherwise. A row
that an entry of the wallet may stand for already is shown, and nothing is written until --match or --on-match says
what it is. The import has an id, by which kogi imports undo takes it back.

Examples:
  $ kogi import 2026.journal --org acme --wallet books --dry-run
  $ kogi import 2026.journal --org acme --wallet books --commodity '$=CAD'
  $ kogi import january.xml --format camt --org acme --wallet books --account assets:bank --rules rules.json`

/** `kogi import`: a plain-text-accounting journal (hledger, ledger) into a wallet. */
export const importCommand = () =>
  new Command('import')
    .description('import a journal of hledger, ledger or beancount, or a bank statement, into a wallet')
    .argument('<file>', 'the statement or journal, or what `hledger print -x -O json` made of one, named .json')
    .requiredOption('--wallet <id>', 'wallet to import into; opened where it does not exist', idOption)
    .requiredOption('--org <id>', 'organization of the wallet', orgOption)
    .option('--subject <id>', 'who imports, and owns a wallet that is opened', idOption, 'kogi-import')
    .addOption(
      new Option('--kind <kind>', 'what a wallet is opened as')
        .choices(['personal', 'portfolio', 'office', 'business'])
        .default('business'),
    )
    .option('--commodity <symbol=currency>', 'what a commodity is called here; may be repeated', commodity, new Map())
    .option('--source <name>', 'what the journal is called in the wallet (default: name of the file)', sourceOption)
    .addOption(
      new Option(
        '--changed <what>',
        'entries whose transactions changed or are gone: take them back, or leave them',
      ).choices(['reverse', 'keep']),
    )
    .addOption(
      new Option(
        '--reader <program>',
        'program that reads the journal (default: by its ending, hledger, and ledger for its own syntax)',
      ).choices(['hledger', 'ledger', 'beancount']),
    )
    .addOption(new Option('--format <format>', 'import a bank statement in this format').choices(STATEMENT_FORMATS))
    .option('--rules <file>', 'statements: JSON with rules (payee to account), and the columns of CSV')
    .option('--test-rules', 'statements: show what the rules make of each row, and write nothing')
    .option('--account <name>', 'statements: account of the wallet, where the rules name none')
    .addOption(
      new Option('--on-match <what>', 'statements: rows that may be entries of the wallet (default: ask)').choices([
        'ask',
        'match',
        'book',
      ]),
    )
    .option('--match <row=entry>', 'statements: the entry that a row is, or =new; may be repeated', collected, [])
    .option('--accept-gaps', 'statements: import what its own balances contradict')
    .option('--any-schema', 'statements: import a camt message that its schema does not accept')
    .addOption(
      new Option('--opening <what>', 'statements: opening balance of a new account (default: book)').choices([
        'book',
        'leave',
      ]),
    )
    .option('--dry-run', 'decide everything and write nothing')
    .option('--json', 'print the report as JSON')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .addHelpText('after', HELP)
    .action(run)

async function run(file: string, options: Options & Partial<StatementOptions>): Promise<void> {
  if (options.format !== undefined) return importBankStatement(file, options as StatementOptions)
  try {
    await importInto(await readJournal(file, options.reader), file, options)
  } catch (error) {
    if (options.json && error instanceof ImportRefused) {
      const { code, message, place } = error
      console.log(JSON.stringify({ refused: { code, message, ...place } }))
    }
    throw error
  }
}

async function importInto(read: ReadJournal, file: string, options: Options): Promise<void> {
  const target: Target = { org: options.org, wallet: options.wallet, subject: options.subject, kind: options.kind }
  const config = configFrom(options)
  const log = quietLog('kogi-import', config)
  const engines = await openEngines(config, log)
  const { deps, close } = openWriteSide(engines, config, log)
  try {
    const before = await loadWallet(deps, target)
    const source = options.source ?? path.parse(file).name
    const plan = planImport(read.journal, target, before, options.commodity, { source, onChange: options.changed })
    const outcome = options.dryRun ? undefined : await send(plan, before, deps, target)
    const after = outcome ? (await loadWallet(deps, target)).state : plan.state
    const made = report({ file, read, target, plan, outcome, state: after })
    if (options.json) console.log(JSON.stringify(made))
    else showReport(made)
  } finally {
    await close()
    await engines.close()
  }
}

async function send(
  plan: Plan,
  before: WalletState,
  deps: Parameters<typeof runImport>[1],
  target: Target,
): Promise<Outcome> {
  if (plan.steps.length === 0) return nothingDone(before.position)
  const bar = progress('Importing', plan.steps.length, 'commands')
  try {
    return await runImport(plan, deps, target, () => bar.advance())
  } finally {
    bar.stop()
  }
}

const collected = (text: string, before: readonly string[]): readonly string[] => [...before, text]

const ID = id('thing')
/** Ids must be such as a token can name, because no request could read anything else later. */
function orgOption(text: string): string {
  if (ORG_ID.test(text)) return text
  throw new InvalidArgumentError('an organization is 1 to 64 letters, digits and . _ ~ -')
}

function idOption(text: string): string {
  if (ID.safeParse(text).success) return text
  throw new InvalidArgumentError('an id has 1 to 128 characters, no control characters and no outer white space')
}

function sourceOption(text: string): string {
  if (/^[^\0\p{Cs}]{1,255}$/u.test(text)) return text
  throw new InvalidArgumentError('a name has 1 to 255 characters')
}

function commodity(text: string, before: CurrencyNames): CurrencyNames {
  const at = text.lastIndexOf('=')
  const name = text.slice(at + 1)
  if (at < 0 || !currency.safeParse(name).success) {
    const form = "write it as SYMBOL=CURRENCY, such as '$=CAD'; a currency has 1 to 32 visible characters, no spaces"
    throw new InvalidArgumentError(form)
  }
  return new Map(before).set(text.slice(0, at), name)
}
