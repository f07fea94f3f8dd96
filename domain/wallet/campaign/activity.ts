import type { Activity } from '../../kernel/activity.ts'
import { moneyText } from '../../record/currencies.ts'
import { mention, said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  called: 'title',
  on: {
    CampaignOpened: ({ goal, currency, places, wallet }) => [
      ...said`opened the campaign ${THING} for ${moneyText(goal, currency, places)}`,
      ...said` in the wallet ${mention('wallet', wallet)}`,
    ],
    ContributionPledged: ({ amount, currency, places, from }) => [
      ...said`pledged ${moneyText(amount, currency, places)} from the wallet ${mention('wallet', from)}`,
      ...said` to the campaign ${THING}`,
    ],
    ContributionHeld: said`held a contribution to the campaign ${THING}`,
    ContributionHeldInVain: said`released a contribution that came too late for the campaign ${THING}`,
    ContributionRefused: ({ code }) => said`refused a contribution to the campaign ${THING} (${code})`,
    ContributionWithdrawn: said`cancelled a contribution to the campaign ${THING}`,
    CampaignAccountRefused: ({ code }) => said`noted that the account of the campaign ${THING} takes nothing (${code})`,
    CampaignEnded: ({ outcome }) =>
      said`ended the campaign ${THING}: it ${outcome === 'cancelled' ? 'was ' : ''}${outcome}`,
    ContributionsDue: ({ collect }) => said`started to settle the campaign ${THING}: contributions are ${collect}`,
    ContributionsSettled: ({ how, contributions }) =>
      said`settled ${String(contributions.length)} contributions to the campaign ${THING}: ${how}`,
    CollectionRefused: ({ code }) => said`stopped collecting for the campaign ${THING} (${code})`,
    CampaignSettled: said`completed the campaign ${THING}`,
  },
}
