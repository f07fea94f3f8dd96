import { expect } from 'chai'
import fc from 'fast-check'
import { evolveWith } from '../../../domain/kernel/aggregate.ts'
import { MAX_MINOR_UNITS } from '../../../domain/kernel/schema.ts'
import { type Campaign, campaign } from '../../../domain/wallet/campaign/campaign.ts'
import { BATCH_MAX } from '../../../domain/wallet/campaign/messages.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const DEADLINE = '2026-02-28T12:00:00.000Z'
const target = { wallet: 'studio', account: 'main', currency: 'EUR', places: 2 }
const asked = { purpose: 'fundraising' as const, title: 'An atlas', goal: 1_000n, deadline: DEADLINE }
const uuid = (n: number) => `6f1d3c0a-5b8e-5f77-96c2-${String(n).padStart(12, '0')}`
const opened = (settlement: 'all_or_nothing' | 'keep_what_you_raise' = 'all_or_nothing') =>
  ({ type: 'CampaignOpened', data: { ...target, ...asked, settlement } }) as const
const source = (n: number, amount: bigint) => ({
  contribution: uuid(n),
  from: `purse-${n}`,
  fromAccount: 'main',
  amount,
})
const pledged = (n: number, amount: bigint) =>
  ({
    type: 'ContributionPledged',
    data: { ...source(n, amount), contributor: 'mira', currency: 'EUR', places: 2 },
  }) as const
const held = (n: number, amount: bigint) =>
  ({ type: 'ContributionHeld', data: { contribution: uuid(n), amount } }) as const
const ended = (outcome: 'succeeded' | 'failed' | 'cancelled', raised: bigint) =>
  ({ type: 'CampaignEnded', data: { outcome, raised } }) as const
const due = (batch: bigint, collect: 'collected' | 'returned', ...of: ReturnType<typeof source>[]) => {
  const total = of.reduce((sum, { amount }) => sum + amount, 0n)
  return { type: 'ContributionsDue' as const, data: { ...target, batch, collect, total, contributions: of } }
}
const settled = (collected: bigint, returned: bigint) =>
  ({ type: 'CampaignSettled', data: { collected, returned } }) as const

describe('campaign', () => {
  const { given } = specFor(campaign)

  it('is opened once, with a deadline to come', () => {
    const open = { ...asked, wallet: 'studio', account: 'main', currency: 'EUR', settlement: 'all_or_nothing' as const }
    given().when('open', open).then(opened())
    given(opened()).when('open', open).rejects('campaign_already_opened')
    given()
      .when('open', { ...open, deadline: CONTEXT.at })
      .rejects('campaign_deadline_past')
    given()
      .when('open', { ...open, currency: 'BEANS' })
      .rejects('campaign_places_unknown')
    given()
      .when('open', { ...open, places: 3 })
      .rejects('campaign_places_mismatch')
  })

  it('counts a contribution once it is held', () => {
    given(opened())
      .when('contribute', { from: 'purse', from_account: 'main', amount: 5n }, { actor: 'mira', newId: () => uuid(1) })
      .then({ ...pledged(1, 5n), data: { ...pledged(1, 5n).data, from: 'purse' } })
    given(opened(), pledged(1, 5n))
      .when('recordHold', { contribution: uuid(1) })
      .then(held(1, 5n))
    given(opened(), pledged(1, 5n), held(1, 5n))
      .when('recordHold', { contribution: uuid(1) })
      .changesNothing()
    const refusal = { contribution: uuid(1), code: 'insufficient_funds', reason: 'no' }
    given(opened(), pledged(1, 5n)).when('refuse', refusal).then({ type: 'ContributionRefused', data: refusal })
    given(opened(), pledged(1, 5n), held(1, 5n)).when('refuse', refusal).changesNothing()
  })

  it('lets only who contributed withdraw, before the end', () => {
    const withdrawn = {
      type: 'ContributionWithdrawn',
      data: { contribution: uuid(1), from: 'purse-1', amount: 5n },
    } as const
    const own = { actor: 'mira' }
    const withdraw = { contribution: uuid(1) }
    given(opened(), pledged(1, 5n), held(1, 5n)).when('withdraw', withdraw, own).then(withdrawn)
    given(opened(), pledged(1, 5n), held(1, 5n)).when('withdraw', withdraw).rejects('contribution_of_another')
    given(opened(), pledged(1, 5n)).when('withdraw', withdraw, own).rejects('contribution_under_way')
    given(opened(), pledged(1, 5n), held(1, 5n), withdrawn)
      .when('withdraw', withdraw, own)
      .rejects('contribution_unknown')
    given(opened(), ended('failed', 0n), settled(0n, 0n)).when('withdraw', withdraw, own).rejects('campaign_ended')
  })

  it('collects where the goal is reached, and returns all where it is not', () => {
    const full = [opened(), pledged(1, 999n), held(1, 999n), pledged(2, 1n)] as const
    given(...full, held(2, 1n))
      .when('end', {})
      .then(ended('succeeded', 1_000n), due(1n, 'collected', source(1, 999n), source(2, 1n)))
    given(...full)
      .when('end', {})
      .then(ended('failed', 999n), due(1n, 'returned', source(1, 999n)))
    given(opened()).when('end', {}).then(ended('failed', 0n), settled(0n, 0n))
    given(opened(), ended('failed', 0n), settled(0n, 0n)).when('end', {}).changesNothing()
  })

  it('keeps what it has raised where that was said', () => {
    given(opened('keep_what_you_raise'), pledged(1, 5n), held(1, 5n))
      .when('end', {})
      .then(ended('succeeded', 5n), due(1n, 'collected', source(1, 5n)))
    given(opened('keep_what_you_raise')).when('end', {}).then(ended('failed', 0n), settled(0n, 0n))
  })

  it('returns all when it is cancelled, and lets go what is held too late', () => {
    const open = [opened(), pledged(1, 5n), held(1, 5n), pledged(2, 7n)] as const
    const over = [...open, ended('cancelled', 5n), due(1n, 'returned', source(1, 5n))] as const
    given(...open)
      .when('cancel', {})
      .then(ended('cancelled', 5n), due(1n, 'returned', source(1, 5n)))
    given(...over)
      .when('cancel', {})
      .changesNothing()
    given(...over)
      .when('recordHold', { contribution: uuid(2) })
      .then({ type: 'ContributionHeldInVain', data: { contribution: uuid(2), from: 'purse-2' } })
    given(...over)
      .when('contribute', { from: 'p', from_account: 'main', amount: 1n })
      .rejects('campaign_ended')
  })

  it('takes contributions that are an amount together', () => {
    const most = MAX_MINOR_UNITS / 50_000n
    const contribute = (amount: bigint) =>
      given(opened()).when('contribute', { from: 'p', from_account: 'main', amount }, { newId: () => uuid(1) })
    contribute(most + 1n).rejects('contribution_too_large')
    contribute(most).then({ ...pledged(1, most), data: { ...pledged(1, most).data, from: 'p', contributor: 'user-1' } })
  })

  it('returns what its wallet does not take', () => {
    const refusal = { batch: 1n, code: 'wallet_closed', reason: 'closed' }
    const refused = { type: 'CollectionRefused', data: refusal } as const
    const over = [opened(), pledged(1, 1_000n), held(1, 1_000n), ended('succeeded', 1_000n)] as const
    const first = due(1n, 'collected', source(1, 1_000n))
    given(...over, first)
      .when('refuseCollection', refusal)
      .then(refused, due(2n, 'returned', source(1, 1_000n)))
    given(...over, first)
      .when('refuseCollection', { ...refusal, batch: 2n })
      .changesNothing()
    given(...over, first, refused, due(2n, 'returned', source(1, 1_000n)))
      .when('settle', { batch: 1n })
      .changesNothing()
  })

  it('settles every contribution once, whatever their number, order and outcome', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ amount: fc.bigInt(1n, 100n), isHeld: fc.boolean() }), { maxLength: 3 * BATCH_MAX }),
        fc.constantFrom('end' as const, 'cancel' as const),
        fc.integer({ min: 0, max: 4 }),
        (contributions, how, refusedAt) => {
          let state: Campaign = campaign.initial
          const settledOnes: string[] = []
          const give = (name: string, body: object) => {
            const decide = campaign.decide[name as 'end'] as (
              ...args: unknown[]
            ) => readonly { type: string; data: object }[]
            const facts = decide(state, body, CONTEXT)
            for (const { type, data } of facts) {
              state = evolveWith(campaign, state, { type, data, metadata: { at: CONTEXT.at } } as never) as Campaign
            }
            return facts
          }
          for (const fact of [opened(), ...contributions.map(({ amount }, n) => pledged(n, amount))]) {
            state = evolveWith(campaign, state, { ...fact, metadata: { at: CONTEXT.at } } as never) as Campaign
          }
          for (const [n, { isHeld }] of contributions.entries())
            if (isHeld) give('recordHold', { contribution: uuid(n) })
          let facts = give(how, {})
          for (let round = 0; state.status !== 'settled'; round++) {
            const { batch } = facts.find(({ type }) => type === 'ContributionsDue')!.data as { batch: bigint }
            const refusal = { batch, code: 'wallet_closed', reason: 'x' }
            const refused = round === refusedAt ? give('refuseCollection', refusal) : []
            facts = refused.length > 0 ? refused : give('settle', { batch })
            for (const { type, data } of facts) {
              if (type === 'ContributionsSettled')
                settledOnes.push(...(data as { contributions: string[] }).contributions)
            }
          }
          const all = contributions.flatMap(({ isHeld }, n) => (isHeld ? [uuid(n)] : []))
          expect(settledOnes.toSorted()).to.deep.equal(all.toSorted())
          const { collected, returned } = facts.at(-1)!.data as { collected: bigint; returned: bigint }
          const raised = contributions.reduce((sum, { amount, isHeld }) => (isHeld ? sum + amount : sum), 0n)
          expect(collected + returned).to.equal(raised)
        },
      ),
      { numRuns: 50 },
    ))
})
