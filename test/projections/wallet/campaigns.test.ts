import { campaignTimers } from '../../../projections/wallet/campaign-timers.ts'
import { campaigns } from '../../../projections/wallet/campaigns.ts'
import { contributions } from '../../../projections/wallet/contributions.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const [one, two] = ['6f1d3c0a-5b8e-5f77-96c2-a4e1d0b37f01', '6f1d3c0a-5b8e-5f77-96c2-a4e1d0b37f02']
const deadline = '2026-02-28T12:00:00.000Z'
const target = { wallet: 'studio', account: 'main', currency: 'EUR', places: 2 }
const opened = {
  type: 'CampaignOpened',
  data: { ...target, purpose: 'marketing', title: 'An atlas', goal: 500n, deadline, settlement: 'all_or_nothing' },
}
const source = (contribution: string, amount: bigint) => ({ contribution, from: 'purse', fromAccount: 'main', amount })
const pledged = (contribution: string, amount: bigint) => ({
  type: 'ContributionPledged',
  data: { ...source(contribution, amount), contributor: 'mira', currency: 'EUR', places: 2 },
})
const held = (contribution: string, amount: bigint) => ({ type: 'ContributionHeld', data: { contribution, amount } })
const ended = { type: 'CampaignEnded', data: { outcome: 'succeeded', raised: 600n } }
const settled = {
  type: 'ContributionsSettled',
  data: { batch: 1n, how: 'collected', contributions: [one], total: 600n },
}

describe('rows: campaigns', () => {
  const { given } = rowsFor(campaigns)

  it('say what was raised, and what became of it', async () => {
    const open = [opened, pledged(one, 600n), held(one, 600n), pledged(two, 5n), held(two, 5n)]
    await given(...open).then({ status: 'open', raised: 605n, contributions: 2n, collected: 0n })
    const withdrawn = { type: 'ContributionWithdrawn', data: { contribution: two, from: 'purse', amount: 5n } }
    await given(...open, withdrawn, ended, settled, {
      type: 'CampaignSettled',
      data: { collected: 600n, returned: 0n },
    }).then({
      status: 'succeeded',
      raised: 600n,
      contributions: 1n,
      collected: 600n,
      returned: 0n,
      ended_at: CONTEXT.at,
      settled_at: CONTEXT.at,
    })
  })
})

describe('rows: campaigns that are not delivered', () => {
  const { given } = rowsFor(campaigns)
  const refused = { code: 'wallet_closed', reason: 'closed' }

  it('do not say that they succeeded', async () => {
    await given(opened, ended, { type: 'CollectionRefused', data: { batch: 1n, ...refused } }).then({
      status: 'undelivered',
      refusal: 'wallet_closed',
    })
    const failed = { type: 'CampaignEnded', data: { outcome: 'failed', raised: 0n } }
    await given(opened, { type: 'CampaignAccountRefused', data: refused }, failed).then({
      status: 'failed',
      refusal: 'wallet_closed',
    })
  })
})

describe('rows: contributions', () => {
  const { given } = rowsFor(contributions)

  it('say how each of them ended', async () => {
    await given(opened, pledged(one, 600n), held(one, 600n), pledged(two, 5n), ended, settled, {
      type: 'ContributionHeldInVain',
      data: { contribution: two, from: 'purse' },
    }).then({ contribution: one, status: 'collected' }, { contribution: two, status: 'too_late', amount: 5n })
    const refused = {
      type: 'ContributionRefused',
      data: { contribution: one, code: 'insufficient_funds', reason: 'no' },
    }
    await given(opened, pledged(one, 600n), refused).then({ status: 'refused', refusal: 'insufficient_funds' })
  })
})

describe('rows: timers of campaigns', () => {
  const { given } = rowsFor(campaignTimers)

  it('are set for the deadline until the end', async () => {
    await given(opened).then({ due_at: deadline, category: 'campaign', command: 'end' })
    await given(opened, ended).then()
  })
})
