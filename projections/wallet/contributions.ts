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
import { existing, type Handler, type Handlers, projection } from '../rows/projection.ts'
import { campaigns } from './campaigns.ts'

const row = object({
  org: id('org'),
  campaign: id('campaign'),
  contribution: id('contribution'),
  status: oneOf('pledged', 'held', 'refused', 'withdrawn', 'too_late', 'collected', 'returned'),
  contributor: text(128),
  from: id('wallet'),
  from_account: text(255),
  currency,
  places: integer(0, 30).meta({ description: 'decimal places that the amount is in' }),
  amount: minorUnits,
  refusal: text(64).optional().meta({ description: 'code of the rule that refused it' }),
  reason: text(1000).optional(),
  revision: unsigned64,
  pledged_at: timestamp,
  updated_at: timestamp,
})
type Row = z.output<typeof row>

/** The event changes one contribution. */
const becomes = <D extends { readonly contribution: string }>(changes: (data: D) => Partial<Row>): Handler<Row, D> => ({
  keys: ({ data: { contribution }, metadata: { org, id } }) => [{ org, campaign: id, contribution }],
  fold: (row, event) => ({
    ...existing(row, event),
    ...changes(event.data),
    revision: event.revision,
    updated_at: event.metadata.at,
  }),
})

const on: Handlers<Row, typeof events> = {
  CampaignOpened: null,
  ContributionPledged: {
    keys: ({ data: { contribution }, metadata: { org, id } }) => [{ org, campaign: id, contribution }],
    fold: (_, { data: { fromAccount, ...data }, metadata: { org, id, at }, revision }) => ({
      org,
      campaign: id,
      ...data,
      from_account: fromAccount,
      status: 'pledged',
      revision,
      pledged_at: at,
      updated_at: at,
    }),
  },
  ContributionHeld: becomes(() => ({ status: 'held' })),
  ContributionHeldInVain: becomes(() => ({ status: 'too_late' })),
  ContributionRefused: becomes(({ code, reason }) => ({ status: 'refused', refusal: code, reason })),
  ContributionWithdrawn: becomes(() => ({ status: 'withdrawn' })),
  CampaignAccountRefused: null,
  CampaignEnded: null,
  ContributionsDue: null,
  ContributionsSettled: {
    keys: ({ data, metadata: { org, id } }) =>
      data.contributions.map(contribution => ({ org, campaign: id, contribution })),
    fold: (row, event) => ({
      ...existing(row, event),
      status: event.data.how,
      revision: event.revision,
      updated_at: event.metadata.at,
    }),
  },
  CollectionRefused: null,
  CampaignSettled: null,
}

/** One row per contribution to a campaign. */
export const contributions = projection({
  name: 'contributions',
  service: 'wallet',
  version: 1,
  history: true,
  of: { campaign: events },
  row,
  key: ['org', 'campaign', 'contribution'],
  on,
  reads: [
    {
      one: 'contribution',
      many: 'contributions',
      path: '/campaigns/:id/contributions',
      permission: 'contributions.read',
      parents: { id: 'campaign' },
      within: campaigns,
      names: ['contribution'],
      order: ['contribution'],
      filters: ['status', 'contributor', 'from', 'pledged_at'],
      groups: ['status', 'contributor', 'from', 'currency', 'places', 'pledged_at'],
      sums: ['amount'],
      places: { amount: 'places' },
      summary: { list: 'The contributions to a campaign.', get: 'A contribution to a campaign.' },
    },
  ],
})
