import type { Activity } from '../../kernel/activity.ts'
import { mention, said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  called: 'name',
  on: {
    ImportStarted: ({ wallet }) => said`started the import of ${THING} into the wallet ${mention('wallet', wallet)}`,
    ImportBooked: ({ entries }) => said`booked ${String(entries)} entries of the import of ${THING}`,
    ImportUndoStarted: said`started to take the import of ${THING} back`,
    ImportUndone: said`took the import of ${THING} back`,
  },
}
