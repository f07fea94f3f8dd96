import { expect } from 'chai'
import { deliveries } from '../../../projections/apps/deliveries.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const requested = {
  type: 'DeliveryRequested',
  data: {
    webhook: 'hook-1',
    event: '6f1d3c0a-5b8e-5f77-96c2-a4e1d0b37f58',
    category: 'task',
    thing: 'task-1',
    type: 'TaskCompleted',
    revision: 3n,
    position: 4711n,
    at: CONTEXT.at,
  },
}
const DUE = '2026-01-31T12:00:05.000Z'
const failed = (attempt: number, dueAt?: string) => ({
  type: 'DeliveryFailed',
  data: { attempt, status: 500, failure: 'status', latencyMs: 12, ...(dueAt && { dueAt }) },
})
const succeeded = (attempt: number) => ({ type: 'DeliverySucceeded', data: { attempt, status: 204, latencyMs: 9 } })

describe('rows: deliveries', () => {
  const { given } = rowsFor(deliveries)

  it('shows every attempt with its status and its latency', () =>
    given(requested, failed(1, DUE), succeeded(2)).then({
      webhook: 'hook-1',
      status: 'delivered',
      event_position: 4711n,
      attempts: 2n,
      last_status: 204,
      last_failure: undefined,
      last_latency_ms: 9,
      due_at: undefined,
      delivered_at: CONTEXT.at,
      log: [
        { attempt: 1, at: CONTEXT.at, status: 500, failure: 'status', latency_ms: 12 },
        { attempt: 2, at: CONTEXT.at, status: 204, failure: undefined, latency_ms: 9 },
      ],
    }))
  it('waits until it is due, is parked after the last failure, and waits again when it is replayed', async () => {
    await given(requested, failed(1, DUE)).then({ status: 'waiting', due_at: DUE, last_failure: 'status' })
    await given(requested, failed(1)).then({ status: 'parked', due_at: undefined, parked_position: 101n })
    const replayed = { type: 'DeliveryReplayed', data: {} }
    await given(requested, failed(1), replayed).then({
      status: 'waiting',
      due_at: CONTEXT.at,
      attempts: 1n,
      parked_position: undefined,
    })
  })
  it('shows the last attempts of very many', async () => {
    const many = Array.from({ length: 60 }, (_, n) => failed(n + 1, DUE))
    const [row] = (await given(requested, ...many).rows()) as unknown as {
      attempts: bigint
      log: { attempt: number }[]
    }[]
    expect([row!.attempts, row!.log.length, row!.log.at(-1)!.attempt]).to.deep.equal([60n, 50, 60])
  })
})
