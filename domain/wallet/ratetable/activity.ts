import type { Activity } from '../../kernel/activity.ts'
import { said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  on: {
    RateTableOpened: said`opened the rate table ${THING}`,
    RateTableChanged: said`changed the rate table ${THING}`,
    RatesRecorded({ rates: [first, ...others] }) {
      if (others.length > 0) return said`recorded ${String(others.length + 1)} rates in the rate table ${THING}`
      const { base, rate, quote, day } = first!
      return said`recorded 1 ${base} = ${rate} ${quote} for ${day} in the rate table ${THING}`
    },
    RatesWithdrawn({ rates: [first, ...others] }) {
      if (others.length > 0) return said`withdrew ${String(others.length + 1)} rates of the rate table ${THING}`
      const { base, quote, day } = first!
      return said`withdrew the rate of ${base} in ${quote} for ${day} from the rate table ${THING}`
    },
  },
}
