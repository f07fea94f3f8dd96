/** Who may read and change a memory that is private. */
import type { Context } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { ADMIN_ROLES } from '../../kernel/service.ts'

type Kind = 'user' | 'team' | 'module'

/** How rows and rules write whom something is shared with: `user mira`, `team design`, `module causal`. */
export const grantOf = (kind: Kind, name: string): string => `${kind} ${name}`

type Owned = {
  readonly author: string
  readonly privacy: 'organization' | 'private'
  readonly shares: readonly string[]
}

/**
 * Refuses changes of a private memory by others than its author, those that it is shared with, and who administers
 * memories; what processes and timers do is theirs on whose behalf they do it, or nobody's.
 */
export function mustBeOpen({ author, privacy, shares }: Owned, context: Context): void {
  const { behalf, actor, permissions } = context
  if (privacy === 'organization' || actor.startsWith('process:')) return
  const { subject, teams = [] } = behalf ?? { subject: actor, teams: context.teams }
  if (subject === author || permissions.some(each => each === '*' || each === 'memory.*')) return
  if (behalf?.roles.some(role => (ADMIN_ROLES as readonly string[]).includes(role))) return
  const grants = [...grantsOf(subject), ...teams.map(team => grantOf('team', team))]
  if (!grants.some(grant => shares.includes(grant))) throw notYours()
}

/** Refuses what the author alone may do: to say who reads it. */
export function mustBeAuthor({ author }: Owned, { actor, permissions }: Context): void {
  if (actor === author || permissions.some(each => each === '*' || each === 'memory.*')) return
  throw notYours()
}

const notYours = () => rejected('memory_not_yours', 'This memory is of somebody else: ask who has stored it.')

const MODULE = 'module:'

/** What a caller is called among those that something is shared with: a user, and the module whose token it is. */
export const grantsOf = (subject: string): readonly string[] => [
  grantOf('user', subject),
  ...(subject.startsWith(MODULE) ? [grantOf('module', subject.slice(MODULE.length))] : []),
]
