/** How rows of statements become entries, as data: where columns of CSV stand, which payee means which account. */
import { boolean, currency, integer, list, object, oneOf, text } from '../../kernel/schema.ts'
import { type Exact, exactOf, NOTHING, negative, plus } from './exact.ts'
import type { StatementRow } from './file.ts'

const columnName = text(255).meta({ description: 'name of a column in the line of headings, or its number: `#3`' })
const pattern = text(200).meta({ description: 'text that must stand there, whatever its case; `*` is any text' })
const decimal = text(40).meta({ description: 'a decimal number with a point' })
const accountName = text(255).meta({ description: 'account of the wallet, or `external:…`' })

/** How the columns of a CSV file are to be read. Nothing is guessed: marks and the order of dates are named. */
const csvLayout = object({
  delimiter: oneOf(',', ';', '|', 'tab').default(','),
  skip: integer(0, 1000).default(0).meta({ description: 'lines before the line of headings' }),
  headings: boolean.default(true),
  decimal_mark: oneOf('.', ','),
  group_mark: oneOf('.', ',', ' ', "'").optional().meta({ description: 'what groups thousands, where it may stand' }),
  places: integer(0, 30).optional().meta({ description: 'decimal places that amounts are shifted by: 2 for cents' }),
  date_format: text(20).meta({ description: 'order of year, month, day: `DD.MM.YYYY`, `YYMMDD`' }),
  currency: currency.optional().meta({ description: 'currency of all rows, where no column has it' }),
  account: text(255).optional().meta({ description: 'account at the bank, where no column has it' }),
  columns: object({
    date: columnName,
    value_date: columnName.optional(),
    amount: columnName.optional(),
    credit: columnName.optional(),
    debit: columnName.optional(),
    sign: columnName.optional().meta({ description: 'column whose `minus` words make the amount negative' }),
    currency: columnName.optional(),
    account: columnName.optional(),
    balance: columnName.optional().meta({ description: 'balance after the row, which proves it' }),
    payee: columnName.optional(),
    text: list(columnName, 20).optional(),
    id: columnName.optional(),
    reference: columnName.optional(),
    kind: columnName.optional(),
  }),
  minus: list(text(100), 20).optional(),
}).refine(({ decimal_mark, group_mark }) => decimal_mark !== group_mark, {
  path: ['group_mark'],
  error: 'must be another mark than `decimal_mark`',
})

const when = object({
  payee: pattern.optional(),
  text: pattern.optional(),
  reference: pattern.optional(),
  kind: pattern.optional(),
  account: pattern.optional().meta({ description: 'account at the bank' }),
  direction: oneOf('in', 'out').optional(),
  min: decimal.optional().meta({ description: 'least size of the amount, without its sign' }),
  max: decimal.optional().meta({ description: 'largest size of the amount, without its sign' }),
})
const rule = object({
  when,
  account: accountName,
  description: text(1000).optional().meta({ description: 'what the entry says in place of payee and text' }),
  tags: list(text(64), 20).optional(),
})

/** A file of rules. The first rule whose conditions all hold decides a row. */
export const rulesSchema = object({
  csv: csvLayout.optional(),
  accounts: list(object({ bank: text(255), account: accountName }), 1000)
    .default([])
    .meta({ description: 'which account of the wallet stands for which account at the bank' }),
  currencies: list(
    object({
      bank: text(32),
      currency,
      places: integer(0, 30)
        .optional()
        .meta({ description: 'its decimal places, where neither wallet nor ISO 4217 says' }),
    }),
    100,
  )
    .default([])
    .meta({
      description:
        'what a currency of the bank is called in the wallet; of CSV, one that is no ISO 4217 code must stand here',
    }),
  unmatched: accountName
    .default('external:unspecified')
    .meta({ description: 'account on the other side where no rule says one' }),
  rules: list(rule, 2000).default([]),
  tests: list(
    object({
      payee: text(1000).optional(),
      text: text(1000).optional(),
      reference: text(1000).optional(),
      kind: text(255).optional(),
      account: text(255).optional(),
      amount: decimal,
      expect: accountName,
    }),
    1000,
  )
    .default([])
    .meta({ description: 'rows, and the account that the rules must give them' }),
})

export type CsvLayout = ReturnType<typeof csvLayout.parse>
export type Rules = ReturnType<typeof rulesSchema.parse>
export type Rule = Rules['rules'][number]

/** Rules that say nothing. */
export const NO_RULES: Rules = { accounts: [], currencies: [], unmatched: 'external:unspecified', rules: [], tests: [] }

/** What rules look at. */
export type Judged = Pick<StatementRow, 'payee' | 'text' | 'reference' | 'kind' | 'amount'> & {
  /** Account at the bank. */
  readonly account: string
}

/** The first rule that holds for a row, with its place from 1; `undefined` where none does. */
export function ruleFor(rules: Rules, row: Judged): { readonly rule: Rule; readonly number: number } | undefined {
  const known = conditions.get(rules) ?? rules.rules.map(({ when }) => conditionOf(when))
  conditions.set(rules, known)
  const texts: Texts = {}
  const n = known.findIndex(holds => holds(row, texts))
  return n < 0 ? undefined : { rule: rules.rules[n]!, number: n + 1 }
}

type Texts = { -readonly [field in keyof Judged]?: string | undefined }
/** `texts`: those of the row in lower case, as far as rules have looked at them. */
type Condition = (row: Judged, texts: Texts) => boolean

/** The conditions of rules, read once for all rows. */
const conditions = new WeakMap<Rules, readonly Condition[]>()

function conditionOf({ direction, min, max, ...patterns }: Rule['when']): Condition {
  const [least, most] = [min, max].map(text => (text === undefined ? undefined : (exactOf(text) ?? NOTHING)))
  const wanted = Object.entries(patterns).flatMap(([field, pattern]) =>
    pattern === undefined ? [] : [{ field: field as keyof typeof patterns, parts: partsOf(pattern) }],
  )
  return (row, texts) => {
    const amount = row.amount ?? NOTHING
    if (direction !== undefined && direction !== (amount.digits < 0n ? 'out' : 'in')) return false
    const size = amount.digits < 0n ? negative(amount) : amount
    if (least && isLess(size, least)) return false
    if (most && isLess(most, size)) return false
    for (const { field, parts } of wanted) {
      texts[field] ??= row[field]?.toLowerCase()
      const found = texts[field]
      if (found === undefined || !stands(parts, found)) return false
    }
    return true
  }
}

const isLess = (a: Exact, b: Exact): boolean => plus(a, negative(b)).digits < 0n

/** Whether the parts of a pattern between its `*` stand in a text, one behind the other, whatever their case. */
export const matches = (pattern: string, text: string): boolean => stands(partsOf(pattern), text.toLowerCase())

const partsOf = (pattern: string): readonly string[] => pattern.toLowerCase().split('*')

function stands(parts: readonly string[], whole: string): boolean {
  let from = 0
  for (const part of parts) {
    const found = whole.indexOf(part, from)
    if (found < 0) return false
    from = found + part.length
  }
  return true
}

/** What rules give the rows of their own tests: one line for each that is not as expected. */
export const failedTests = (rules: Rules): readonly string[] =>
  rules.tests.flatMap(({ expect, amount, account = '', text = '', payee, reference, kind }, n) => {
    const exact = exactOf(amount)
    if (!exact) return [`test ${n + 1}: "${amount}" is no amount`]
    const said = { ...(payee && { payee }), ...(reference && { reference }), ...(kind && { kind }) }
    const found = ruleFor(rules, { account, text, ...said, amount: exact })
    const got = found?.rule.account ?? rules.unmatched
    const by = found ? `rule ${found.number}` : 'no rule'
    return got === expect ? [] : [`test ${n + 1}: ${by} says ${got}, not ${expect}`]
  })
