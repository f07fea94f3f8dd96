/** A plain-text-accounting journal in memory: exactly what was written, before any of it means money in a wallet. */
import { createHash } from 'node:crypto'
import { KogiError } from '../../domain/kernel/errors.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { type Exact, shortest } from '../../domain/wallet/statement/exact.ts'

/** A place in the journal. */
export type Place = { readonly file: string; readonly line?: number }

export type Amount = Exact & {
  readonly commodity: string
  /** Decimal places that the journal shows for the commodity: what it writes, or declares. */
  readonly shown: number
  /** Whether a price (`@`, `@@`) converts it into another commodity. */
  readonly priced: boolean
  /** Whether the journal writes the commodity with a decimal comma, as far as that is known. */
  readonly decimalComma?: boolean
  /** What it comes to at its price, where that is known. */
  readonly cost?: Exact & { readonly commodity: string }
}

export type JournalPosting = {
  readonly account: string
  /** `virtual` postings, in parentheses, need no other side; those in brackets balance among themselves. */
  readonly kind: 'real' | 'virtual' | 'balanced_virtual'
  readonly amounts: readonly Amount[]
  /** `YYYY-MM-DD`, where it counts for another day than the transaction. */
  readonly date?: string
  /** Whether a balance stands behind it, which it asserts, or from which its amount was computed. */
  readonly asserted?: boolean
}

export type Transaction = {
  /** `YYYY-MM-DD` */
  readonly date: string
  readonly code: string
  readonly description: string
  readonly postings: readonly JournalPosting[]
  readonly place: Place
}

export type Journal = readonly Transaction[]

/** The import is refused: nothing was written, and `place` says where the journal is to be mended. */
export class ImportRefused extends KogiError {
  readonly place: Place

  constructor(code: string, message: string, place: Place, options?: ErrorOptions) {
    super(code, `${placeText(place)}: ${message}`, [], options)
    this.place = place
  }
}

/** `FILE:LINE`, as programs find it. */
export const placeText = ({ file, line }: Place): string => (line === undefined ? file : `${file}:${line}`)

/**
 * The idempotency key of each transaction: SHA-256 of its canonical form and its number among the equal ones of the
 * file. So a transaction keeps its key when it moves within the file, and two equal ones have two keys.
 */
export const entryKeys = (journal: Journal): readonly string[] => keysOf(journal, canonicalTransaction)

/** The keys that transactions had while imports did not keep the days of postings. */
export const keysWithoutDays = (journal: Journal): readonly string[] =>
  keysOf(journal, transaction => canonicalTransaction(withoutDays(transaction)))

function keysOf(journal: Journal, canonical: (transaction: Transaction) => string): readonly string[] {
  const seen = new Map<string, number>()
  return journal.map(transaction => {
    const hash = createHash('sha256').update(canonical(transaction)).digest('hex')
    const nth = (seen.get(hash) ?? 0) + 1
    seen.set(hash, nth)
    return `import:${hash}:${nth}`
  })
}

/** What makes a transaction the same one: not its place, comments, prices, or how its numbers are written. */
const canonicalTransaction = ({ date, code, description, postings }: Transaction) =>
  canonicalJson([
    date,
    code,
    description,
    postings.map(({ account, amounts, date: day }) => [
      account,
      amounts.map(amount => [amount.commodity, ...Object.values(shortest(amount))]),
      ...(day === undefined ? [] : [day]),
    ]),
  ])

export const hasDays = ({ postings }: Transaction): boolean => postings.some(({ date }) => date !== undefined)

/** The transaction as if all of its postings counted for its own day. */
const withoutDays = (transaction: Transaction): Transaction => ({
  ...transaction,
  postings: transaction.postings.map(({ date, ...posting }) => posting),
})

/** A zero without commodity: written to say that nothing moves, and of no currency. */
export const isNothing = ({ commodity, digits }: Amount): boolean => commodity === '' && digits === 0n
