/** Statements of banks as their files have them, before any of it means money in a wallet. */
import { type Exact, isEqual, NOTHING, negative, plus, shortest, written } from './exact.ts'

/** What is wrong with a file: the import is refused. */
export type Fault = { readonly line: number; readonly message: string }

export type StatementBalance = { readonly date?: string; readonly amount: Exact; readonly line: number }

export type StatementRow = {
  readonly line: number
  /** The day on which the bank booked it, absent where the file has none that can be read. */
  readonly date?: string
  /** The day from which it bears interest. */
  readonly valueDate?: string
  /** More than zero where money came in; absent where the file has none that can be read. */
  readonly amount?: Exact
  readonly currency: string
  /** Whether it is booked; what is pending may still change, and is not imported. */
  readonly booked: boolean
  /** The bank's own id of it, where the format has one. */
  readonly id?: string
  /** What the payer wrote to be recognised by: an end-to-end id, a number of a cheque. */
  readonly reference?: string
  /** What kind the bank says that it is. */
  readonly kind?: string
  readonly payee?: string
  readonly text: string
  /** How many transactions a batch has. */
  readonly parts?: number
}

/** One account over one period. */
export type Statement = {
  readonly line: number
  readonly account: string
  readonly currency: string
  /** The bank's number of it. */
  readonly number?: string
  readonly opening?: StatementBalance
  readonly closing?: StatementBalance
  readonly rows: readonly StatementRow[]
}

/** A file, read to its end: with any fault it is not fit to be imported. */
export type StatementFile = {
  readonly format: StatementFormat
  readonly statements: readonly Statement[]
  readonly faults: readonly Fault[]
  /** What the file says in a way that had to be interpreted. */
  readonly notes: readonly Fault[]
}

export const STATEMENT_FORMATS = ['camt', 'mt940', 'ofx', 'csv'] as const
export type StatementFormat = (typeof STATEMENT_FORMATS)[number]

/** What the booked rows of a statement add up to, in its own currency. */
export const sumOf = ({ rows, currency }: Statement): Exact =>
  rows.reduce(
    (sum, row) => (row.booked && row.amount && row.currency === currency ? plus(sum, row.amount) : sum),
    NOTHING,
  )

/** Closing − opening − rows: zero where the balances prove the rows, `undefined` where the bank prints not both. */
export function gapOf(statement: Statement): Exact | undefined {
  const { opening, closing } = statement
  if (!opening || !closing) return undefined
  return shortest(plus(closing.amount, negative(plus(opening.amount, sumOf(statement)))))
}

/** Whether the printed balances contradict the rows. */
function hasGap(statement: Statement): boolean {
  const gap = gapOf(statement)
  return gap !== undefined && !isEqual(gap, NOTHING)
}

/** One line that says what a statement proves. */
export function proofText(statement: Statement): string {
  const { opening, closing, currency } = statement
  if (!opening || !closing) return 'no opening and closing balance, so that nothing proves it'
  const gap = gapOf(statement)!
  const sum = `${written(opening.amount)} + ${written(sumOf(statement))}`
  const means = `closing ${written(closing.amount)} ${currency}`
  return isEqual(gap, NOTHING) ? `${sum} = ${means}` : `${sum} is not ${means}: it lacks ${written(gap)}`
}

/** Refuses nothing; says which statements their own balances contradict. */
export const gapsOf = ({ statements }: StatementFile): readonly Statement[] => statements.filter(hasGap)
