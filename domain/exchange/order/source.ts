import { rejected } from '../../kernel/errors.ts'

type Terms = {
  readonly buyer: string
  readonly vendor: string
  readonly amount: bigint
  readonly currency: string
  readonly places: number
}
type Sold = Partial<Terms> & { readonly between?: readonly string[] }
/** What listings, auctions and negotiations have in their states: only what is compared here. */
type Seen = {
  readonly status: string
  readonly sold?: Sold
  readonly owner?: string
  readonly fields?: Readonly<Record<string, unknown>>
}

/** Refuses an order whose terms are others than those of the listing, auction or negotiation that it names. */
export function mustBeSoldFor(terms: Terms, seen: unknown): void {
  const source = seen as Seen | undefined
  if (source === undefined) return
  const { fields, owner } = source
  if (fields && fields.status !== 'published') throw differ('The listing is not published.')
  const sold = fields ? listed(fields, owner) : source.sold
  if (!sold) throw differ('Nothing was sold by it, or not yet.')
  const { between, ...agreed } = sold
  if (between && ![terms.buyer, terms.vendor].every(party => between.includes(party))) {
    throw differ('It was agreed between others.')
  }
  const [odd] = (Object.keys(agreed) as (keyof Terms)[]).filter(name => agreed[name] !== terms[name])
  if (odd === undefined) return
  throw differ(`It was agreed with another ${odd}.`, { [odd]: String(agreed[odd]) })
}

/** A listing says who sells, and perhaps for how much. */
function listed({ vendor, price, currency, places }: Readonly<Record<string, unknown>>, owner: string | undefined) {
  const priced = (price ?? null) === null ? {} : { amount: price, currency, places }
  return { vendor: vendor ?? owner, ...priced } as Sold
}

const differ = (message: string, details = {}) => rejected('order_terms_differ', message, details)
