import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { invariant } from '../../kernel/errors.ts'
import { type Attempts, failed, isNext, requested } from '../../record/attempts.ts'
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

type Requested = Attempts & { readonly announcement: Announcement }

/** A delivery waits for its next attempt until one succeeds, or until it has failed too often and is parked. */
export type Delivery = { readonly status: 'none' } | Requested

const evolve: Evolve<Delivery, typeof events> = {
  DeliveryRequested: (_, announcement, dueAt) => ({ ...requested(dueAt), announcement }),
  DeliverySucceeded: (delivery, { attempt }) => ({ ...known(delivery), status: 'delivered', attempts: attempt }),
  DeliveryFailed: (delivery, failure) => failed(known(delivery), failure),
  DeliveryReplayed: (delivery, _, dueAt) => ({ ...known(delivery), status: 'waiting', tries: 0, dueAt }),
}

const decide: Decide<Delivery, typeof commands, typeof events> = {
  request: (delivery, { id: _, ...announcement }) =>
    delivery.status === 'none' ? [{ type: 'DeliveryRequested', data: announcement }] : [],
  succeed: (delivery, answer) => (isNext(known(delivery), answer) ? [{ type: 'DeliverySucceeded', data: answer }] : []),
  fail: (delivery, failure) => (isNext(known(delivery), failure) ? [{ type: 'DeliveryFailed', data: failure }] : []),
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

function known(delivery: Delivery): Requested {
  invariant(delivery.status !== 'none', 'an event or command of a delivery that was not requested')
  return delivery
}
