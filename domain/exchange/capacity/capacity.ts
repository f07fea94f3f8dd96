import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { placesFor } from '../../record/currencies.ts'
import { type Keyed, memberOf, membersOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { said, THING } from '../../record/said.ts'
import { commands, events, rejections } from './messages.ts'

/** Allocations that a capacity can have at once: all of them are in its state. */
const ALLOCATIONS_MAX = 2_000

type Taken = { readonly allocation: string; readonly units: number; readonly from: string; readonly to: string }
type Offered = {
  readonly status: 'offered'
  readonly provider: string
  readonly units: number
  readonly from: string
  readonly to: string
  readonly taken: Keyed<Taken>
}
/** So many units of something on each day of a time: no day has more allocated than there are. */
export type Capacity = { readonly status: 'none' } | Offered | { readonly status: 'withdrawn' }

const WITHDRAWN = ['capacity_withdrawn', 'The capacity is withdrawn.'] as const
const PLACES = { unknown: 'capacity_places_unknown', mismatch: 'capacity_places_mismatch' }

const evolve: Evolve<Capacity, typeof events> = {
  CapacityOffered: (_, { provider, units, from, to }) => ({
    status: 'offered',
    provider,
    units,
    from,
    to,
    taken: noneKeyed,
  }),
  CapacityWithdrawn: () => ({ status: 'withdrawn' }),
  CapacityAllocated(capacity, { allocation, units, from, to }) {
    const before = inStatus(capacity, 'offered')
    return { ...before, taken: withMember(before.taken, allocation, { allocation, units, from, to }) }
  },
  AllocationReleased(capacity, { allocation }) {
    const before = inStatus(capacity, 'offered')
    return { ...before, taken: withoutMember(before.taken, allocation) }
  },
}

const decide: Decide<Capacity, typeof commands, typeof events> = {
  offer(capacity, { id: _, places, ...asked }, { actor: provider }) {
    if (capacity.status !== 'none')
      throw rejected('capacity_already_offered', 'The capacity exists; choose another id.')
    if (asked.to < asked.from) throw rejected('capacity_terms_invalid', 'Its last day is before its first.')
    if ((asked.rate === undefined) !== (asked.currency === undefined)) {
      throw rejected('capacity_terms_invalid', 'Give rate and currency together, or none of them.')
    }
    const unit = asked.currency === undefined ? {} : { places: placesFor(asked.currency, places, PLACES) }
    return [{ type: 'CapacityOffered', data: { ...asked, ...unit, provider } }]
  },
  withdraw(capacity, _, { actor }) {
    if (capacity.status === 'withdrawn') return []
    if (inStatus(capacity, 'offered').provider !== actor)
      throw rejected('capacity_of_another', 'It is not your capacity.')
    return [{ type: 'CapacityWithdrawn', data: {} }]
  },
  allocate(capacity, { request, units, from, to }, { actor: by, newId }) {
    const open = inStatus(capacity, 'offered', WITHDRAWN)
    if (to < from || from < open.from || to > open.to) {
      const time = { from: open.from, to: open.to }
      throw rejected('capacity_out_of_time', 'The capacity is there on other days.', time)
    }
    const taken = membersOf(open.taken)
    if (taken.length >= ALLOCATIONS_MAX) throw rejected('capacity_full', 'It has as many allocations as it can.')
    const free = open.units - mostTaken(taken, from, to)
    if (units > free) throw rejected('capacity_not_enough', 'Fewer units are free on some of the days.', { free })
    return [{ type: 'CapacityAllocated', data: { allocation: newId(0), request, by, units, from, to } }]
  },
  release(capacity, { allocation }) {
    const taken = memberOf(inStatus(capacity, 'offered', WITHDRAWN).taken, allocation)
    if (!taken) throw rejected('allocation_unknown', 'There is no such allocation, or it is released.')
    return [{ type: 'AllocationReleased', data: taken }]
  },
}

/** The most units that are taken on any day of a time: it begins where one of the allocations does. */
function mostTaken(taken: readonly Taken[], from: string, to: string): number {
  const near = taken.filter(each => each.from <= to && each.to >= from)
  const days = [from, ...near.map(each => each.from).filter(day => day > from)]
  const on = (day: string) => near.reduce((sum, one) => sum + (one.from <= day && one.to >= day ? one.units : 0), 0)
  return Math.max(...days.map(on))
}

/** What can be given to those who look for it. */
export const capacity = aggregate({
  name: 'capacity',
  events,
  commands,
  api: {
    offer: ['POST /capacities', 'capacities.write', 'Offer so many units of something on each day of a time.'],
    withdraw: ['DELETE /capacities/:id', 'capacities.write', 'Withdraw a capacity of the caller.'],
    allocate: [
      'POST /capacities/:id/allocations',
      'allocations.write',
      'Allocate units of a capacity to a request: never more than are free on any of its days.',
      '/capacities/:id/allocations/:allocation',
    ],
    release: ['DELETE /capacities/:id/allocations/:allocation', 'allocations.write', 'Release an allocation.'],
  },
  rejections,
  initial: { status: 'none' } as Capacity,
  evolve,
  decide,
  stateSchema: 1,
  activity: {
    called: 'title',
    on: {
      CapacityOffered: said`offered the capacity ${THING}`,
      CapacityWithdrawn: said`withdrew the capacity ${THING}`,
      CapacityAllocated: ({ units }) => said`allocated ${String(units)} of the capacity ${THING}`,
      AllocationReleased: said`released an allocation of the capacity ${THING}`,
    },
  },
})
