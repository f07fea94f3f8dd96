/** The directories of organizations, as the log has them. */
import type { EventStore } from '../../commands/ports.ts'
import { type Directory, emptyDirectory, partsOfDirectory } from '../../domain/identity/access.ts'
import { type Followed, followed, type ReadPart } from './followed.ts'

/**
 * The directory of an org. While the log is away, that of an org without an organization is what it was, and that of
 * another one for five seconds, so that nothing that was taken away is allowed for longer.
 */
export type Directories = Followed<Directory>

/** `clock`: milliseconds that only go forwards. */
export const directories = (store: Pick<EventStore, 'read'>, clock?: () => number): Directories =>
  followed(store, {
    initial: emptyDirectory,
    read,
    canEnd: ({ organization }) => organization.status === 'founded',
    unavailable: 'Who may do what cannot be read at the moment.',
    clock,
  })

/** An org that is no organization has one empty stream to look at; the other parts count for nothing there. */
async function read(part: ReadPart<Directory>, state: () => Directory): Promise<void> {
  const one = (aggregate: (typeof partsOfDirectory)[number]) =>
    part(
      aggregate,
      directory => directory[aggregate.name as keyof Directory],
      (directory, now) => ({ ...directory, [aggregate.name]: now }),
    )
  const [first, ...rest] = partsOfDirectory
  await one(first)
  if (state().organization.status === 'founded') await Promise.all(rest.map(one))
}
