import { MAX_MINOR_UNITS } from '../../../domain/kernel/schema.ts'
import { transfer } from '../../../domain/wallet/transfer/transfer.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const LATER = '2026-02-28T12:00:00.000Z'
const MUCH_LATER = '2026-03-01T12:00:00.000Z'
const asked = {
  from: 'mira',
  from_account: 'main',
  to: 'ben',
  to_account: 'savings',
  currency: 'EUR',
  amount: 300n,
} as const
const movement = {
  from: 'mira',
  fromAccount: 'main',
  to: 'ben',
  toAccount: 'savings',
  currency: 'EUR',
  places: 2,
  amount: 300n,
  kind: 'transfer',
  requestedBy: 'user-1',
} as const
const scheduled = { type: 'TransferScheduled', data: { ...movement, dueAt: LATER } } as const
const requested = { type: 'TransferRequested', data: movement } as const
const held = { type: 'TransferHeld', data: movement } as const
const heldInVain = { type: 'TransferHeldInVain', data: { from: 'mira' } } as const
const completed = { type: 'TransferCompleted', data: {} } as const
const refusal = { code: 'insufficient_funds', reason: 'too little' }
const refused = (step: 'hold' | 'credit') =>
  ({ type: 'TransferRefused', data: { step, ...refusal, from: 'mira' } }) as const
const timedOut = { type: 'TransferTimedOut', data: {} } as const
const cancelled = { type: 'TransferCancelled', data: {} } as const

describe('transfer', () => {
  const { given } = specFor(transfer)

  describe('request', () => {
    it('asks for a movement, at once or later', () => {
      given().when('request', asked).then(requested)
      given()
        .when('request', { ...asked, due_at: CONTEXT.at })
        .then(requested)
      given()
        .when('request', { ...asked, due_at: LATER })
        .then(scheduled)
      const expiring = { ...requested.data, expiresAt: MUCH_LATER }
      given()
        .when('request', { ...asked, expires_at: MUCH_LATER })
        .then({ type: 'TransferRequested', data: expiring })
    })
    it('is complete at once where it moves nothing', () => {
      const nothing = { ...requested, data: { ...movement, amount: 0n } }
      given()
        .when('request', { ...asked, amount: 0n })
        .then(nothing, completed)
      const self = { ...requested, data: { ...movement, to: 'mira', toAccount: 'main' } }
      given()
        .when('request', { ...asked, to: 'mira', to_account: 'main' })
        .then(self, completed)
      given({ ...scheduled, data: { ...scheduled.data, amount: 0n } })
        .when('start', {})
        .then(nothing, completed)
    })
    it('moves between accounts of one wallet', () =>
      given()
        .when('request', { ...asked, to: 'mira' })
        .then({ ...requested, data: { ...movement, to: 'mira' } }))
    it('states the decimal places, which a currency beyond ISO 4217 must name', () => {
      const ether = { ...asked, currency: 'ETHER' }
      given().when('request', ether).rejects('transfer_places_unknown')
      given()
        .when('request', { ...ether, places: 18 })
        .then({ ...requested, data: { ...movement, currency: 'ETHER', places: 18 } })
      given()
        .when('request', { ...asked, places: 2 })
        .then(requested)
      given()
        .when('request', { ...asked, places: 3 })
        .rejects('transfer_places_mismatch')
    })
    it('must expire after it begins', () => {
      given()
        .when('request', { ...asked, expires_at: CONTEXT.at })
        .rejects('transfer_expires_too_early')
      given()
        .when('request', { ...asked, due_at: LATER, expires_at: LATER })
        .rejects('transfer_expires_too_early')
    })
    it('names a new transfer', () => given(requested).when('request', asked).rejects('transfer_already_requested'))
  })

  it('begins once, when it is due', () => {
    given(scheduled).when('start', {}).then(requested)
    const expiring = { ...scheduled, data: { ...scheduled.data, expiresAt: MUCH_LATER } }
    given(expiring)
      .when('start', {})
      .then({ ...requested, data: { ...movement, expiresAt: MUCH_LATER } })
    for (const after of [[requested], [requested, held], [cancelled]]) {
      given(scheduled, ...after)
        .when('start', {})
        .changesNothing()
    }
  })

  it('is held once; a hold that comes after its end is one in vain', () => {
    given(requested).when('recordHold', {}).then(held)
    given(requested, held).when('recordHold', {}).changesNothing()
    given(requested, held, completed).when('recordHold', {}).changesNothing()
    for (const end of [refused('hold'), timedOut, cancelled]) {
      given(requested, end).when('recordHold', {}).then(heldInVain)
    }
  })

  it('is refused at the step that it stands at', () => {
    given(requested)
      .when('refuse', { step: 'hold', ...refusal })
      .then(refused('hold'))
    given(requested, held)
      .when('refuse', { step: 'credit', ...refusal })
      .then(refused('credit'))
    given(requested, held)
      .when('refuse', { step: 'hold', ...refusal })
      .changesNothing()
    given(requested)
      .when('refuse', { step: 'credit', ...refusal })
      .changesNothing()
    given(requested, timedOut)
      .when('refuse', { step: 'hold', ...refusal })
      .changesNothing()
  })

  it('ends once', () => {
    given(requested, held).when('complete', {}).then(completed)
    for (const end of [[held, completed], [held, refused('credit')], [timedOut]]) {
      given(requested, ...end)
        .when('complete', {})
        .changesNothing()
    }
  })

  it('times out until its amount is held, and does nothing after its end', () => {
    given(requested).when('timeOut', {}).then(timedOut)
    for (const after of [[held], [held, completed], [refused('hold')], [timedOut], [cancelled]]) {
      given(requested, ...after)
        .when('timeOut', {})
        .changesNothing()
    }
  })

  it('can be cancelled until its amount is held', () => {
    given(scheduled).when('cancel', {}).then(cancelled)
    given(requested).when('cancel', {}).then(cancelled)
    given(requested, cancelled).when('cancel', {}).changesNothing()
    given(requested, held).when('cancel', {}).rejects('transfer_under_way')
    given(requested, held, completed).when('cancel', {}).rejects('transfer_ended')
    given(requested, timedOut).when('cancel', {}).rejects('transfer_ended')
  })

  describe('fee', () => {
    const fee = (more: object = {}) => ({ payer: 'from' as const, account: 'external:fees', ...more })
    const costs = (asking: object, amount: bigint, more: object = {}) =>
      given()
        .when('request', { ...asked, fee: { ...fee(more), ...asking } })
        .then({ ...requested, data: { ...movement, fee: { ...fee(more), amount } } })

    it('is a fixed amount, a share that is rounded half up, or both', () => {
      costs({ fixed: 35n }, 35n)
      costs({ share: '0.015' }, 5n)
      costs({ share: '0.0149' }, 4n)
      costs({ fixed: 35n, share: '0.015' }, 40n)
      costs({ fixed: 300n }, 300n, { payer: 'to', account: 'external:bank' })
    })
    it('is none where nothing moves, or the share is too small', () => {
      given()
        .when('request', { ...asked, fee: { ...fee(), share: '0.001' } })
        .then(requested)
      const nothing = { ...movement, amount: 0n }
      given()
        .when('request', { ...asked, amount: 0n, fee: { ...fee(), fixed: 9n } })
        .then({ ...requested, data: nothing }, completed)
    })
    it('takes no more than what arrives', () =>
      given()
        .when('request', { ...asked, fee: { ...fee({ payer: 'to' }), fixed: 301n } })
        .rejects('transfer_fee_too_large'))
    it('has with the amount no more digits than an amount', () =>
      given()
        .when('request', { ...asked, amount: MAX_MINOR_UNITS / 2n, fee: { ...fee(), share: '1.1' } })
        .rejects('transfer_fee_too_large'))
  })

  describe('approval', () => {
    const IN_A_WEEK = '2026-02-07T12:00:00.000Z'
    const approvers = ['ana']
    const waits = { type: 'TransferApprovalAsked', data: { approvers, expiresAt: IN_A_WEEK } } as const
    const approved = { type: 'TransferApproved', data: { ...movement, approvedBy: 'ana' } } as const
    const declined = { type: 'TransferDeclined', data: { reason: 'No' } } as const
    const ana = { actor: 'ana' }

    it('is asked for once, until the transfer expires', () => {
      given(requested).when('askApproval', { approvers }).then(waits)
      const expiring = { ...requested, data: { ...movement, expiresAt: LATER } }
      given(expiring)
        .when('askApproval', { approvers })
        .then({ ...waits, data: { ...waits.data, expiresAt: LATER } })
      for (const after of [[waits], [held], [cancelled]]) {
        given(requested, ...after)
          .when('askApproval', { approvers })
          .changesNothing()
      }
    })
    it('is given by another person than the one who asked', () => {
      given(requested, waits).when('approve', {}, ana).then(approved)
      given(requested, waits)
        .when('approve', { reason: 'As agreed' }, ana)
        .then({ ...approved, data: { ...approved.data, reason: 'As agreed' } })
      given(requested, waits).when('approve', {}).rejects('transfer_of_oneself')
      given(requested, waits, approved).when('approve', {}, ana).changesNothing()
      for (const after of [[], [waits, approved, held], [waits, declined], [waits, timedOut]]) {
        given(requested, ...after)
          .when('approve', {}, ana)
          .rejects('transfer_not_waiting')
      }
    })
    it('knows for whom a process or a timer asked', () => {
      const behalf = { subject: 'ana', roles: [] }
      const ofAna = { ...requested, data: { ...movement, requestedBy: 'ana' } }
      given().when('request', asked, { actor: 'process:standing-order', behalf }).then(ofAna)
      const { requestedBy: _, kind: __, ...early } = movement
      given({ type: 'TransferScheduled', data: { ...early, dueAt: LATER } })
        .when('start', {}, { actor: 'process:timers', behalf })
        .then({ ...requested, data: { ...early, requestedBy: 'ana' } })
      given(ofAna, waits).when('approve', {}, ana).rejects('transfer_of_oneself')
    })
    it('is asked for again where it came from someone without a right to the wallet', () =>
      given(requested, waits, approved).when('askApproval', { approvers: [] }).then(waits))
    it('is not waited for where the wallet let the amount be held meanwhile', () => {
      given(requested, waits).when('recordHold', {}).then(held)
      given(requested, waits, held).when('approve', {}, ana).rejects('transfer_not_waiting')
      given(requested, waits, declined).when('recordHold', {}).then(heldInVain)
    })
    it('knows who asked where an early request does not say', () => {
      const { requestedBy: _, kind: __, ...early } = movement
      const asking = { type: 'TransferRequested', data: early } as const
      const named = { ...waits, data: { ...waits.data, requestedBy: 'ana' } }
      const behalf = (subject: string) => ({ actor: 'process:transfer', behalf: { subject, roles: [] } })
      given(asking).when('askApproval', { approvers }, behalf('ana')).then(named)
      given(asking, named).when('approve', {}, ana).rejects('transfer_of_oneself')
      const granted = { ...approved, data: { ...early, requestedBy: 'ana', approvedBy: 'ben' } }
      given(asking, named).when('approve', {}, { actor: 'ben' }).then(granted)
      given(asking, named, granted).when('askApproval', { approvers }, behalf('ben')).then(waits)
      given(asking, named, granted, waits).when('approve', {}, ana).rejects('transfer_of_oneself')
    })
    it('can be declined, once, which ends the transfer', () => {
      given(requested, waits).when('decline', { reason: 'No' }, ana).then(declined)
      given(requested, waits, declined).when('decline', { reason: 'Never' }, ana).changesNothing()
      given(requested, waits, approved).when('decline', { reason: 'No' }, ana).rejects('transfer_not_waiting')
      given(requested, waits, declined).when('cancel', {}).rejects('transfer_ended')
    })
    it('holds the amount back until it is there', () => {
      given(requested, waits).when('timeOut', {}).then(timedOut)
      given(requested, waits)
        .when('refuse', { step: 'hold', ...refusal })
        .changesNothing()
      given(requested, waits).when('cancel', {}).then(cancelled)
      given(requested, waits, approved).when('recordHold', {}).then(held)
      given(requested, waits, approved)
        .when('refuse', { step: 'hold', ...refusal })
        .then(refused('hold'))
      given(requested, waits, approved).when('timeOut', {}).then(timedOut)
      given(requested, waits, approved, cancelled).when('recordHold', {}).then(heldInVain)
    })
  })

  it('says at its end which payment of a batch it was', () => {
    const batch = { id: 'salaries', payment: 3 }
    const [asking, holding] = [
      { ...requested, data: { ...movement, batch } },
      { ...held, data: { ...movement, batch } },
    ]
    given()
      .when('pay', { ...asked, batch })
      .then(asking)
    given(asking, holding)
      .when('complete', {})
      .then({ ...completed, data: { batch } })
    given(asking)
      .when('cancel', {})
      .then({ ...cancelled, data: { batch } })
    given(asking)
      .when('timeOut', {})
      .then({ ...timedOut, data: { batch } })
    given(asking)
      .when('refuse', { step: 'hold', ...refusal })
      .then({ ...refused('hold'), data: { ...refused('hold').data, batch } })
  })
})
