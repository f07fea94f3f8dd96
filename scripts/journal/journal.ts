/** A plain-text-accounting journal in memory: exactly what was written, before any of it means money in a wallet. */
import { createHash } from 'node:crypto'
import { KogiError } from '../../domain/kernel/errors.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'

/** A place in the journal. */
export type Place = { readonly file: string; readonly line?: number }

export type Amount = {
  readonly commodity: string
  /** The amount is `digits` × 10^-`places`. */
  readonly digits: bigint
  readonly places: number
  /** Decimal places that the journal shows for the commodity: what it writes, or declares. */
  readonly shown: number
  /** Whether a price (`@`, `@@`) converts it into another commodity. */
  readonly priced: boolean
}

export type JournalPosting = {
  readonly account: string
  /** `virtual` postings, in parentheses, need no other side; those in brackets balance among themselves. */
  readonly kind: 'real' | 'virtual' | 'balanced_virtual'
  readonly amounts: readonly Amount[]
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
    super(code, `${place.line === undefined ? place.file : `${place.file}:${place.line}`}: ${message}`, [], options)
    this.place = place
  }
}

/**
 * The idempotency key of each transaction: SHA-256 of its canonical form and its number among the equal ones of the
 * file. So a transaction keeps its key when it moves within the file, and two equal ones have two keys.
 */
export function entryKeys(journal: Journal): readonly string[] {
  const seen = new Map<string, number>()
  return journal.map(transaction => {
    const hash = createHash('sha256').update(canonicalTransaction(transaction)).digest('hex')
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
    postings.map(({ account, amounts }) => [
      account,
      amounts.map(amount => [amount.commodity, ...Object.values(shortest(amount))]),
    ]),
  ])

/** The same number with as few decimal places as it needs. */
export function shortest({ digits, places }: Pick<Amount, 'digits' | 'places'>): { digits: bigint; places: number } {
  let short = { digits, places }
  while (short.places > 0 && short.digits % 10n === 0n) short = { digits: short.digits / 10n, places: short.places - 1 }
  return short
}

/** A zero without commodity: written to say that nothing moves, and of no currency. */
export const isNothing = ({ commodity, digits }: Amount): boolean => commodity === '' && digits === 0n
