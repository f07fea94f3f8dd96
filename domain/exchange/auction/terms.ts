/** Which terms of an auction make sense together. */
import type { EventOf } from '../../kernel/aggregate.ts'
import type { events } from './messages.ts'

type Opened = Extract<EventOf<typeof events>, { readonly type: 'AuctionOpened' }>
type Terms = Omit<Opened['data'], 'places' | 'listing'>

/** What is wrong with the terms, in words for who asked for them; `undefined` where nothing is. */
export function fault(terms: Terms, at: string): string | undefined {
  const { format, start, reserve, buy_now: buyNow, increments, extension, falling, starts_at, ends_at } = terms
  const isEnglish = format === 'english'
  if (ends_at <= at || ends_at <= starts_at) return 'Name an end that is still to come, and behind the start.'
  if ((format === 'dutch') !== (falling !== undefined)) return '`falling` is for Dutch auctions, which need it.'
  if (falling && falling.floor > start) return '`falling.floor` must not be above `start`.'
  if (!isEnglish && (increments || extension || buyNow !== undefined)) {
    return '`increments`, `extension` and `buy_now` are for English auctions alone.'
  }
  if (format === 'dutch' && reserve !== undefined) return 'A Dutch auction has a floor and no `reserve`.'
  if (reserve !== undefined && reserve < start) return '`reserve` must not be below `start`.'
  if (buyNow !== undefined && buyNow < (reserve ?? start)) return '`buy_now` must not be below `start` and `reserve`.'
  const rises = increments?.every(({ from }, n) => (n === 0 ? from === 0n : from > increments[n - 1]!.from)) ?? true
  return rises ? undefined : 'The first of `increments` is from 0, and each is from above the one before.'
}
