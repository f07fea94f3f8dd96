/** What rows that add up postings have in common: the unit and the day of a posting, and the sums themselves. */
import type { z } from 'zod'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import type { events } from '../../domain/wallet/wallet/messages.ts'
import type { Handler } from '../rows/projection.ts'

/** The unit of amounts that are in the minor unit of their currency in the wallet. */
export const USUAL_UNIT = 'usual'

type Data = z.output<typeof events.EntryPosted>
type Posted = DomainEvent<string, Data>
type Posting = Data['postings'][number]

/** The key columns that every row of sums begins and ends with. */
type Account = {
  readonly org: string
  readonly wallet: string
  readonly account: string
  readonly currency: string
  readonly unit: string
}
type Sums = { readonly credits: bigint; readonly debits: bigint; readonly lines: bigint }

/** The day that a posting counts for. */
export const effectiveDayOf = ({ effectiveOn }: Posting, { data }: Posted): string => effectiveOn ?? data.effectiveOn

/** How the postings of an entry belong to rows, and what a row is. */
type By<R, K> = {
  /** The keys of the rows that a posting belongs to. */
  readonly keys: (account: Account, posting: Posting, event: Posted) => readonly K[]
  /** Whether a posting of the entry belongs to the row of a key, where its account and unit do. */
  readonly isOf: (posting: Posting, event: Posted, key: K) => boolean
  /** The row of a key with its sums, from the row as it stood. */
  readonly row: (key: K, sums: Sums, before: R | undefined, event: Posted) => R
}

const unitOf = ({ places }: Posting): string => (places === undefined ? USUAL_UNIT : String(places))

/** Adds the postings of an entry to the rows of their accounts, a row for each unit and part. */
export const addsUp = <R extends Sums & K, K extends Account>(by: By<R, K>): Handler<R, Data> => ({
  keys: event => {
    const { org, id: wallet } = event.metadata
    const keys: K[] = []
    for (const posting of event.data.postings) {
      const { account, currency } = posting
      for (const key of by.keys({ org, wallet, account, currency, unit: unitOf(posting) }, posting, event))
        keys.push(key)
    }
    return keys as never
  },
  fold: (row, event, key) => {
    let { credits, debits, lines } = row ?? NOTHING
    for (const posting of event.data.postings) {
      const { account, currency, amount } = posting
      if (account !== key.account || currency !== key.currency || unitOf(posting) !== key.unit) continue
      if (!by.isOf(posting, event, key as never)) continue
      if (amount > 0n) credits += amount
      else debits -= amount
      lines += 1n
    }
    return by.row(key as never, { credits, debits, lines }, row, event)
  },
})

const NOTHING: Sums = { credits: 0n, debits: 0n, lines: 0n }
