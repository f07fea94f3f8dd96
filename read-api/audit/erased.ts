/** What an export says of persons whose data was erased: it is sealed as it was, and nobody can read it. */
import type { StoredEvent } from '../../domain/kernel/event.ts'

/** Persons whose erasure is completed, events that hold sealed data of theirs, and persons who are being erased. */
export type ErasedCount = { readonly subjects: number; readonly events: number; readonly pending: number }

/** Of events: how many hold sealed data of each person, whose erasure was asked for, and whose is completed. */
export type Erasures = {
  readonly events: ReadonlyMap<string, number>
  readonly erased: ReadonlySet<string>
  readonly completed: ReadonlySet<string>
}

/** Gathers while the events of an export pass. An erasure may come after the events that it is about. */
export function erasuresIn() {
  const events = new Map<string, number>()
  const erased = new Set<string>()
  const completed = new Set<string>()
  return {
    found: { events, erased, completed } satisfies Erasures,
    add({ type, data, metadata: { subjects } }: StoredEvent): void {
      for (const subject of subjects) events.set(subject, (events.get(subject) ?? 0) + 1)
      if (type === 'SubjectErased') erased.add((data as { readonly subject: string }).subject)
      if (type === 'ErasureCompleted') completed.add((data as { readonly subject: string }).subject)
    },
  }
}

/** The counts of an export of which each part was gathered by itself. */
export function erasedCount(parts: readonly Erasures[]): ErasedCount {
  const completed = new Set(parts.flatMap(part => [...part.completed]))
  const erased = new Set(parts.flatMap(part => [...part.erased]))
  const ofSubject = (subject: string) => parts.reduce((sum, { events }) => sum + (events.get(subject) ?? 0), 0)
  return {
    subjects: completed.size,
    events: [...completed].reduce((sum, subject) => sum + ofSubject(subject), 0),
    pending: [...erased].filter(subject => !completed.has(subject)).length,
  }
}
