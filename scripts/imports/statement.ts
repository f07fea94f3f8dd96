/** `kogi import --format …`: a bank statement into a wallet, and `kogi imports`: what was imported, taken back. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import { answerOf, importOptions, openedBy, optionsSchema } from '../../commands/imports/routes.ts'
import { type Imported, importStatement, undoImport } from '../../commands/imports/statement.ts'
import { parseBody } from '../../commands/requests.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { toWire } from '../../domain/kernel/json.ts'
import { object } from '../../domain/kernel/schema.ts'
import { written } from '../../domain/wallet/statement/exact.ts'
import { proofText, type StatementFormat } from '../../domain/wallet/statement/file.ts'
import type { Rules } from '../../domain/wallet/statement/rules.ts'
import { openEngines } from '../../infra/engines.ts'
import { openWriteSide } from '../../infra/write-side.ts'
import { readXml } from '../../infra/xml/read.ts'
import { configFrom, quietLog } from '../serve.ts'
import { progress, table } from '../terminal.ts'

export type StatementOptions = {
  readonly format: StatementFormat
  readonly wallet: string
  readonly org: string
  readonly subject: string
  readonly kind: 'personal' | 'portfolio' | 'office' | 'business'
  readonly rules?: string
  readonly testRules?: boolean
  readonly account?: string
  readonly onMatch?: string
  readonly match?: readonly string[]
  readonly acceptGaps?: boolean
  readonly anySchema?: boolean
  readonly opening?: string
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly data?: string
}

const LINES_SHOWN_MAX = 20

/** Imports a file. With `testRules` it only shows what the rules make of each row. */
export async function importBankStatement(file: string, options: StatementOptions): Promise<void> {
  const bytes = await readFile(file).catch(() => {
    throw new KogiError('journal_not_found', `${file}: There is no such file.`)
  })
  const said = parseBody(object(optionsSchema), {
    ...(options.rules !== undefined && { rules: await rulesOf(options.rules) }),
    ...(options.account !== undefined && { account: options.account }),
    ...(options.onMatch !== undefined && { on_match: options.onMatch }),
    ...(options.opening !== undefined && { opening: options.opening }),
    matches: (options.match ?? []).map(matchOf),
    accept_gaps: options.acceptGaps ?? false,
    any_schema: options.anySchema ?? false,
  })
  const importing = { ...importOptions(said), opens: options.kind }
  await withWriteSide(options, async deps => {
    const bar = progress('Importing', 0, 'entries')
    try {
      const made = await importStatement(
        { ...deps, readXml },
        {
          ...callerOf(options),
          wallet: options.wallet,
          bytes,
          name: path.basename(file),
          format: options.format,
          options: importing,
          dryRun: options.dryRun === true || options.testRules === true,
          onGiven: bar.advance,
        },
      )
      bar.stop()
      if (options.json) console.log(JSON.stringify(toWire({ ...answerOf(made), position: made.position })))
      else if (options.testRules) showRules(made, importing.rules)
      else showImport(made, options)
    } finally {
      bar.stop()
    }
  })
}

/** `kogi imports`: the imports of a wallet as things of their own. */
export const importsCommand = () =>
  new Command('imports')
    .description('take imports of bank statements back')
    .addCommand(
      new Command('undo')
        .description('take every entry of an import back')
        .argument('<import>', 'id of the import, as `kogi import` and the API show it')
        .requiredOption('--org <id>', 'organization of the import')
        .option('--subject <id>', 'who takes it back', 'kogi-import')
        .option('--reason <text>', 'why, for the audit log')
        .option('--dry-run', 'decide everything and write nothing')
        .option('--json', 'print the answer as JSON')
        .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
        .action(undo),
    )

type UndoOptions = Pick<StatementOptions, 'org' | 'subject' | 'dryRun' | 'json' | 'data'> & {
  readonly reason?: string
}

async function undo(id: string, options: UndoOptions): Promise<void> {
  await withWriteSide(options, async deps => {
    const { reason, dryRun = false } = options
    const undone = await undoImport(deps, { ...callerOf(options), import: id, dryRun, reason })
    const done = dryRun ? 'would be' : 'were'
    console.log(options.json ? JSON.stringify(toWire(undone)) : `${undone.reversed} entries ${done} taken back.`)
  })
}

type WriteSide = ReturnType<typeof openWriteSide>

async function withWriteSide(
  options: Pick<StatementOptions, 'data'>,
  work: (deps: WriteSide['deps']) => Promise<void>,
): Promise<void> {
  const config = configFrom(options.data === undefined ? {} : { data: options.data })
  const log = quietLog('kogi-import', config)
  const engines = await openEngines(config, log)
  const { deps, close } = openWriteSide(engines, config, log)
  try {
    await work(deps)
  } finally {
    await close()
    await engines.close()
  }
}

const callerOf = ({ org, subject }: Pick<StatementOptions, 'org' | 'subject'>) => ({
  principal: { subject, org, roles: [], permissions: [] },
  correlationId: crypto.randomUUID(),
})

async function rulesOf(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new KogiError('journal_not_found', `${file}: There is no such file.`)
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new KogiError('import_invalid', `${file} is not valid JSON: ${(error as Error).message}`)
  }
}

/** `ROW=ENTRY`, or `ROW=new` for a row that is to be booked. */
function matchOf(text: string) {
  const at = text.lastIndexOf('=')
  if (at < 1) throw new KogiError('import_invalid', `"${text}" is no match: write ROW=ENTRY, or ROW=new.`)
  const entry = text.slice(at + 1)
  return { row: text.slice(0, at), entry: entry === 'new' ? null : entry }
}

function showImport(made: Imported, { wallet, org, dryRun }: StatementOptions): void {
  const { file, plan, booked } = made
  const answer = answerOf(made)
  for (const statement of file.statements.slice(0, LINES_SHOWN_MAX)) {
    console.log(`${statement.account} ${statement.number ?? ''} ${proofText(statement)}`.replaceAll('  ', ' '))
  }
  const more = file.statements.length - LINES_SHOWN_MAX
  if (more > 0) console.log(`and ${more} more statements`)
  const rows: [string, number][] = [
    ['rows in the file', answer.rows],
    [dryRun ? 'entries to append' : 'entries appended', made.status === 'refused' ? answer.new : booked],
    ['rows imported before', answer.there],
    ['rows matched with entries', answer.matched],
    ['rows that may be entries', answer.proposed],
    ['rows not booked by the bank', answer.pending],
    ['rows without money', answer.empty],
    [dryRun ? 'accounts to open' : 'accounts opened', openedBy(plan).length],
  ]
  console.log(
    table(
      [`wallet ${wallet} of ${org}`, ''],
      rows.map(([what, n]) => [what, String(n)]),
      [''],
    ),
  )
  for (const { row, entry } of plan.proposed.slice(0, LINES_SHOWN_MAX)) {
    const what = `line ${row.line}: ${row.date} ${written(row.amount)} ${row.currency} ${row.words}`
    console.log(`${what}\n  may be ${entry.effectiveOn} ${entry.words}: --match ${row.key}=${entry.entry}, or =new`)
  }
  for (const note of plan.notes.slice(0, LINES_SHOWN_MAX)) console.error(`note: ${note}`)
  if (made.refusal) console.error(`It would be refused: ${made.refusal.message}`)
  console.log(dryRun ? 'Nothing was written: this was a dry run.' : `import ${made.import}`)
}

function showRules({ plan }: Imported, rules: Rules): void {
  const rows = plan.rows.map(row => [
    String(row.line),
    row.date,
    `${written(row.amount)} ${row.currency}`,
    row.words.slice(0, 60),
    row.rule === undefined ? '' : String(row.rule),
    row.against,
  ])
  console.log(table(['line', 'day', 'amount', 'says', 'rule', 'account'], rows, ['amount', 'line', 'rule']))
  const unmatched = plan.rows.filter(({ rule }) => rule === undefined).length
  console.log(
    `${plan.rows.length} rows, ${unmatched} of which no rule decides; ${rules.tests.length} tests of the rules hold.`,
  )
}
