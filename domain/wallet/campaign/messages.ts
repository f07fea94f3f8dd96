/** The campaign's storage and wire contract: add, never rename; change a shape with an upcaster. */
import {
  currency,
  id,
  list,
  minorUnits,
  object,
  oneOf,
  positiveMinorUnits,
  ref,
  text,
  timestamp,
  unsigned64,
  uuid,
} from '../../kernel/schema.ts'
import { places } from '../../record/currencies.ts'
import { account } from '../transfer/movement.ts'

/** Contributions that are collected or returned by one event. */
export const BATCH_MAX = 50

const purpose = oneOf('fundraising', 'resourcing', 'marketing')
const settlement = oneOf('all_or_nothing', 'keep_what_you_raise').meta({
  description: 'whether contributions are collected where the goal is not reached by the deadline',
})
const deadline = timestamp.meta({ description: 'when it ends by itself: an instant in UTC with milliseconds' })
const title = text(500)
const description = text(10_000)
const goal = positiveMinorUnits.meta({ description: 'what is to be raised, in minor units of the currency' })
const contribution = uuid.meta({ description: 'id of a contribution, made with it' })
const refusal = { code: text(64), reason: text(1000) }
const target = { wallet: id('wallet'), account, currency, places }
const source = { contribution, from: id('wallet'), fromAccount: account, amount: positiveMinorUnits }
const outcome = oneOf('succeeded', 'failed', 'cancelled')

export const events = {
  CampaignOpened: object({
    ...target,
    purpose,
    title,
    description: description.optional(),
    goal,
    deadline,
    settlement,
  }),
  ContributionPledged: object({ ...source, contributor: text(128), currency, places }),
  ContributionHeld: object({ contribution, amount: positiveMinorUnits }),
  /** The amount was held after the campaign, or the pledge, had ended. */
  ContributionHeldInVain: object({ contribution, from: id('wallet') }),
  ContributionRefused: object({ contribution, ...refusal }),
  ContributionWithdrawn: object({ contribution, from: id('wallet'), amount: positiveMinorUnits }),
  /** Its wallet has no such account: nothing could be delivered. */
  CampaignAccountRefused: object(refusal),
  CampaignEnded: object({ outcome, raised: minorUnits }),
  /** These contributions are to be collected, by one credit of their `total`, or returned. */
  ContributionsDue: object({
    ...target,
    batch: unsigned64,
    collect: oneOf('collected', 'returned'),
    total: positiveMinorUnits,
    contributions: list(object(source), BATCH_MAX, 1),
  }),
  ContributionsSettled: object({
    batch: unsigned64,
    how: oneOf('collected', 'returned'),
    contributions: list(uuid, BATCH_MAX, 1),
    total: positiveMinorUnits,
  }),
  /** The wallet of the campaign takes nothing: what was to be collected is returned. */
  CollectionRefused: object({ batch: unsigned64, ...refusal }),
  CampaignSettled: object({ collected: minorUnits, returned: minorUnits }),
} as const

export const commands = {
  open: object({
    id: id('campaign').optional(),
    wallet: ref('wallet'),
    account,
    currency,
    places: places.optional(),
    purpose,
    title,
    description: description.optional(),
    goal,
    deadline,
    settlement,
  }).meta({
    examples: [
      {
        id: 'atlas',
        wallet: 'studio',
        account: 'checking',
        currency: 'EUR',
        purpose: 'fundraising',
        title: 'An atlas of small seas',
        goal: '500000',
        deadline: '2999-12-31T12:00:00.000Z',
        settlement: 'all_or_nothing',
      },
    ],
  }),
  contribute: object({ from: ref('wallet'), from_account: account, amount: positiveMinorUnits }).meta({
    examples: [{ from: 'studio', from_account: 'savings', amount: '100' }],
  }),
  withdraw: object({ contribution }),
  cancel: object({}),
  recordHold: object({ contribution }),
  refuse: object({ contribution, ...refusal }),
  refuseAccount: object(refusal),
  end: object({}),
  settle: object({ batch: unsigned64 }),
  refuseCollection: object({ batch: unsigned64, ...refusal }),
} as const

export const rejections = [
  'campaign_already_opened',
  'campaign_deadline_past',
  'campaign_places_unknown',
  'campaign_places_mismatch',
  'campaign_ended',
  'campaign_full',
  'contribution_unknown',
  'contribution_of_another',
  'contribution_under_way',
  'contribution_too_large',
] as const
