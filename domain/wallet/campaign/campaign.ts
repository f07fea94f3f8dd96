import { aggregate, type Decide, type EventOf, type Evolve } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { MAX_MINOR_UNITS } from '../../kernel/schema.ts'
import { placesFor } from '../../record/currencies.ts'
import { type Keyed, memberOf, membersOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { activity } from './activity.ts'
import { BATCH_MAX, commands, events, rejections } from './messages.ts'

/** Contributions that a campaign can have open: each is in its state until it is settled. */
const CONTRIBUTIONS_MAX = 50_000
/** So that all contributions together are an amount. */
const CONTRIBUTION_MAX = MAX_MINOR_UNITS / BigInt(CONTRIBUTIONS_MAX)

type Pledge = {
  readonly contribution: string
  readonly contributor: string
  readonly from: string
  readonly fromAccount: string
  readonly amount: bigint
  readonly isHeld: boolean
}
type Terms = {
  readonly wallet: string
  readonly account: string
  readonly currency: string
  readonly places: number
  readonly goal: bigint
  readonly settlement: 'all_or_nothing' | 'keep_what_you_raise'
}
type How = 'collected' | 'returned'
type Facts = readonly EventOf<typeof events>[]

/**
 * A campaign is open until its deadline, or until it is cancelled. Then its contributions, which are held in their
 * wallets, are collected or returned, batch by batch; `due` is the batch that is under way.
 */
type Running = {
  readonly status: 'open' | 'settling'
  readonly terms: Terms
  readonly raised: bigint
  readonly count: number
  readonly pledges: Keyed<Pledge>
  /** Where the contributions come from that were not held when the campaign ended: what is held yet is let go. */
  readonly late: Keyed<string>
  readonly how: How
  readonly batch: bigint
  readonly due: readonly string[]
  readonly collected: bigint
  readonly returned: bigint
}
export type Campaign =
  | { readonly status: 'none' }
  | Running
  | { readonly status: 'settled'; readonly late: Keyed<string> }

const evolve: Evolve<Campaign, typeof events> = {
  CampaignOpened: (_, { purpose: __, title: ___, description: ____, deadline: _____, ...terms }) => ({
    status: 'open',
    terms,
    raised: 0n,
    count: 0,
    pledges: noneKeyed,
    late: noneKeyed,
    how: 'collected',
    batch: 0n,
    due: [],
    collected: 0n,
    returned: 0n,
  }),
  ContributionPledged(campaign, { currency: _, places: __, ...pledge }) {
    const before = running(campaign)
    const pledges = withMember(before.pledges, pledge.contribution, { ...pledge, isHeld: false })
    return { ...before, count: before.count + 1, pledges }
  },
  ContributionHeld(campaign, { contribution, amount }) {
    const before = running(campaign)
    const pledge = memberOf(before.pledges, contribution)!
    const pledges = withMember(before.pledges, contribution, { ...pledge, isHeld: true })
    return { ...before, raised: before.raised + amount, pledges }
  },
  ContributionHeldInVain: (campaign, { contribution }) => without(campaign, [contribution]),
  ContributionRefused: (campaign, { contribution }) => without(campaign, [contribution]),
  ContributionWithdrawn(campaign, { contribution, amount }) {
    const before = running(without(campaign, [contribution]))
    return { ...before, raised: before.raised - amount }
  },
  CampaignAccountRefused: campaign => campaign,
  CampaignEnded(campaign, { outcome }) {
    const before = running(campaign)
    const unheld = membersOf(before.pledges).filter(({ isHeld }) => !isHeld)
    const left = running(
      without(
        before,
        unheld.map(({ contribution }) => contribution),
      ),
    )
    const late = unheld.reduce((all, { contribution, from }) => withMember(all, contribution, from), before.late)
    return { ...left, late, status: 'settling', how: outcome === 'succeeded' ? 'collected' : 'returned' }
  },
  ContributionsDue: (campaign, { batch, collect: how, contributions }) => ({
    ...running(campaign),
    batch,
    how,
    due: contributions.map(({ contribution }) => contribution),
  }),
  ContributionsSettled(campaign, { how, contributions, total }) {
    const before = running(without(campaign, contributions))
    return { ...before, due: [], [how]: before[how] + total }
  },
  CollectionRefused: campaign => ({ ...running(campaign), how: 'returned', due: [] }),
  CampaignSettled: campaign => ({ status: 'settled', late: running(campaign).late }),
}

const PLACES = { unknown: 'campaign_places_unknown', mismatch: 'campaign_places_mismatch' }

const decide: Decide<Campaign, typeof commands, typeof events> = {
  open(campaign, { id: _, places, ...asked }, { at }) {
    if (campaign.status !== 'none') throw rejected('campaign_already_opened', 'The campaign exists; choose another id.')
    if (asked.deadline <= at) throw rejected('campaign_deadline_past', 'Name a deadline that is still to come.')
    return [{ type: 'CampaignOpened', data: { ...asked, places: placesFor(asked.currency, places, PLACES) } }]
  },
  contribute(campaign, { from, from_account: fromAccount, amount }, { actor, newId }) {
    const { terms, count } = mustBeOpen(campaign)
    if (count >= CONTRIBUTIONS_MAX) throw rejected('campaign_full', 'The campaign has as many contributions as it can.')
    if (amount > CONTRIBUTION_MAX) {
      throw rejected('contribution_too_large', 'Contribute less at once.', { most: CONTRIBUTION_MAX })
    }
    const { currency, places } = terms
    const data = { contribution: newId(0), contributor: actor, from, fromAccount, amount, currency, places }
    return [{ type: 'ContributionPledged', data }]
  },
  withdraw(campaign, { contribution }, { actor }) {
    const { pledges } = mustBeOpen(campaign)
    const pledge = memberOf(pledges, contribution)
    if (!pledge) throw rejected('contribution_unknown', 'There is no such contribution, or it has ended.')
    const { contributor, isHeld, from, amount } = pledge
    if (contributor !== actor) throw rejected('contribution_of_another', 'Only who contributed may withdraw it.')
    if (!isHeld) throw rejected('contribution_under_way', 'The amount is about to be held; try again shortly.')
    return [{ type: 'ContributionWithdrawn', data: { contribution, from, amount } }]
  },
  cancel(campaign) {
    if (campaign.status !== 'open') {
      if (campaign.status === 'settling' && campaign.how === 'returned') return []
      mustBeOpen(campaign)
    }
    return ended(running(campaign), 'cancelled')
  },
  recordHold(campaign, { contribution }) {
    const from = 'late' in campaign ? memberOf(campaign.late, contribution) : undefined
    if (from !== undefined) return [{ type: 'ContributionHeldInVain', data: { contribution, from } }]
    const pledge = 'pledges' in campaign ? memberOf(campaign.pledges, contribution) : undefined
    if (!pledge || pledge.isHeld) return []
    return [{ type: 'ContributionHeld', data: { contribution, amount: pledge.amount } }]
  },
  refuse(campaign, refusal) {
    const isLate = 'late' in campaign && memberOf(campaign.late, refusal.contribution) !== undefined
    const pledge = 'pledges' in campaign ? memberOf(campaign.pledges, refusal.contribution) : undefined
    return isLate || (pledge && !pledge.isHeld) ? [{ type: 'ContributionRefused', data: refusal }] : []
  },
  refuseAccount(campaign, refusal) {
    if (campaign.status !== 'open') return []
    return [{ type: 'CampaignAccountRefused', data: refusal }, ...ended(campaign, 'failed')]
  },
  end(campaign) {
    if (campaign.status !== 'open') return []
    const { raised, terms } = campaign
    const isKept = terms.settlement === 'keep_what_you_raise' && raised > 0n
    return ended(campaign, raised >= terms.goal || isKept ? 'succeeded' : 'failed')
  },
  settle(campaign, { batch }) {
    if (campaign.status !== 'settling' || campaign.batch !== batch || campaign.due.length === 0) return []
    const { how, due, pledges } = campaign
    const total = due.reduce((sum, contribution) => sum + memberOf(pledges, contribution)!.amount, 0n)
    const data = { batch, how, contributions: [...due], total }
    const settled = { type: 'ContributionsSettled' as const, data }
    return [settled, ...next(evolve.ContributionsSettled(campaign, data, ''))]
  },
  refuseCollection(campaign, refusal) {
    if (campaign.status !== 'settling' || campaign.batch !== refusal.batch || campaign.how !== 'collected') return []
    const refused = { type: 'CollectionRefused', data: refusal } as const
    return [refused, ...next(evolve.CollectionRefused(campaign, refusal, ''))]
  },
}

/** Money that is raised from wallets until a deadline: contributions are held, then collected or returned. */
export const campaign = aggregate({
  name: 'campaign',
  events,
  commands,
  api: {
    open: ['POST /campaigns', 'campaigns.write', 'Open a campaign: what it raises by its deadline goes to an account.'],
    contribute: [
      'POST /campaigns/:id/contributions',
      'contributions.write',
      'Contribute to a campaign: the amount is held in a wallet until the campaign ends.',
      '/campaigns/:id/contributions/:contribution',
    ],
    withdraw: [
      'POST /campaigns/:id/contributions/:contribution/withdraw',
      'contributions.write',
      'Withdraw a contribution of the caller before the campaign ends.',
    ],
    cancel: ['POST /campaigns/:id/cancel', 'campaigns.write', 'Cancel a campaign: all contributions are returned.'],
    recordHold: 'internal',
    refuse: 'internal',
    refuseAccount: 'internal',
    end: 'internal',
    settle: 'internal',
    refuseCollection: 'internal',
  },
  rejections,
  initial: { status: 'none' } as Campaign,
  evolve,
  decide,
  stateSchema: 1,
  activity,
})

/** The end, and what follows from it at once. */
function ended(campaign: Running, outcome: 'succeeded' | 'failed' | 'cancelled'): Facts {
  const end = { type: 'CampaignEnded', data: { outcome, raised: campaign.raised } } as const
  return [end, ...next(evolve.CampaignEnded(campaign, end.data, ''))]
}

/** The next batch, or that all is settled. */
function next(campaign: Campaign): Facts {
  const { terms, pledges, how, batch, collected, returned } = running(campaign)
  const some = membersOf(pledges).slice(0, BATCH_MAX)
  const due = some.toSorted((a, b) => (a.contribution < b.contribution ? -1 : 1))
  if (due.length === 0) return [{ type: 'CampaignSettled', data: { collected, returned } }]
  const { goal: _, settlement: __, ...target } = terms
  const contributions = due.map(({ contributor: _, isHeld: __, ...source }) => source)
  const total = due.reduce((sum, { amount }) => sum + amount, 0n)
  return [{ type: 'ContributionsDue', data: { ...target, batch: batch + 1n, collect: how, total, contributions } }]
}

function without(campaign: Campaign, contributions: readonly string[]): Campaign {
  invariant('late' in campaign, `contributions of a campaign that is ${campaign.status}`)
  const late = contributions.reduce((left, contribution) => withoutMember(left, contribution), campaign.late)
  if (campaign.status === 'settled') return { ...campaign, late }
  const before = { ...campaign, late }
  const there = contributions.filter(contribution => memberOf(before.pledges, contribution))
  const pledges = there.reduce((left, contribution) => withoutMember(left, contribution), before.pledges)
  return { ...before, pledges, count: before.count - there.length }
}

function mustBeOpen(campaign: Campaign): Running {
  if (campaign.status === 'open') return campaign
  throw rejected('campaign_ended', 'The campaign has ended.', { status: campaign.status })
}

function running(campaign: Campaign): Running {
  invariant('pledges' in campaign, `an event or command of a campaign that is ${campaign.status}`)
  return campaign
}
