import type { z } from 'zod'
import {
  currency,
  id,
  integer,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/campaign/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('campaign'),
  status: oneOf('open', 'succeeded', 'failed', 'cancelled', 'undelivered').meta({
    description: '`undelivered`: it succeeded, but its wallet did not take the money, or not all of it',
  }),
  purpose: oneOf('fundraising', 'resourcing', 'marketing'),
  title: text(500),
  description: text(10_000).optional(),
  wallet: id('wallet'),
  account: text(255),
  currency,
  places: integer(0, 30).meta({ description: 'decimal places that the amounts are in' }),
  goal: minorUnits,
  raised: minorUnits.meta({ description: 'what is held for it, or was when it ended' }),
  contributions: unsigned64.meta({ description: 'contributions in `raised`' }),
  collected: minorUnits.meta({ description: 'what has come to its account' }),
  returned: minorUnits.meta({ description: 'what was let go after its end' }),
  settlement: oneOf('all_or_nothing', 'keep_what_you_raise'),
  deadline: timestamp,
  refusal: text(64).optional().meta({ description: 'code of the rule by which its wallet refused what was collected' }),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
  ended_at: timestamp.optional(),
  settled_at: timestamp.optional(),
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  CampaignOpened: made((data, at) => ({
    ...data,
    status: 'open',
    raised: 0n,
    contributions: 0n,
    collected: 0n,
    returned: 0n,
    opened_at: at,
  })),
  ContributionPledged: changed(() => ({})),
  ContributionHeld: changed(({ amount }, { raised, contributions }) => ({
    raised: raised + amount,
    contributions: contributions + 1n,
  })),
  ContributionHeldInVain: changed(() => ({})),
  ContributionRefused: changed(() => ({})),
  ContributionWithdrawn: changed(({ amount }, { raised, contributions }) => ({
    raised: raised - amount,
    contributions: contributions - 1n,
  })),
  CampaignAccountRefused: changed(({ code }) => ({ refusal: code })),
  CampaignEnded: changed(({ outcome }, _, at) => ({ status: outcome, ended_at: at })),
  ContributionsDue: changed(() => ({})),
  ContributionsSettled: changed(({ how, total }, row) => ({ [how]: row[how] + total })),
  CollectionRefused: changed(({ code }) => ({ status: 'undelivered', refusal: code })),
  CampaignSettled: changed((_, __, at) => ({ settled_at: at })),
}

/** One row per campaign. */
export const campaigns = projection({
  name: 'campaigns',
  service: 'wallet',
  version: 2,
  history: true,
  of: { campaign: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'campaign',
      many: 'campaigns',
      path: '/campaigns',
      permission: 'campaigns.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'purpose', 'wallet', 'currency', 'deadline', 'settlement', 'opened_at'],
      groups: ['status', 'purpose', 'wallet', 'currency', 'places', 'settlement', 'deadline', 'opened_at'],
      sums: ['goal', 'raised', 'collected', 'returned', 'contributions'],
      units: { contributions: null },
      places: { goal: 'places', raised: 'places', collected: 'places', returned: 'places' },
      summary: { list: 'The campaigns of the organization.', get: 'A campaign: what it has raised, and how it ended.' },
    },
  ],
  memory: {
    kind: 'campaign',
    on: { CampaignOpened: { anew: ({ title, description }) => ({ title, body: description }) } },
  },
})
