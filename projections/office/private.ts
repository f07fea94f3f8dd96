/** Columns by which reads know who may read what is personal: see `readers`. */
import { list, oneOf, text } from '../../domain/kernel/schema.ts'

type Owned = Readonly<Record<string, unknown>>

export const privateColumns = {
  privacy: {
    schema: oneOf('organization', 'private'),
    of: (row: Owned) => (row.kind === 'personal' ? 'private' : 'organization'),
  },
  readers: {
    schema: list(text(200), 101).meta({ description: 'who may read it where it is personal: `user mira`' }),
    of: ({ owner, shared_with }: Owned) => [...new Set([`user ${owner}`, ...((shared_with ?? []) as string[])])],
  },
}
