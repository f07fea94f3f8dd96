import { transferProcess } from '../../../commands/processes/wallet/transfer.ts'
import { processSpec, STREAM } from '../../support/process-spec.ts'
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
})
