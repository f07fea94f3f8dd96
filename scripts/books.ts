import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { date } from '../domain/kernel/schema.ts'
import { BOOK_FORMATS, type BookFormat, bookFile } from '../read-api/wallet/books/formats.ts'
import { readerOf } from '../read-api/wallet/books/load.ts'
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
    const { org, output } = options
    const reader = await readerOf(pool, org)
    const { position } = reader
    const head = await events.head()
    if (head > position) console.error(`note: the read models stand at ${position}, and the log at ${head}`)
    const file = await bookFile(reader, { ...options, madeAt: new Date().toISOString() })
    if (output === undefined) {
      await pipeline(file.content, process.stdout, { end: false })
      return
    }
    // A run that is cut off leaves no file that looks whole.
    const unfinished = `${output}.unfinished`
    await pipeline(file.content, createWriteStream(unfinished))
    await rename(unfinished, output)
  })
}

function dayOption(text: string): string {
  if (date.safeParse(text).success) return text
  throw new InvalidArgumentError('a day is written as YYYY-MM-DD')
}
