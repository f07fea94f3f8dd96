import { transferProcess } from '../../../commands/processes/wallet/transfer.ts'
import { type Given, processSpec, STREAM } from '../../support/process-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const movement = {
  from: 'mira',
  fromAccount: 'main',
  to: 'ben',
  toAccount: 'savings',
  currency: 'EUR',
  places: 2,
  amount: 300n,
  description: 'rent',
}
const requested = { type: 'TransferRequested', data: movement }
const held = { type: 'TransferHeld', data: movement }
const refused = (step: string) => ({ type: 'TransferRefused', data: { step, code: 'c', reason: 'r', from: 'mira' } })
const timedOut = { type: 'TransferTimedOut', data: {} }
const HOLD = `process:${STREAM}`
const amount = { currency: 'EUR', places: 2, amount: 300n, description: 'rent' }
const release = ['wallet.release', 'mira', { hold: HOLD, reason: 'the transfer ended' }] as const

describe('the process of a transfer', () => {
  const { given } = processSpec(transferProcess)
  const refusal = { code: 'insufficient_funds', message: 'too little' }
  const told = (step: string) =>
    ['transfer.refuse', CONTEXT.id, { step, code: 'insufficient_funds', reason: 'too little' }] as const

  it('holds the amount at the source', () => {
    const when = given().when(requested)
    when.then(
      ['wallet.hold', 'mira', { hold: HOLD, account: 'main', ...amount }],
      ['transfer.recordHold', CONTEXT.id, {}],
    )
    when.refused(0, refusal).then(told('hold'))
    when.refused(1, refusal).then()
  })

  it('credits the target and captures what is held', () => {
    const when = given(requested).when(held)
    when.then(
      ['wallet.credit', 'ben', { account: 'savings', ...amount, counterparty: 'external:wallet:mira' }],
      ['wallet.capture', 'mira', { hold: HOLD, counterparty: 'external:wallet:ben' }],
      ['transfer.complete', CONTEXT.id, {}],
    )
    when.refused(0, refusal).then(told('credit'))
    when.refused(1, refusal).then()
  })

  it('goes on in two parts also from an approval, so that it is credited once', () => {
    const waits = { type: 'TransferApprovalAsked', data: { approvers: ['ana'], expiresAt: CONTEXT.at } }
    const approved = { type: 'TransferApproved', data: { ...movement, approvedBy: 'ana' } }
    given(requested, waits)
      .when(approved)
      .then(
        ['wallet.reserve', 'mira', { hold: HOLD, account: 'main', ...amount, as: 'approved' }],
        ['transfer.recordHold', CONTEXT.id, {}],
      )
    given(requested, waits, approved)
      .when(held)
      .then(
        ['wallet.credit', 'ben', { account: 'savings', ...amount, counterparty: 'external:wallet:mira' }],
        ['wallet.capture', 'mira', { hold: HOLD, counterparty: 'external:wallet:ben' }],
        ['transfer.complete', CONTEXT.id, {}],
      )
  })

  it('lets go what was held for nothing', () => {
    given(requested, held).when(refused('credit')).then(release)
    given(requested, timedOut)
      .when({ type: 'TransferHeldInVain', data: { from: 'mira' } })
      .then(release)
    given(requested).when(refused('hold')).then()
  })

  it('does nothing for a transfer that moves nothing, or has ended', () => {
    given()
      .when({ ...requested, data: { ...movement, amount: 0n } })
      .then()
    given()
      .when({ ...requested, data: { ...movement, to: 'mira', toAccount: 'main' } })
      .then()
    given(requested).when(timedOut).then()
    given(requested).when({ type: 'TransferCancelled', data: {} }).then()
    given(requested, held).when({ type: 'TransferCompleted', data: {} }).then()
  })

  describe('from when transfers have a kind', () => {
    const ofKind = { ...movement, kind: 'transfer', requestedBy: 'mira' }
    const asked = { ...requested, data: ofKind }
    const taken = { hold: HOLD, account: 'main', ...amount }
    const [credited, captured] = [
      { account: 'savings', ...amount, counterparty: 'external:wallet:mira' },
      { hold: HOLD, counterparty: 'external:wallet:ben' },
    ]
    const held: Given = ['transfer.recordHold', CONTEXT.id, {}]
    const completed: Given = ['transfer.complete', CONTEXT.id, {}]
    const delivered: readonly Given[] = [
      held,
      ['wallet.credit', 'ben', { ...credited, kind: 'transfer' }],
      ['wallet.capture', 'mira', { ...captured, kind: 'transfer' }],
      completed,
    ]

    it('goes on at once where the amount is held, with entries of that kind', () => {
      const when = given().when(asked)
      when.then(['wallet.hold', 'mira', taken], ...delivered)
      when.refused(0, refusal).then(told('hold'))
      when.refused(2, refusal).then(told('credit'))
      when.needs(undefined, 'TransferHeld', undefined, undefined, undefined)
      given(asked).when({ type: 'TransferHeld', data: ofKind }).then()
    })

    it('holds within a wallet what is not sent out of it', () => {
      const [, credit, , end] = delivered
      given()
        .when({ ...asked, data: { ...ofKind, to: 'mira' } })
        .then(
          ['wallet.reserve', 'mira', { ...taken, as: 'within' }],
          held,
          ['wallet.credit', 'mira', credit![2]],
          ['wallet.capture', 'mira', { hold: HOLD, counterparty: 'external:wallet:mira', kind: 'transfer' }],
          end!,
        )
    })

    it('holds what is sent out of a wallet by its rules where the fee alone leaves it', () => {
      for (const payer of ['from', 'to']) {
        const fee = { amount: 9n, account: 'external:fees', payer }
        const when = given().when({ ...asked, data: { ...ofKind, to: 'mira', fee } })
        const required = { code: 'transfer_approval_required', message: 'a second person' }
        when.refused(0, required).then(['transfer.askApproval', CONTEXT.id, { approvers: [] }])
      }
    })

    it('names what all payments of its batch take, and tells the batch that it waits', () => {
      const batch = { id: 'salaries', payment: 2 }
      const when = given().when({ ...asked, data: { ...ofKind, batch: { ...batch, total: 900n } } })
      const required = { code: 'transfer_approval_required', message: 'a second person' }
      when.refused(0, required).then(['transfer.askApproval', CONTEXT.id, { approvers: [] }])
      given(asked)
        .when({ type: 'TransferApprovalAsked', data: { approvers: ['ana'], expiresAt: CONTEXT.at, batch } })
        .then(['paymentbatch.recordWaiting', 'salaries', { payment: 2, approvers: ['ana'] }])
    })

    it('asks for the approval that the wallet wants', () => {
      const required = { code: 'transfer_approval_required', message: 'a second person' }
      const details = [{ field: 'approver', message: 'ana' }]
      const when = given().when(asked)
      when.refused(0, { ...required, details }).then(['transfer.askApproval', CONTEXT.id, { approvers: ['ana'] }])
      when.refused(0, required).then(['transfer.askApproval', CONTEXT.id, { approvers: [] }])
    })

    it('holds what is approved, and asks again where the approval counts for nothing', () => {
      const waits = { type: 'TransferApprovalAsked', data: { approvers: ['ana'], expiresAt: CONTEXT.at } }
      const when = given(asked, waits).when({ type: 'TransferApproved', data: { ...ofKind, approvedBy: 'ana' } })
      when.then(['wallet.reserve', 'mira', { ...taken, as: 'approved' }], ...delivered)
      const missing = { code: 'wallet_right_missing', message: 'no user' }
      when.refused(0, missing).then(['transfer.askApproval', CONTEXT.id, { approvers: [] }])
      when.refused(0, refusal).then(told('hold'))
    })

    it('has the fee posted where it is paid', () => {
      const fee = { amount: 9n, account: 'external:fees' }
      const paidBy = (payer: string) => ({ ...asked, data: { ...ofKind, fee: { ...fee, payer } } })
      const { currency: _, ...part } = amount
      given()
        .when(paidBy('from'))
        .then(
          ['wallet.hold', 'mira', { ...taken, amount: 309n }],
          held,
          ['wallet.credit', 'ben', { ...credited, kind: 'transfer' }],
          ['wallet.settle', 'mira', { ...captured, ...part, fee }],
          completed,
        )
      const when = given().when(paidBy('to'))
      when.then(
        ['wallet.hold', 'mira', taken],
        held,
        ['wallet.receive', 'ben', { ...credited, fee }],
        ['wallet.capture', 'mira', { ...captured, kind: 'transfer' }],
        completed,
      )
      when.refused(2, refusal).then(told('credit'))
    })

    it('tells the batch of a payment how it ended', () => {
      const batch = { id: 'salaries', payment: 3 }
      const ofBatch = { ...ofKind, batch }
      const ends = (outcome: string, more: object = {}): Given => [
        'paymentbatch.recordEnd',
        'salaries',
        { payment: 3, outcome, ...more },
      ]
      const paying = { ...asked, data: ofBatch }
      given()
        .when(paying)
        .then(['wallet.hold', 'mira', taken], ...delivered, ends('completed'))
      given()
        .when({ ...paying, data: { ...ofBatch, amount: 0n } })
        .then(ends('completed'))
      for (const [type, outcome] of [
        ['TransferTimedOut', 'timed_out'],
        ['TransferCancelled', 'cancelled'],
      ] as const) {
        given(paying).when({ type, data: { batch } }).then(ends(outcome))
      }
      given(paying)
        .when({ ...refused('hold'), data: { ...refused('hold').data, batch } })
        .then(ends('refused', { code: 'c' }))
      const waits = { type: 'TransferApprovalAsked', data: { approvers: [], expiresAt: CONTEXT.at } }
      given(paying, waits)
        .when({ type: 'TransferDeclined', data: { reason: 'No', batch } })
        .then(ends('declined'))
    })
  })
})
