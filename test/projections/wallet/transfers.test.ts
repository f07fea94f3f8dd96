import { transfers } from '../../../projections/wallet/transfers.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const LATER = '2026-02-28T12:00:00.000Z'
const movement = {
  from: 'mira',
  fromAccount: 'main',
  to: 'ben',
  toAccount: 'savings',
  currency: 'EUR',
  places: 2,
  amount: 300n,
}
const requested = { type: 'TransferRequested', data: movement }
const held = { type: 'TransferHeld', data: movement }

describe('transfers', () => {
  const { given } = rowsFor(transfers)

  it('show where a transfer stands and what steps it took', async () => {
    await given(requested).then({ id: CONTEXT.id, from_account: 'main', status: 'requested', ended_at: undefined })
    const scheduled = { type: 'TransferScheduled', data: { ...movement, dueAt: LATER } }
    const at = (time: string) => ({ at: time })
    await given(
      scheduled,
      { ...requested, ...at(LATER) },
      { ...held, ...at(LATER) },
      { type: 'TransferCompleted', data: {}, ...at(LATER) },
    ).then({
      status: 'completed',
      due_at: LATER,
      requested_at: CONTEXT.at,
      ended_at: LATER,
      steps: [
        { step: 'scheduled', at: CONTEXT.at },
        { step: 'requested', at: LATER },
        { step: 'held', at: LATER },
        { step: 'completed', at: LATER },
      ],
    })
  })

  it('show why one was refused', () => {
    const refused = { step: 'credit', code: 'wallet_closed', reason: 'it is closed', from: 'mira' }
    return given(requested, held, { type: 'TransferRefused', data: refused }).then({
      status: 'refused',
      refused_at: 'credit',
      refusal: 'wallet_closed',
      reason: 'it is closed',
    })
  })

  it('show a hold that came after the end', () =>
    given(
      requested,
      { type: 'TransferTimedOut', data: {} },
      { type: 'TransferHeldInVain', data: { from: 'mira' } },
    ).then({
      status: 'timed_out',
      steps: ['requested', 'timed_out', 'released'].map(step => ({ step, at: CONTEXT.at })),
    }))

  it('show who asked, what it costs, and who decided', async () => {
    const fee = { amount: 5n, payer: 'from', account: 'external:fees' }
    const whole = { ...movement, kind: 'transfer', requestedBy: 'jon', fee, batch: { id: 'salaries', payment: 1 } }
    const asked = { type: 'TransferApprovalAsked', data: { approvers: ['ana'], expiresAt: LATER } }
    const waiting = [{ ...requested, data: whole }, asked]
    const known = { requested_by: 'jon', fee: 5n, fee_payer: 'from', fee_account: 'external:fees', batch: 'salaries' }
    await given(...waiting).then({ ...known, status: 'waiting', approvers: ['ana'], expires_at: LATER })
    await given(...waiting, { type: 'TransferApproved', data: { ...whole, approvedBy: 'ana' } }).then({
      ...known,
      status: 'approved',
      decided_by: 'ana',
    })
    await given(...waiting, { type: 'TransferDeclined', data: { reason: 'No' }, actor: 'ana' }).then({
      ...known,
      status: 'declined',
      decided_by: 'ana',
      reason: 'No',
      ended_at: CONTEXT.at,
    })
    await given(requested).then({ requested_by: CONTEXT.actor, fee: undefined, batch: undefined })
  })
})
