import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { invariant } from '../../kernel/errors.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

type Announcement = {
  readonly webhook: string
  readonly event: string
  readonly category: string
  readonly thing: string
  readonly type: string
  readonly revision: bigint
  readonly position: bigint
  readonly at: string
}

/** What was asked for. `attempts`: all so far; `tries`: those since it was requested or replayed. */
type Requested = {
  readonly status: 'waiting' | 'delivered' | 'parked'
  readonly announcement: Announcement
  readonly attempts: number
  readonly tries: number
  readonly dueAt: string
}

/** A delivery waits for its next attempt until one succeeds, or until it has failed too often and is parked. */
export type Delivery = { readonly status: 'none' } | Requested

const evolve: Evolve<Delivery, typeof events> = {
  DeliveryRequested: (_, announcement, dueAt) => ({ status: 'waiting', announcement, attempts: 0, tries: 0, dueAt }),
  DeliverySucceeded: (delivery, { attempt }) => ({ ...known(delivery), status: 'delivered', attempts: attempt }),
  DeliveryFailed(delivery, { attempt, dueAt }) {
    const before = known(delivery)
    const tried = { ...before, attempts: attempt, tries: before.tries + 1 }
    return dueAt === undefined ? { ...tried, status: 'parked' } : { ...tried, dueAt }
  },
  DeliveryReplayed: (delivery, _, dueAt) => ({ ...known(delivery), status: 'waiting', tries: 0, dueAt }),
}

const decide: Decide<Delivery, typeof commands, typeof events> = {
  request: (delivery, { id: _, ...announcement }) =>
    delivery.status === 'none' ? [{ type: 'DeliveryRequested', data: announcement }] : [],
  succeed: (delivery, answer) => (isNext(delivery, answer) ? [{ type: 'DeliverySucceeded', data: answer }] : []),
  fail: (delivery, failure) => (isNext(delivery, failure) ? [{ type: 'DeliveryFailed', data: failure }] : []),
  replay(delivery, { webhook }) {
    const { status, announcement } = known(delivery)
    return status === 'waiting' || announcement.webhook !== webhook ? [] : [{ type: 'DeliveryReplayed', data: {} }]
  },
}

/** One event on its way to one webhook: a process that the worker drives, one event for each attempt. */
export const delivery = aggregate({
  name: 'delivery',
  events,
  commands,
  api: { request: 'internal', succeed: 'internal', fail: 'internal', replay: 'internal' },
  rejections,
  initial: { status: 'none' } as Delivery,
  evolve,
  decide,
  stateSchema: 1,
  activity,
})

/** Whether an attempt is the one that the delivery waits for: others were noted already, or come too late. */
const isNext = (delivery: Delivery, { attempt }: { readonly attempt: number }): boolean =>
  delivery.status === 'waiting' && attempt === delivery.attempts + 1

function known(delivery: Delivery): Requested {
  invariant(delivery.status !== 'none', 'an event or command of a delivery that was not requested')
  return delivery
}
