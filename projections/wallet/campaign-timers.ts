import { events } from '../../domain/wallet/campaign/messages.ts'
import type { Handlers } from '../rows/projection.ts'
import { clears, sets, type TimerRow, timerModel } from '../timers/timer-model.ts'

const on: Handlers<TimerRow, typeof events> = {
  CampaignOpened: sets(({ deadline }) => ({ at: deadline, command: 'end' })),
  ContributionPledged: null,
  ContributionHeld: null,
  ContributionHeldInVain: null,
  ContributionRefused: null,
  ContributionWithdrawn: null,
  CampaignAccountRefused: null,
  CampaignEnded: clears(),
  ContributionsDue: null,
  ContributionsSettled: null,
  CollectionRefused: null,
  CampaignSettled: null,
}

/** When campaigns end. */
export const campaignTimers = timerModel({
  name: 'campaign_timers',
  service: 'wallet',
  version: 2,
  of: { campaign: events },
  on,
})
