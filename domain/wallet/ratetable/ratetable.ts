import { aggregate, type Decide, type EventQuery, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { changedFields } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import { activity } from './activity.ts'
import { decimalOf, decimalText } from './decimal.ts'
import { commands, events, rejections } from './messages.ts'

type Rated = ReturnType<(typeof commands)['record']['parse']>['rates'][number]

/** The rates of one source. It remembers the latest of each pair alone, however many days there are. */
export type RateTable =
  | { readonly status: 'none' }
  | {
      readonly status: 'open'
      readonly title?: string | undefined
      readonly validDays: number
      readonly latest: Keyed<Pick<Rated, 'day' | 'rate'>>
    }

const pairOf = ({ base, quote }: Pick<Rated, 'base' | 'quote'>): string => JSON.stringify([base, quote])

const evolve: Evolve<RateTable, typeof events> = {
  RateTableOpened: (_, data) => ({ status: 'open', ...data, latest: noneKeyed }),
  RateTableChanged(table, { title, validDays }) {
    const open = inStatus(table, 'open')
    const { title: before, ...rest } = open
    const called = title === undefined ? before : (title ?? undefined)
    return { ...rest, ...(called !== undefined && { title: called }), validDays: validDays ?? open.validDays }
  },
  RatesRecorded(table, { rates }) {
    const open = inStatus(table, 'open')
    const latest = rates.reduce((all, rated) => {
      const { day, rate } = rated
      const known = memberOf(all, pairOf(rated))
      return known && known.day > day ? all : withMember(all, pairOf(rated), { day, rate })
    }, open.latest)
    return { ...open, latest }
  },
  // Which day is the last one then, the table does not know: the next rate of the pair is recorded whatever it is.
  RatesWithdrawn(table, { rates }) {
    const open = inStatus(table, 'open')
    const isLatest = (rated: Named) => memberOf(open.latest, pairOf(rated))?.day === rated.day
    const latest = rates.filter(isLatest).reduce((all, rated) => withoutMember(all, pairOf(rated)), open.latest)
    return { ...open, latest }
  },
}

type Named = Pick<Rated, 'day' | 'base' | 'quote'>

/** The last event that says something of the rate of a pair and a day. */
const lastWordOn = ({ day, base, quote }: Named): EventQuery => ({
  types: ['RatesRecorded', 'RatesWithdrawn'],
  is: ({ rates }) =>
    (rates as unknown as readonly Named[]).some(one => one.day === day && one.base === base && one.quote === quote),
})

const decide: Decide<RateTable, typeof commands, typeof events> = {
  open(table, { title, valid_days: validDays }) {
    if (table.status !== 'none') throw rejected('rate_table_already_open', 'The rate table exists; choose another id.')
    return [{ type: 'RateTableOpened', data: { ...(title !== undefined && { title }), validDays } }]
  },
  change(table, { title, valid_days: validDays }) {
    const { title: before = null, validDays: validBefore } = inStatus(table, 'open')
    const changes = changedFields({ title: before, validDays: validBefore }, { title, validDays })
    return Object.keys(changes).length === 0 ? [] : [{ type: 'RateTableChanged', data: changes }]
  },
  record(table, { rates: asked }) {
    const { validDays, latest } = inStatus(table, 'open')
    const named = new Set<string>()
    const rates = asked.map(rated => ({ ...rated, rate: decimalText(decimalOf(rated.rate)) }))
    for (const rated of rates) {
      const { base, quote, day } = rated
      if (base === quote) throw rejected('rate_of_itself', 'A currency has no rate with itself.', { day, base })
      const name = `${day} ${pairOf(rated)}`
      if (named.has(name)) throw rejected('rate_recorded_twice', 'Name each pair once for a day.', { day, base, quote })
      named.add(name)
    }
    const news = rates.filter(rated => {
      const known = memberOf(latest, pairOf(rated))
      return known?.day !== rated.day || known.rate !== rated.rate
    })
    return news.length === 0 ? [] : [{ type: 'RatesRecorded', data: { rates: news, validDays } }]
  },
  withdraw(table, { reason, ...rated }, { found }) {
    inStatus(table, 'open')
    if (!found) {
      const message = 'The table has no rate of the pair on that day, or from long ago: record that again first.'
      throw rejected('rate_not_recorded', message, rated)
    }
    if (found.type === 'RatesWithdrawn') return []
    return [{ type: 'RatesWithdrawn', data: { rates: [rated], ...because(reason) } }]
  },
}

/** Exchange rates and prices of one source, by day. */
export const rateTable = aggregate({
  name: 'ratetable',
  events,
  commands,
  api: {
    open: ['POST /rate-tables', 'rates.write', 'Open a rate table, which holds the rates of one source.'],
    change: ['PATCH /rate-tables/:id', 'rates.write', 'Change the title of a rate table, or how long its rates count.'],
    record: [
      'PUT /rate-tables/:id/rates',
      'rates.write',
      'Record rates of days; a rate of a pair and a day that is recorded again takes the place of the one before.',
    ],
    withdraw: [
      'DELETE /rate-tables/:id/rates/:base/:quote/:day',
      'rates.write',
      'Withdraw the rate of a pair and a day: the day before counts, and what was asked as of earlier stays as it was.',
    ],
  },
  rejections,
  initial: { status: 'none' } as RateTable,
  evolve,
  decide,
  looksUp: { withdraw: lastWordOn },
  stateSchema: 1,
  activity,
})
