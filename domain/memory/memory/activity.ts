import type { Activity } from '../../kernel/activity.ts'
import { mention, said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

/** What the events of memories say in plain words. */
export const activity: Activity<typeof events> = {
  on: {
    MemoryStored: said`stored the memory ${THING}`,
    MemoryRevised: said`revised the memory ${THING}`,
    MemoryTagged: ({ tags }) => said`tagged the memory ${THING} with ${tags.join(', ')}`,
    MemoryUntagged: ({ tags }) => said`took ${tags.join(', ')} off the memory ${THING}`,
    MemoryLinked: ({ type, kind, to }) =>
      said`linked the memory ${THING} to the ${kind} ${mention(kind, to)} (${type})`,
    MemoryUnlinked: ({ kind, to }) => said`took the link to the ${kind} ${mention(kind, to)} off the memory ${THING}`,
    MemoryExpirySet: ({ expiresAt }) =>
      expiresAt === null
        ? said`set the memory ${THING} to stay`
        : said`set the memory ${THING} to expire at ${expiresAt}`,
    MemoryPrivacySet: ({ privacy }) =>
      privacy === 'private' ? said`made the memory ${THING} private` : said`opened the memory ${THING} to everybody`,
    MemoryShared: ({ kind, with: name }) => said`shared the memory ${THING} with the ${kind} ${name}`,
    MemoryUnshared: ({ kind, with: name }) => said`withdrew the memory ${THING} from the ${kind} ${name}`,
    MemoryArchived: said`archived the memory ${THING}`,
    MemoryUnarchived: said`took the memory ${THING} out of the archive`,
    MemoryExpired: said`removed the memory ${THING} for good: its time was over`,
    MemoryForgotten: said`removed the memory ${THING} for good`,
  },
}
