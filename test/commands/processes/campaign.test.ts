import { campaignProcess } from '../../../commands/processes/wallet/campaign.ts'
import { processSpec, STREAM } from '../../support/process-spec.ts'

const contribution = '6f1d3c0a-5b8e-5f77-96c2-a4e1d0b37f58'
const hold = `process:${STREAM}:${contribution}`
const target = { wallet: 'studio', account: 'main', currency: 'EUR', places: 2 }
const source = { contribution, from: 'purse', fromAccount: 'savings', amount: 600n }
const opened = {
  type: 'CampaignOpened',
  data: {
    ...target,
    purpose: 'fundraising',
    title: 'An atlas',
    goal: 500n,
    deadline: '2026-02-28T12:00:00.000Z',
    settlement: 'all_or_nothing',
  },
}
const pledged = { type: 'ContributionPledged', data: { ...source, contributor: 'mira', currency: 'EUR', places: 2 } }
const held = { type: 'ContributionHeld', data: { contribution, amount: 600n } }
const ended = { type: 'CampaignEnded', data: { outcome: 'succeeded', raised: 600n } }
const due = (collect: string) => ({
  type: 'ContributionsDue',
  data: { ...target, batch: 1n, collect, total: 600n, contributions: [source] },
})

describe('the process of campaigns', () => {
  const { given } = processSpec(campaignProcess)

  it('makes sure that there is an account to deliver to', () => {
    const when = given().when(opened)
    when.then(['wallet.expectAccount', 'studio', { account: 'main', currency: 'EUR' }])
    when
      .refused(0, { code: 'account_not_open', message: 'no' })
      .then(['campaign.refuseAccount', 'thing-1', { code: 'account_not_open', reason: 'no' }])
  })

  it('holds what is pledged, and notes where that is refused', () => {
    const when = given(opened).when(pledged)
    const amount = { account: 'savings', currency: 'EUR', places: 2, amount: 600n, description: 'campaign thing-1' }
    when.then(['wallet.hold', 'purse', { hold, ...amount }], ['campaign.recordHold', 'thing-1', { contribution }])
    when
      .refused(0, { code: 'insufficient_funds', message: 'no' })
      .then(['campaign.refuse', 'thing-1', { contribution, code: 'insufficient_funds', reason: 'no' }])
  })

  it('credits the sum, captures each part of it, and returns all where the wallet takes nothing', () => {
    const counterparty = 'external:campaign:thing-1'
    const when = given(opened, pledged, held, ended).when(due('collected'))
    const { wallet: _, ...credited } = {
      ...target,
      amount: 600n,
      counterparty,
      description: 'campaign thing-1, part 1',
    }
    when.then(
      ['wallet.credit', 'studio', credited],
      ['wallet.capture', 'purse', { hold, counterparty }],
      ['campaign.settle', 'thing-1', { batch: 1n }],
    )
    when
      .refused(0, { code: 'wallet_closed', message: 'no' })
      .then(['campaign.refuseCollection', 'thing-1', { batch: 1n, code: 'wallet_closed', reason: 'no' }])
  })

  it('releases what is returned', () =>
    given(opened, pledged, held, ended)
      .when(due('returned'))
      .then(
        ['wallet.release', 'purse', { hold, reason: 'the contribution was returned' }],
        ['campaign.settle', 'thing-1', { batch: 1n }],
      ))
})
