/** What an export says of persons whose data was erased: it is sealed as it was, and nobody can read it. */
import type { StoredEvent } from '../../domain/kernel/event.ts'

/** Persons whose erasure is completed, events that hold sealed data of theirs, and persons who are being erased. */
export type ErasedCount = { readonly subjects: number; readonly events: number; readonly pending: number }

/** Counts while the events of an export pass. An erasure may come after the events that it is about. */
export function erasedCounter() {
  const events = new Map<string, number>()
  const erased = new Set<string>()
  const completed = new Set<string>()
  return {
    add({ type, data, metadata: { subjects } }: StoredEvent): void {
      for (const subject of subjects) events.set(subject, (events.get(subject) ?? 0) + 1)
      if (type === 'SubjectErased') erased.add((data as { readonly subject: string }).subject)
      if (type === 'ErasureCompleted') completed.add((data as { readonly subject: string }).subject)
    },
    count: (): ErasedCount => ({
      subjects: completed.size,
      events: [...completed].reduce((sum, subject) => sum + (events.get(subject) ?? 0), 0),
      pending: [...erased].filter(subject => !completed.has(subject)).length,
    }),
  }
}
