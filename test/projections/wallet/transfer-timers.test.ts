import { transferTimers } from '../../../projections/wallet/transfer-timers.ts'
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
const scheduled = { type: 'TransferScheduled', data: { ...movement, dueAt: LATER } }
const requested = { type: 'TransferRequested', data: movement }
const expiring = { type: 'TransferRequested', data: { ...movement, expiresAt: LATER } }
const held = { type: 'TransferHeld', data: movement }

describe('timers of transfers', () => {
  const { given } = rowsFor(transferTimers)

  it('start one that is scheduled, once', async () => {
    const timer = { thing: CONTEXT.id, due_at: LATER, category: 'transfer', command: 'start', body: {} }
    await given(scheduled).then(timer)
    await given(scheduled, requested).then()
    await given(scheduled, { type: 'TransferCancelled', data: {} }).then()
  })

  it('end one that expires, unless it is held or has ended before', async () => {
    await given(expiring).then({ due_at: LATER, command: 'timeOut' })
    await given(requested).then()
    await given(expiring, held).then()
    await given(expiring, { type: 'TransferTimedOut', data: {} }).then()
  })

  it('end one that waits for approval, also once it is approved', async () => {
    const waits = { type: 'TransferApprovalAsked', data: { approvers: [], expiresAt: LATER } }
    const approved = { type: 'TransferApproved', data: { ...movement, approvedBy: 'ana' } }
    await given(requested, waits).then({ due_at: LATER, command: 'timeOut' })
    await given(requested, waits, approved).then({ due_at: LATER, command: 'timeOut' })
    await given(requested, waits, approved, held).then()
    await given(requested, waits, { type: 'TransferDeclined', data: { reason: 'No' } }).then()
  })

  it('are given on behalf of who caused them to be set, through processes and timers', async () => {
    const user = { subject: CONTEXT.actor, roles: [] }
    await given(scheduled).then({ behalf: user })
    const waits = {
      type: 'TransferApprovalAsked',
      data: { approvers: [], expiresAt: LATER },
      actor: 'process:transfer',
    }
    await given({ ...expiring, actor: 'process:timers', behalf: 'ana' }).then({ behalf: { subject: 'ana', roles: [] } })
    await given(expiring, waits).then({ behalf: user })
    await given(requested, waits).then({ behalf: undefined })
  })
})
