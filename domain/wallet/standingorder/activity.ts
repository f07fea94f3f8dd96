import type { Activity } from '../../kernel/activity.ts'
import { mention, said, THING } from '../../record/said.ts'
import { moved } from '../transfer/activity.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  on: {
    StandingOrderOpened: data => [...said`opened the standing order ${THING} (${data.rule}): `, ...moved(data)],
    StandingOrderFired: ({ transfer }) =>
      said`requested the transfer ${mention('transfer', transfer)} by the standing order ${THING}`,
    StandingOrderRefused: ({ code }) =>
      said`noted that a transfer of the standing order ${THING} was refused (${code})`,
    StandingOrderCancelled: said`cancelled the standing order ${THING}`,
  },
}
