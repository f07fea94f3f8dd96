/** The rules of taking an entry back: whole and once, with what should have been posted instead, if that is named. */
import type { Context, EventQuery, Once } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { post } from './entry.ts'
import type { commands, events } from './messages.ts'
import { OF_PROCESS, type OpenWallet } from './state.ts'

type Command = ReturnType<(typeof commands)['reverse']['parse']>
type Entry = ReturnType<(typeof events)['EntryPosted']['parse']>

/** Where the entry stands that is to be taken back. */
export const reversedEntry = ({ entry, revision }: Command): EventQuery => ({
  types: ['EntryPosted'],
  revision,
  is: data => data.entry === entry,
})

/** An entry is taken back once. The key is the one under which imports of journals do it. */
export const reversalOf = (entry: string): Once => ({
  key: `import:reversal:${entry}`,
  refusal: ['entry_already_reversed', 'The entry was taken back, which is done once: post another entry.'],
})

/** Posts the opposite of an entry, and in the same entry what should have been posted instead. */
export function reverse(
  open: OpenWallet,
  { entry, revision: _, postings: instead = [], kind = 'adjustment', ...about }: Command,
  context: Context,
) {
  const { found } = context
  if (!found) {
    const message = 'The wallet has no such entry. Name the `revision` of an old one, as the list of entries shows it.'
    throw rejected('entry_unknown', message, { entry })
  }
  const reversed = found.data as Entry
  if (reversed.reverses !== undefined && reversed.takenBack === undefined) {
    throw rejected('entry_is_reversal', 'The entry takes another one back: post a new entry instead.', { entry })
  }
  if (found.metadata.actor.subject.startsWith(OF_PROCESS)) {
    throw rejected('entry_of_process', 'The entry is one side of a transfer: transfer the money back.', { entry })
  }
  const { counterparty } = reversed
  // What an entry took back of an earlier one stays taken back.
  const back = reversed.postings.slice(reversed.takenBack ?? 0).map(({ account, currency, amount, places }) => ({
    account,
    currency,
    amount: -amount,
    places,
  }))
  const replaces = instead.length > 0 ? { replaces: entry } : {}
  const draft = { counterparty, ...about, kind, postings: [...back, ...instead], reverses: entry, ...replaces }
  // What was posted under an earlier chart can be taken back under this one.
  const [posted] = post(open, context, draft, { isOutsideChart: instead.length === 0 })
  return [instead.length > 0 ? { ...posted, data: { ...posted.data, takenBack: back.length } } : posted] as const
}
