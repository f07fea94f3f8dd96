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
type By<R, P> = {
  /** The key columns between account and unit of the rows that a posting belongs to. */
  readonly parts: (posting: Posting, event: Posted) => readonly P[]
  /** Whether a posting of the entry belongs to the row of a key, where its account and unit do. */
  readonly isOf: (posting: Posting, event: Posted, key: P) => boolean
  /** The row of a key with its sums, from the row as it stood. */
  readonly row: (key: Account & P, sums: Sums, before: R | undefined, event: Posted) => R
}

/** Adds the postings of an entry to the rows of their accounts, a row for each unit and part. */
export const addsUp = <R extends Account & Sums & P, P extends object>(by: By<R, P>): Handler<R, Data> => {
  const unitOf = ({ places }: Posting) => (places === undefined ? USUAL_UNIT : String(places))
  return {
    keys: event => {
      const { org, id: wallet } = event.metadata
      return event.data.postings.flatMap(posting => {
        const { account, currency } = posting
        const unit = unitOf(posting)
        return by.parts(posting, event).map(part => ({ ...part, org, wallet, account, currency, unit }))
      }) as never
    },
    fold: (row, event, key) => {
      let { credits, debits, lines } = row ?? { credits: 0n, debits: 0n, lines: 0n }
      for (const posting of event.data.postings) {
        const { account, currency, amount } = posting
        if (account !== key.account || currency !== key.currency || unitOf(posting) !== key.unit) continue
        if (!by.isOf(posting, event, key as P)) continue
        if (amount > 0n) credits += amount
        else debits -= amount
        lines += 1n
      }
      return by.row(key as Account & P, { credits, debits, lines }, row, event)
    },
  }
}
