/** What a bid makes of the price, by the format of the auction. Amounts are in minor units. */

export type Step = { readonly from: bigint; readonly step: bigint }

/** How an open auction stands: the highest maximum leads, of equal ones the earlier; `second` is 0 without another. */
export type Standing = { readonly leader: string; readonly highest: bigint; readonly second: bigint }

const ONE_UNIT: readonly Step[] = [{ from: 0n, step: 1n }]

/** How an open auction stands after a maximum of `bidder`. */
export function withMaximum(before: Standing | undefined, bidder: string, maximum: bigint): Standing {
  if (!before) return { leader: bidder, highest: maximum, second: 0n }
  const { leader, highest, second } = before
  if (bidder === leader) return { leader, highest: maximum, second }
  if (maximum > highest) return { leader: bidder, highest: maximum, second: highest }
  return { leader, highest, second: maximum > second ? maximum : second }
}

/**
 * The price of an English auction with proxy bids: one step above the second highest maximum, at most the highest; at
 * least the start, and the reserve once the highest reaches it.
 */
export function proxyPrice(
  { highest, second }: Standing,
  { start, reserve = 0n, increments = ONE_UNIT }: Floor & { readonly increments?: readonly Step[] | undefined },
): bigint {
  const { step } = increments.findLast(({ from }) => from <= second) ?? ONE_UNIT[0]!
  const stepped = second === 0n ? start : min(highest, second + step)
  return max(start, highest >= reserve ? max(stepped, reserve) : stepped)
}

/** The lowest price that an auction starts at, and what the seller wants at least. */
type Floor = { readonly start: bigint; readonly reserve?: bigint | undefined }

/** What the highest of sealed bids pays: itself, or the second highest, and at least the start and the reserve. */
export const sealedPrice = (
  { highest, second }: Standing,
  { start, reserve = 0n }: Floor,
  format: 'first_price' | 'second_price',
): bigint => (format === 'first_price' ? highest : max(second, max(start, reserve)))

/** The price of a Dutch auction after so many seconds: it falls step by step to its floor. */
export function fallenPrice(
  start: bigint,
  falling: { readonly every_seconds: number; readonly by: bigint; readonly floor: bigint },
  seconds: number,
): bigint {
  const steps = BigInt(Math.floor(Math.max(0, seconds) / falling.every_seconds))
  return max(falling.floor, start - steps * falling.by)
}

const max = (one: bigint, other: bigint): bigint => (one > other ? one : other)
const min = (one: bigint, other: bigint): bigint => (one < other ? one : other)
