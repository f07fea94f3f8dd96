import { transfer } from '../../../domain/wallet/transfer/transfer.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const batch = { id: 'salaries', payment: 2 }
const movement = {
  from: 'studio',
  fromAccount: 'main',
  to: 'ben',
  toAccount: 'main',
  currency: 'EUR',
  places: 2,
  amount: 300n,
  kind: 'transfer' as const,
  requestedBy: 'jon',
  batch: { ...batch, total: 900n },
}
const requested = { type: 'TransferRequested' as const, data: movement }
const expiresAt = CONTEXT.at
const waits = { type: 'TransferApprovalAsked' as const, data: { approvers: ['ana'], expiresAt, batch } }

describe('transfer: a payment of a batch', () => {
  const { given } = specFor(transfer)
  const facts = [{ ...requested, data: { ...movement, expiresAt } }, waits] as const
  const behalf = (subject: string) => ({ actor: 'process:payment', behalf: { subject, roles: [] } })

  it('keeps what all payments take together until it is held', () => {
    const { from_account, to_account, ...asked } = { from_account: 'main', to_account: 'main' } as const
    const { from, to, currency, amount } = movement
    given()
      .when(
        'pay',
        { ...asked, from, from_account, to, to_account, currency, amount, batch: movement.batch },
        behalf('jon'),
      )
      .then(requested)
    given(requested).when('recordHold', {}).then({ type: 'TransferHeld', data: movement })
  })
  it('tells its batch that it waits, and how it ended', () => {
    given({ ...requested, data: { ...movement, expiresAt } })
      .when('askApproval', { approvers: ['ana'] })
      .then(waits)
    given(...facts)
      .when('timeOut', {})
      .then({ type: 'TransferTimedOut', data: { batch } })
  })
  it('is decided on with its batch, where it waits, and not by who asked for it', () => {
    const decided = { isApproved: true, reason: 'As agreed' }
    const approved = {
      type: 'TransferApproved' as const,
      data: { ...movement, approvedBy: 'ana', reason: 'As agreed' },
    }
    given(...facts)
      .when('decideInBatch', decided, behalf('ana'))
      .then(approved)
    given(...facts)
      .when('decideInBatch', decided, behalf('jon'))
      .changesNothing()
    given(requested).when('decideInBatch', decided, behalf('ana')).changesNothing()
    given(...facts, approved)
      .when('decideInBatch', { isApproved: false, reason: 'No' }, behalf('ana'))
      .changesNothing()
    given(...facts)
      .when('decideInBatch', { isApproved: false, reason: 'No' }, behalf('ana'))
      .then({ type: 'TransferDeclined', data: { reason: 'No', batch } })
  })
})
