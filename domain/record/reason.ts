import { text } from '../kernel/schema.ts'

/** Why a change was made, in the words of the caller: events keep it as `reason`, and the audit log shows it. */
export const reason = text(1000).meta({ description: 'why, for the audit log' })

/** The member of an event's data that holds the reason, where one was given. */
export const because = (why: string | undefined) => (why === undefined ? {} : { reason: why })
