/** Journals through the `hledger` program: its parser knows the syntax, checks every balance and every assertion. */
import { csvLines } from '../../domain/record/csv.ts'
import { complete, isCut, readHledgerJson } from './hledger-json.ts'
import { ImportRefused, type Journal, type Place } from './journal.ts'
import { isMissing, isTooLong, output, said as saidBy } from './programs.ts'

/** What hledger has to say against a journal. */
export class HledgerSaysNo extends ImportRefused {
  /** Whether it cannot read the text, as opposed to what the text says. */
  readonly isSyntax: boolean
  readonly said: string

  constructor(said: string, place: Place) {
    super('journal_invalid', said, place)
    this.said = said
    this.isSyntax = /^(unexpected|expecting) /m.test(said)
  }
}

/** Reads a journal with hledger; `undefined` where the program is not installed. */
export async function throughHledger(file: string): Promise<Journal | undefined> {
  const json = await printed(file, 'json')
  if (json === undefined) return undefined
  const read = readHledgerJson(json, file)
  // Its CSV has every digit, and the same amounts in the same order.
  const rows = isCut(read) ? rowsOf((await printed(file, 'csv'))!) : new Map<string, readonly Row[]>()
  return complete(read, ({ postings }, n) => {
    const amounts = [...(rows.get(String(n + 1)) ?? [])]
    const isWhole = amounts.length === postings.reduce((sum, posting) => sum + posting.amounts.length, 0)
    return postings.map(posting => (isWhole ? amounts.splice(0, posting.amounts.length) : undefined))
  })
}

async function printed(file: string, format: 'json' | 'csv'): Promise<string | undefined> {
  try {
    return await output('hledger', ['-f', file, 'print', '-x', '-O', format])
  } catch (error) {
    if (isMissing(error)) return undefined
    if (isTooLong(error)) {
      throw new ImportRefused('journal_too_large', 'Split the journal, by years for example.', { file })
    }
    throw new HledgerSaysNo(saidBy(error), placeIn(saidBy(error), file))
  }
}

/** `hledger: "FILE" (lines 1-3)`, or `hledger: Error: FILE:1-3:` of newer versions. */
function placeIn(message: string, file: string): Place {
  const found = /"([^"\n]+)" \(lines? (\d+)/.exec(message) ?? /(\/[^:\n]+):(\d+)/.exec(message)
  return found ? { file: found[1]!, line: Number(found[2]) } : { file }
}

type Row = { readonly digits: bigint; readonly places: number }

/** The amounts of `hledger print -x -O csv` by the number of their transaction. */
function rowsOf(csv: string): ReadonlyMap<string, readonly Row[]> {
  const [header = [], ...lines] = csvLines(csv).lines.map(({ fields }) => fields)
  const [transaction, amount] = [header.indexOf('txnidx'), header.indexOf('amount')]
  const rows = new Map<string, Row[]>()
  for (const line of lines) {
    const mine = rows.get(line[transaction]!) ?? []
    mine.push(numberOf(line[amount] ?? ''))
    rows.set(line[transaction]!, mine)
  }
  return rows
}

/** `-1234,50`: there is one mark at most, because hledger groups no digits in its CSV. */
function numberOf(text: string): Row {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:[.,](\d+))?$/.exec(text) ?? []
  return { digits: BigInt(`${sign}${whole}${fraction}`), places: fraction.length }
}
