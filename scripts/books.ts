import { writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { date } from '../domain/kernel/schema.ts'
import { bucketOf } from '../projections/rows/bucket.ts'
import { checkpointsSql } from '../read-api/consistency.ts'
import { BOOK_FORMATS, type BookFormat, bookFile } from '../read-api/wallet/books/formats.ts'
import { bookModels, bookSql, ENTRIES_MAX, loadedBook } from '../read-api/wallet/books/load.ts'
import { type OperatorOptions, operate } from './operator.ts'

type Options = OperatorOptions & {
  readonly org: string
  readonly wallet?: string
  readonly format: BookFormat
  readonly account?: string
  readonly currency?: string
  readonly from?: string
  readonly to?: string
  readonly output?: string
}

const HELP = `
hledger, ledger and beancount files assert their own balances at the end: the program that reads one checks them.
Amounts are written in full, without grouped digits. With --from, what was before is one opening entry. beancount
names accounts and currencies in its own way; a file says what each is called in Kogi. camt, ofx
and pdf are of one account.

Examples:
  $ kogi books export --org acme --wallet books --format hledger --output books.journal
  $ kogi books export --org acme --wallet books --format camt --account assets:bank --currency EUR --from 2026-01-01`

/** `kogi books`: the books as files for other programs. */
export const booksCommand = () =>
  new Command('books')
    .description('write books as files for other programs')
    .addCommand(
      new Command('export')
        .description('write the books of a wallet, or of all wallets of an organization')
        .requiredOption('--org <id>', 'organization of the books')
        .option('--wallet <id>', 'wallet (default: all)')
        .addOption(new Option('--format <format>', 'format of the file').choices(BOOK_FORMATS).makeOptionMandatory())
        .option('--account <name>', 'account, for formats that are of one')
        .option('--currency <code>', 'currency of the account')
        .option('--from <day>', 'first day: YYYY-MM-DD', dayOption)
        .option('--to <day>', 'last day: YYYY-MM-DD', dayOption)
        .option('--output <file>', 'file to write (default: standard output)')
        .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
        .addHelpText('after', HELP)
        .action(run),
    )

async function run(options: Options): Promise<void> {
  await operate('books', options, async ({ pool, events }) => {
    const { org, wallet, output } = options
    const text = `select c.position, c.stalled, r.* from ${checkpointsSql(bookModels)}
      left join ${bookSql('$2', '$3', '$4', '$5')} r on true`
    const values = [bucketOf(org), org, wallet ?? null, null, ENTRIES_MAX + 1]
    const { rows } = await pool.query<unknown[]>({ text, values, rowMode: 'array' })
    const found = rows.flatMap(row => (row[2] === null ? [] : [[String(row[2]), String(row[3])] as const]))
    if (found.length === 0)
      throw new KogiError('not_found', `There are no books of ${wallet ?? 'any wallet'} of ${org}.`)
    const position = BigInt(String(rows[0]![0]))
    const head = await events.head()
    if (head > position) console.error(`note: the read models stand at ${position}, and the log at ${head}`)
    const file = await bookFile(loadedBook(found, options, position), { ...options, madeAt: new Date().toISOString() })
    if (output === undefined) process.stdout.write(file.content)
    else await writeFile(output, file.content)
  })
}

function dayOption(text: string): string {
  if (date.safeParse(text).success) return text
  throw new InvalidArgumentError('a day is written as YYYY-MM-DD')
}
