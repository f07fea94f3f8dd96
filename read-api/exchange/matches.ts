/** Which capacities fit a request for a resource, and how that was found. */
import { z } from 'zod'
import { currency, date, id, integer, minorUnits, object, text } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { allocations } from '../../projections/exchange/allocations.ts'
import { capacities } from '../../projections/exchange/capacities.ts'
import { resourceRequests } from '../../projections/exchange/resource-requests.ts'
import { daysBetween, type Question } from '../center/question.ts'

/** Capacities that are looked at: those of the unit that overlap the time, by how many of the traits they have. */
const LOOKED_AT = 500
const SHOWN = 50

type Taken = { readonly units: number; readonly from: string; readonly to: string }
type Wanted = {
  readonly traits: readonly string[]
  readonly units: number
  readonly from: string
  readonly to: string
  readonly rate: string | null
  readonly currency: string | null
  readonly places: number | null
}
type Offer = Wanted & {
  readonly id: string
  readonly title: string
  readonly provider: string
  readonly taken: Taken[]
}

const part = number(0, 1)

export const matchesQuestion: Question = {
  path: '/kex/resource-requests/:id/matches',
  tag: 'kex',
  operationId: 'listResourceMatches',
  summary: 'The capacities that fit a request best, with what fits and what does not.',
  permission: 'exchange.capacities.read',
  parameters: [],
  of: [capacities, allocations],
  within: resourceRequests,
  sql({ rows, put, params }) {
    const has = `(select count(*) from jsonb_array_elements_text(r.traits) t where c.traits ? t.value)`
    return `select r.traits, r.units, r."from", r."to", r.rate_at_most::text, r.currency, r.places,
        c.id, c.title, c.provider, c.traits, c.units, c."from", c."to", c.rate::text, c.currency, c.places,
        coalesce((select jsonb_agg(jsonb_build_object('units', a.units, 'from', a."from", 'to', a."to"))
          from ${rows(allocations)} a where a.capacity = c.id and a."from" <= r."to" and a."to" >= r."from"), '[]')
      from ${rows(resourceRequests)} r join ${rows(capacities)} c on c.status = 'offered' and c.unit = r.unit
        and c."from" <= r."to" and c."to" >= r."from"
      where r.id = ${put(params.id)} order by ${has} desc, c.id limit ${LOOKED_AT}`
  },
  answer: rows =>
    rows
      .map(([traits, units, from, to, rate, of, places, name, title, provider, ...offer]) => {
        const wanted = { traits, units, from, to, rate, currency: of, places } as Wanted
        const [has, there, begins, ends, costs, money, unit, taken] = offer
        const offered = {
          traits: has,
          units: there,
          from: begins,
          to: ends,
          rate: costs,
          currency: money,
          places: unit,
        }
        return matched(wanted, { ...offered, id: name, title, provider, taken } as Offer)
      })
      .sort((a, b) => b.score - a.score || (a.capacity < b.capacity ? -1 : 1))
      .slice(0, SHOWN),
  response: z.array(
    object({
      capacity: id('capacity'),
      title: text(255),
      provider: text(128),
      score: part.meta({ description: 'the four parts of `fit`, each of the same weight' }),
      fit: object({ traits: part, time: part, units: part, rate: part }),
      traits_missing: z.array(text(64)),
      from: date.meta({ description: 'the first day of the request on which it is there' }),
      to: date,
      free: integer(0, 1_000_000_000).meta({ description: 'units that are free on each of these days' }),
      rate: minorUnits.optional(),
      currency: currency.optional(),
    }),
  ),
}

/** How well an offer fits: each part is 1 where it fits wholly, and the share of it that fits where not. */
function matched(wanted: Wanted, offer: Offer) {
  const missing = wanted.traits.filter(trait => !offer.traits.includes(trait))
  const from = [offer.from, wanted.from].sort()[1]!
  const to = [offer.to, wanted.to].sort()[0]!
  const free = offer.units - mostTaken(offer.taken, from, to)
  const days = (first: string, last: string) => daysBetween(first, last) + 1
  const fit = {
    traits: wanted.traits.length === 0 ? 1 : rounded(1 - missing.length / wanted.traits.length),
    time: rounded(days(from, to) / days(wanted.from, wanted.to)),
    units: rounded(Math.min(1, free / wanted.units)),
    rate: fitsRate(wanted, offer) ? 1 : 0,
  }
  const { id: capacity, title, provider, rate, currency: money } = offer
  const score = rounded((fit.traits + fit.time + fit.units + fit.rate) / 4)
  const priced = rate === null ? {} : { rate, ...(money !== null && { currency: money }) }
  return { capacity, title, provider, score, fit, traits_missing: missing, from, to, free, ...priced }
}

const rounded = (share: number) => Math.round(share * 1_000) / 1_000

/** What costs nothing that is said fits; what is of another currency does not. */
function fitsRate({ rate: most, currency: of }: Wanted, { rate, currency: money }: Offer): boolean {
  if (most === null || rate === null) return true
  return (of === null || of === money) && BigInt(rate) <= BigInt(most)
}

/** The most units that are taken on one day: it begins where one of the allocations does. */
function mostTaken(taken: readonly Taken[], from: string, to: string): number {
  const days = [from, ...taken.map(each => each.from).filter(day => day > from && day <= to)]
  const on = (day: string) => taken.reduce((sum, one) => sum + (one.from <= day && one.to >= day ? one.units : 0), 0)
  return Math.max(...days.map(on))
}
