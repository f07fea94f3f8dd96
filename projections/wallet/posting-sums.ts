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
export type Sums = { readonly credits: bigint; readonly debits: bigint; readonly lines: bigint }

/** The day that a posting counts for. */
export const effectiveDayOf = ({ effectiveOn }: Posting, { data }: Posted): string => effectiveOn ?? data.effectiveOn

/**
 * Adds the postings of an entry to the rows of their accounts, a row for each unit and for each of the `parts` that a
 * posting belongs to; `more` makes the other columns of a row from the row as it stood.
 */
export const addsUp = <P extends object, M extends object>(
  parts: (posting: Posting, event: Posted) => readonly P[],
  more: (row: M | undefined, event: Posted) => M,
): Handler<Account & Sums & P & M, Data> => {
  const unitOf = ({ places }: Posting) => (places === undefined ? USUAL_UNIT : String(places))
  return {
    keys: event =>
      event.data.postings.flatMap(posting =>
        parts(posting, event).map(part => ({
          org: event.metadata.org,
          wallet: event.metadata.id,
          account: posting.account,
          currency: posting.currency,
          ...part,
          unit: unitOf(posting),
        })),
      ) as never,
    fold: (row, event, key) => {
      let { credits, debits, lines } = row ?? { credits: 0n, debits: 0n, lines: 0n }
      for (const posting of event.data.postings) {
        const { account, currency, amount } = posting
        if (account !== key.account || currency !== key.currency || unitOf(posting) !== key.unit) continue
        const isOf = (part: P) => Object.entries(part).every(([name, value]) => value === key[name])
        if (!parts(posting, event).some(isOf)) continue
        if (amount > 0n) credits += amount
        else debits -= amount
        lines += 1n
      }
      return { ...(key as Account & P), credits, debits, lines, ...more(row, event) }
    },
  }
}
