/** Journals through the `ledger` program, for what only it reads: `apply tag`, value expressions, definitions. */
import { ImportRefused, type Journal, type JournalPosting, type Place, type Transaction } from './journal.ts'
import { isMissing, output, said } from './programs.ts'

/** Separates fields: no text of a journal has it, while ledger's own quoting cannot be undone. */
const UNIT = '\x1f'
const FIELDS = [
  'xact.filename',
  'xact.beg_line',
  'xact.id',
  'format_date(xact.date, "%Y-%m-%d")',
  'format_date(date, "%Y-%m-%d")',
  'code',
  'payee',
  'display_account',
  'commodity(scrub(amount))',
  'quantity(scrub(amount))',
  'has_cost',
  'calculated',
]
const FORMAT = `${FIELDS.map(field => `%(${field})`).join(UNIT)}\n`

/** Reads a journal with ledger; `undefined` where the program is not installed. */
export async function throughLedger(file: string): Promise<Journal | undefined> {
  const args = ['--init-file', '/dev/null', '-f', file, 'csv', '--csv-format', FORMAT]
  try {
    return transactionsOf(await output('ledger', args), file)
  } catch (error) {
    if (isMissing(error)) return undefined
    if (error instanceof ImportRefused) throw error
    throw new ImportRefused('journal_invalid', said(error), placeIn(said(error), file))
  }
}

/** `While parsing file "FILE", line 3:` */
function placeIn(message: string, file: string): Place {
  const found = /file "([^"\n]+)", lines? (\d+)/.exec(message)
  return found ? { file: found[1]!, line: Number(found[2]) } : { file }
}

/** One line for each amount; those of a transaction follow each other. */
function transactionsOf(text: string, file: string): Journal {
  const journal: (Transaction & { readonly postings: JournalPosting[] })[] = []
  let last: string | undefined
  for (const line of text.split('\n').filter(Boolean)) {
    const fields = line.split(UNIT)
    if (fields.length !== FIELDS.length) {
      throw new ImportRefused('journal_invalid', `Ledger writes what cannot be read: ${line.slice(0, 80)}`, { file })
    }
    const [name, number, id, date, day, code, payee, ...rest] = fields as [string, string, ...string[]]
    const key = [name, number, id].join(UNIT)
    if (key !== last) {
      const place = { file: name || file, line: Number(number) }
      journal.push({ date: date!, code: code!, description: payee!, postings: [], place })
    }
    last = key
    const current = journal.at(-1)!
    current.postings.push(postingOf(rest, current, day!))
  }
  return journal
}

function postingOf(
  [account, commodity, quantity, cost, calculated]: readonly string[],
  { date, place }: Transaction,
  day: string,
): JournalPosting {
  const virtual = /^([[(])(.*)[\])]$/.exec(account!)
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(quantity!) ?? []
  if (whole === undefined) {
    throw new ImportRefused('journal_invalid', `Ledger writes no number but ${quantity} for ${account}.`, place)
  }
  const places = fraction.length
  const digits = BigInt(`${sign}${whole}${fraction}`)
  const named = commodity!.replace(/^"(.*)"$/, '$1')
  return {
    account: virtual?.[2] ?? account!,
    kind: virtual === null ? 'real' : virtual[1] === '(' ? 'virtual' : 'balanced_virtual',
    amounts: [{ commodity: named, digits, places, shown: places, priced: cost === 'true' }],
    ...(day !== date && { date: day }),
    ...(calculated === 'true' && { asserted: true }),
  }
}
