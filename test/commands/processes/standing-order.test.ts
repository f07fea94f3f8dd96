import { standingOrderProcess } from '../../../commands/processes/wallet/standing-order.ts'
import { processSpec } from '../../support/process-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const movement = {
  from: 'mira',
  fromAccount: 'main',
  to: 'ben',
  toAccount: 'savings',
  currency: 'EUR',
  places: 2,
  amount: 300n,
}
const due = { at: '2026-02-01T09:00:00.000Z', number: 1 }
const transfer = '00000000-0000-4000-8000-000000000001'
const opened = {
  type: 'StandingOrderOpened',
  data: { ...movement, rule: 'FREQ=DAILY', starts: '2026-02-01T09:00:00', zone: 'UTC', next: due },
}

describe('the process of a standing order', () => {
  const { given } = processSpec(standingOrderProcess)

  it('requests a transfer each time, and notes one that is refused', () => {
    given().when(opened).then()
    const when = given(opened).when({ type: 'StandingOrderFired', data: { ...movement, due, transfer } })
    const { fromAccount: from_account, toAccount: to_account, ...same } = movement
    when.then(['transfer.request', transfer, { ...same, from_account, to_account }])
    when
      .refused(0, { code: 'reference_unknown', message: 'no such wallet' })
      .then([
        'standingorder.recordRefusal',
        CONTEXT.id,
        { transfer, code: 'reference_unknown', reason: 'no such wallet' },
      ])
  })
})
