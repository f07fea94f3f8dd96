/** What `hledger print -x -O json` writes, of versions 1.25 to 2: names and forms of fields differ. */
import { z } from 'zod'
import { type Exact, isEqual, NOTHING, negative, plus, rounded, times } from '../../domain/wallet/statement/exact.ts'
import { type Amount, ImportRefused, type Journal, type JournalPosting, type Transaction } from './journal.ts'

/** More decimal places than this hledger's JSON rounds away. */
const JSON_PLACES = 10

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]\+?(\d+))?$/
const quantity = z.object({
  decimalMantissa: z.string().refine(text => zerosOf(NUMBER.exec(text)) >= 0, 'is no whole number'),
  decimalPlaces: z.int().min(0).max(255),
})
// The precision is a number or `{ contents: number }`, and `null` or absent where all places are shown.
// The decimal mark has two names, by version.
const style = z
  .object({
    asprecision: z.unknown().optional(),
    asdecimalpoint: z.unknown().optional(),
    asdecimalmark: z.unknown().optional(),
  })
  .optional()
// A price has its amount in `contents`; older versions have prices in `aprice`, newer in `acost`.
const price = z.looseObject({
  tag: z.string(),
  contents: z.object({ acommodity: z.string(), aquantity: quantity }),
})
const amountSchema = z.object({
  acommodity: z.string(),
  aquantity: quantity,
  astyle: style,
  aprice: price.nullish(),
  acost: price.nullish(),
})
const positionSchema = z.object({ sourceName: z.string(), sourceLine: z.int() })
const postingSchema = z.object({
  paccount: z.string(),
  // `ptype` up to version 1, `preal` from version 2 on.
  ptype: z.enum(['RegularPosting', 'VirtualPosting', 'BalancedVirtualPosting']).optional(),
  preal: z.enum(['RealPosting', 'VirtualPosting', 'BalancedVirtualPosting']).optional(),
  pamount: z.array(amountSchema),
  pdate: z.string().nullish(),
  pbalanceassertion: z.unknown().optional(),
})
const outputSchema = z.array(
  z.object({
    tdate: z.string(),
    tcode: z.string(),
    tdescription: z.string(),
    tsourcepos: z.array(positionSchema).min(1),
    tpostings: z.array(postingSchema.refine(({ ptype, preal }) => ptype ?? preal, 'has neither ptype nor preal')),
  }),
)
type Output = z.output<typeof outputSchema>[number]
type OutputAmount = z.output<typeof amountSchema>

const KINDS = {
  RegularPosting: 'real',
  RealPosting: 'real',
  VirtualPosting: 'virtual',
  BalancedVirtualPosting: 'balanced_virtual',
} as const

/** An amount of which hledger's JSON may have left out decimals. */
type Read = Amount & { readonly cut: boolean }
type ReadTransaction = Omit<Transaction, 'postings'> & {
  readonly postings: readonly (Omit<JournalPosting, 'amounts'> & { readonly amounts: readonly Read[] })[]
}

/** The transactions of such a text, some of whose amounts may be cut off. `file` is named where the text is another. */
export function readHledgerJson(text: string, file: string): readonly ReadTransaction[] {
  const parsed = outputSchema.safeParse(parseExactly(text))
  if (parsed.success) return parsed.data.map(asTransaction)
  const [{ path: at, message }] = parsed.error.issues as [z.core.$ZodIssue]
  const where = at.length === 0 ? '' : ` (${at.join('.')}: ${message})`
  const what = `This is not what hledger 1.25 or newer writes for \`hledger print -x -O json\`${where}.`
  throw new ImportRefused('journal_invalid', what, { file })
}

/** Takes in such a text. Refuses amounts of which it leaves out decimals, unless the transaction itself tells them. */
export const parseHledgerJson = (text: string, file: string): Journal =>
  complete(readHledgerJson(text, file), transaction => transaction.postings.map(() => undefined))

/** Whether hledger has to be asked for more digits. */
export const isCut = (journal: readonly ReadTransaction[]): boolean =>
  journal.some(({ postings }) => postings.some(({ amounts }) => amounts.some(({ cut }) => cut)))

/** Digits of each amount of each posting of a transaction, `undefined` where nobody knows them. */
type Digits = (transaction: ReadTransaction, n: number) => readonly (readonly Exact[] | undefined)[]

/** The journal with every digit: what is cut off is taken from `digitsOf`, or follows from the rest. */
export function complete(journal: readonly ReadTransaction[], digitsOf: Digits): Journal {
  return journal.map((transaction, n) => {
    if (!isCut([transaction])) return asJournal(transaction, ({ cut, ...amount }) => amount)
    const digits = digitsOf(transaction, n)
    return asJournal(transaction, (amount, at, nth) => {
      const { cut, ...rest } = amount
      if (!cut) return rest
      const exact = digits[at]?.[nth] ?? balancing(transaction, amount)
      if (exact && isEqual(rounded(exact, JSON_PLACES), amount)) {
        return { ...rest, ...exact, shown: Math.max(rest.shown, exact.places) }
      }
      const message =
        `An amount in ${amount.commodity || 'no commodity'} has more than ${JSON_PLACES} decimal places, which ` +
        `hledger's JSON leaves out. Import the journal itself instead of its JSON.`
      throw new ImportRefused('amount_loses_digits', message, transaction.place)
    })
  })
}

function asJournal(
  transaction: ReadTransaction,
  amountOf: (amount: Read, posting: number, nth: number) => Amount,
): Transaction {
  const postings = transaction.postings.map((posting, at) => ({
    ...posting,
    amounts: posting.amounts.map((amount, nth) => amountOf(amount, at, nth)),
  }))
  return { ...transaction, postings }
}

/** What brings the cost of a transaction to zero without this amount; `undefined` where that is not known exactly. */
function balancing({ postings }: ReadTransaction, amount: Read): Exact | undefined {
  if (amount.priced) return undefined
  let sum = NOTHING
  const kind = postings.find(({ amounts }) => amounts.includes(amount))!.kind
  for (const other of postings.filter(one => one.kind === kind).flatMap(({ amounts }) => amounts)) {
    if (other === amount) continue
    if (other.priced && !other.cost) return undefined
    const { commodity, ...cost } = other.cost ?? other
    if (commodity !== amount.commodity) continue
    if (other.cut) return undefined
    sum = plus(sum, cost)
  }
  return negative(sum)
}

/**
 * JSON whose numbers of money keep all their digits: a double holds 15. An unescaped quote ends or begins a string, so
 * the pattern finds that name as a name only.
 */
function parseExactly(text: string): unknown {
  try {
    return JSON.parse(text.replace(/(?<!\\)"decimalMantissa"\s*:\s*([-+.\deE]+)/g, '"decimalMantissa":"$1"'))
  } catch {
    return undefined
  }
}

function asTransaction({ tdate, tcode, tdescription, tsourcepos, tpostings }: Output): ReadTransaction {
  const [{ sourceName, sourceLine }] = tsourcepos as [z.output<typeof positionSchema>]
  const place = { file: sourceName, line: sourceLine }
  const priced = tpostings.some(({ pamount }) => pamount.some(isPriced))
  const postings = tpostings.map(({ paccount, ptype, preal, pamount, pdate, pbalanceassertion }) => ({
    account: paccount,
    kind: KINDS[(ptype ?? preal)!],
    amounts: pamount.map(amount => asAmount(amount, priced)),
    ...(pdate && pdate !== tdate && { date: pdate }),
    ...((pbalanceassertion ?? null) !== null && { asserted: true }),
  }))
  return { date: tdate, code: tcode, description: tdescription, postings, place }
}

const isPriced = ({ aprice, acost }: OutputAmount) => (aprice ?? acost ?? null) !== null

function asAmount(amount: OutputAmount, pricedTransaction: boolean): Read {
  const { acommodity, aquantity, astyle } = amount
  const exact = exactOf(aquantity)
  const shown = precisionOf(astyle?.asprecision)
  // At the limit only a number that was written with all of its places is known to be complete.
  const cut = exact.places >= JSON_PLACES && ((shown ?? Number.MAX_VALUE) > JSON_PLACES || pricedTransaction)
  const cost = costOf(amount, exact)
  return {
    commodity: acommodity,
    ...exact,
    shown: Math.max(shown ?? 0, exact.places),
    priced: isPriced(amount),
    ...((astyle?.asdecimalmark ?? astyle?.asdecimalpoint) === ',' && { decimalComma: true }),
    ...(cost && { cost }),
    cut,
  }
}

/** The amount at its price. A total price has the sign of the amount. */
function costOf({ aprice, acost }: OutputAmount, amount: Exact): Amount['cost'] | undefined {
  const price = aprice ?? acost
  if (!price) return undefined
  const { acommodity: commodity, aquantity } = price.contents
  const exact = exactOf(aquantity)
  if (exact.places >= JSON_PLACES) return undefined
  if (price.tag.startsWith('Unit')) return { commodity, ...times(amount, exact) }
  const isNegative = amount.digits < 0n !== exact.digits < 0n
  return { commodity, ...(isNegative ? negative(exact) : exact) }
}

function precisionOf(precision: unknown): number | undefined {
  if (typeof precision === 'number') return precision
  const { contents } = (precision ?? {}) as { contents?: unknown }
  return typeof contents === 'number' ? contents : undefined
}

/** `1.5e3` is 1500: hledger writes numbers of many digits so. */
function exactOf({ decimalMantissa, decimalPlaces }: z.output<typeof quantity>): Exact {
  const found = NUMBER.exec(decimalMantissa)!
  const [, sign, whole, fraction = ''] = found
  return { digits: BigInt(`${sign}${whole}${fraction}${'0'.repeat(zerosOf(found))}`), places: decimalPlaces }
}

/** Zeros that follow the digits which are written out; below zero where the number is not whole, or absurdly large. */
function zerosOf(found: RegExpExecArray | null): number {
  const zeros = Number(found?.[4] ?? 0) - (found?.[3]?.length ?? 0)
  return found && zeros <= 1000 ? zeros : -1
}
