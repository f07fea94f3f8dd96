import { expect } from 'chai'
import { delivery } from '../../../domain/apps/delivery/delivery.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

const announcement = {
  webhook: 'hook-1',
  event: '6f1d3c0a-5b8e-5f77-96c2-a4e1d0b37f58',
  category: 'task',
  thing: 'task-1',
  type: 'TaskCompleted',
  revision: 3n,
  position: 4711n,
  at: CONTEXT.at,
}
const LATER = '2026-01-31T12:00:05.000Z'
const requested = { type: 'DeliveryRequested', data: announcement } as const
const failed = (attempt: number, dueAt?: string) =>
  ({
    type: 'DeliveryFailed',
    data: { attempt, status: 500, failure: 'status', latencyMs: 12, ...(dueAt && { dueAt }) },
  }) as const
const succeeded = (attempt: number) =>
  ({ type: 'DeliverySucceeded', data: { attempt, status: 204, latencyMs: 9 } }) as const
const replayed = { type: 'DeliveryReplayed', data: {} } as const

describe('delivery', () => {
  const { given } = specFor(delivery)

  it('is requested once', () => {
    given().when('request', announcement).then(requested)
    given(requested).when('request', announcement).changesNothing()
  })
  it('waits after a failure until its time, and is parked after the last one', () => {
    given(requested).when('fail', failed(1, LATER).data).then(failed(1, LATER))
    expect(stateOf(delivery, [requested, failed(1, LATER)])).to.include({ status: 'waiting', tries: 1, dueAt: LATER })
    given(requested, failed(1, LATER)).when('fail', failed(2).data).then(failed(2))
    expect(stateOf(delivery, [requested, failed(1, LATER), failed(2)])).to.include({ status: 'parked', attempts: 2 })
  })
  it('takes each attempt once, and none after its end', () => {
    given(requested).when('succeed', succeeded(1).data).then(succeeded(1))
    given(requested, failed(1, LATER)).when('fail', failed(1, LATER).data).changesNothing()
    given(requested, failed(1, LATER)).when('succeed', succeeded(1).data).changesNothing()
    given(requested, succeeded(1)).when('fail', failed(2, LATER).data).changesNothing()
    given(requested, failed(1)).when('succeed', succeeded(2).data).changesNothing()
  })
  it('is sent again with all tries anew, for its own webhook alone', () => {
    given(requested, succeeded(1)).when('replay', { webhook: 'hook-1' }).then(replayed)
    given(requested, failed(1)).when('replay', { webhook: 'hook-1' }).then(replayed)
    given(requested, failed(1)).when('replay', { webhook: 'hook-2' }).changesNothing()
    given(requested).when('replay', { webhook: 'hook-1' }).changesNothing()
    const state = stateOf(delivery, [requested, failed(1), replayed])
    expect(state).to.include({ status: 'waiting', attempts: 1, tries: 0, dueAt: CONTEXT.at })
  })
})
