import { expect } from 'chai'
import { notifications } from '../../../projections/hub/notifications.ts'
import { mentionsIn } from '../../../projections/hub/rules.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const idOf = (n: number, user = 0) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}.${user}`

describe('rows: notifications', () => {
  const { given } = rowsFor(notifications)
  const created = (more: object = {}) => ({ type: 'TaskCreated', data: { name: 'Menu', status: 'open', ...more } })
  const assigned = (to: string | null) => ({ type: 'TaskAssigned', data: { from: null, to } })

  it('tell a user of a task that is assigned to them', () =>
    given(created({ assignee: 'mira' }), assigned('jon'), assigned(null)).then(
      { id: idOf(0), user: 'mira', kind: 'task_assigned', thing: 'thing-1', type: 'TaskCreated', position: 100n },
      { id: idOf(1), user: 'jon', kind: 'task_assigned', category: 'task', actor: CONTEXT.actor, position: 101n },
    ))

  it('tell nobody of what they did themselves', () => given(created({ assignee: CONTEXT.actor })).then())

  it('tell everybody who is mentioned, each once', () =>
    given(created({ assignee: 'mira', description: 'For @jon and @mira, says @jon.' })).then(
      { id: idOf(0, 0), user: 'mira', kind: 'task_assigned' },
      { id: idOf(0, 1), user: 'jon', kind: 'mentioned' },
    ))

  it('note what is marked as read by its user alone, and nothing that is not there', () => {
    const read = (id: string, n: number) => ({ type: 'NotificationRead', data: { notification: idOf(n) }, id })
    const opened = (id: string) => ({ type: 'InboxOpened', data: {}, id })
    return given(
      assigned('mira'),
      assigned('jon'),
      opened('mira'),
      read('mira', 0),
      read('mira', 1),
      read('mira', 9),
    ).then({ user: 'mira', read_at: CONTEXT.at }, { user: 'jon', read_at: undefined })
  })

  it('tell the owner of a budget that it was passed, and a user that their import is done', async () => {
    const period = { from: '2026-05-01', to: '2026-05-31', currency: 'EUR', places: 2, amount: 1n, actual: 2n }
    const passed = { type: 'BudgetPassed', data: { ...period, owner: 'mira' }, actor: 'process:budgets' }
    await given(passed).then({ user: 'mira', kind: 'budget_passed', category: 'budget' })
    const read = { wallet: 'w', name: 'may.xml', format: 'camt', sha256: 'f'.repeat(64), statements: [], matched: [] }
    const counts = { rows: 1, pending: 0, there: 0, entries: 1 }
    await given(
      { type: 'ImportStarted', data: { ...read, ...counts } },
      { type: 'ImportBooked', data: { entries: 1 } },
    ).then({ user: CONTEXT.actor, kind: 'import_done', category: 'import' })
  })

  describe('of transfers', () => {
    const movement = {
      from: 'a',
      fromAccount: 'main',
      to: 'b',
      toAccount: 'main',
      currency: 'EUR',
      places: 2,
      amount: 100n,
    }
    const requested = { type: 'TransferRequested', data: movement }
    const scheduled = { type: 'TransferScheduled', data: { ...movement, dueAt: CONTEXT.at } }
    const byProcess = { actor: 'process:transfer' }
    const refused = {
      ...byProcess,
      type: 'TransferRefused',
      data: { step: 'hold', code: 'wallet_closed', reason: 'no', from: 'a' },
    }
    const pending = { id: 'thing-1.end', user: CONTEXT.actor, kind: undefined }

    it('wait for the end, and tell the user who asked for it', async () => {
      await given(scheduled, requested).then({ ...pending, position: 100n })
      await given(
        requested,
        { type: 'TransferHeld', data: movement },
        { type: 'TransferCompleted', data: {}, ...byProcess },
      ).then({
        ...pending,
        kind: 'transfer_completed',
        type: 'TransferCompleted',
        position: 102n,
      })
      await given(requested, refused).then({ ...pending, kind: 'transfer_refused' })
      await given(requested, { type: 'TransferTimedOut', data: {}, ...byProcess }).then({
        ...pending,
        kind: 'transfer_timed_out',
      })
    })

    it('tell those who may approve a transfer, and who asked of what they decide', async () => {
      const asked = { type: 'TransferApprovalAsked', data: { approvers: ['ana', 'mira'], expiresAt: CONTEXT.at } }
      await given({ ...asked, ...byProcess }).then(
        { user: 'ana', kind: 'transfer_approval_asked' },
        { user: 'mira', kind: 'transfer_approval_asked' },
      )
      await given(requested, { type: 'TransferDeclined', data: { reason: 'No' }, actor: 'ana' }).then({
        ...pending,
        kind: 'transfer_declined',
      })
    })

    it('tell who set up what a process asked for, and of the end of a batch instead of its payments', async () => {
      const caused = { ...byProcess, behalf: 'ana' }
      await given({ ...requested, ...caused }, refused).then({ user: 'ana', kind: 'transfer_refused' })
      const payment = { ...requested, data: { ...movement, batch: { id: 'b', payment: 1 } }, ...caused }
      await given(payment, refused).then()
      const source = { from: 'a', fromAccount: 'main', currency: 'EUR', places: 2, payments: 1, total: 1n }
      await given(
        { type: 'PaymentBatchRequested', data: { ...source, requestedBy: CONTEXT.actor } },
        { type: 'PaymentBatchEnded', data: { completed: 1, failed: 0, moved: 1n }, ...byProcess },
      ).then({ user: CONTEXT.actor, kind: 'payments_ended' })
    })

    it('tell of no end that the user brings about, or that nobody began', async () => {
      await given(scheduled, { type: 'TransferCancelled', data: {} }).then()
      await given(requested, { type: 'TransferCompleted', data: {} }).then()
      await given({ ...requested, ...byProcess }, { type: 'TransferCompleted', data: {}, ...byProcess }).then()
    })
  })
})

describe('mentions', () => {
  it('are names behind an @ that begins a word', () => {
    const found: readonly (readonly [string, readonly string[]])[] = [
      ['@mira', ['mira']],
      ['ask @jon, @mira.blum and (@x): now!', ['jon', 'mira.blum', 'x']],
      ['to a@b.example, or @', []],
      ['@Åsa-Lena’s', ['Åsa-Lena’s']],
      ['@a'.repeat(3), ['a']],
    ]
    for (const [text, names] of found) expect(mentionsIn(text), text).to.deep.equal(names)
    expect(mentionsIn(undefined, null, '@a', '@b')).to.deep.equal(['a', 'b'])
    expect(mentionsIn(Array.from({ length: 30 }, (_, n) => `@u${n}`).join(' '))).to.have.length(20)
  })
})
