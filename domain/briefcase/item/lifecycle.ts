import { rejected } from '../../kernel/errors.ts'

/** The words of the standard lifecycle, and what each may become. */
const MOVES: Readonly<Record<string, readonly string[]>> = {
  draft: ['active', 'cancelled'],
  active: ['on-hold', 'completed', 'cancelled'],
  'on-hold': ['active', 'cancelled'],
  completed: ['active'],
  cancelled: ['draft'],
}

const movesFrom = (status: string): readonly string[] | undefined =>
  Object.hasOwn(MOVES, status) ? MOVES[status] : undefined

/** The lifecycle of an item that begins with a status. */
export const lifecycleOf = (status: string): 'standard' | 'free' => (movesFrom(status) ? 'standard' : 'free')

/** Refuses a status that an item of the standard lifecycle cannot begin with. */
export function mustBegin(lifecycle: 'standard' | 'free', status: string): void {
  if (lifecycle === 'free' || movesFrom(status)) return
  throw notAllowed(`The standard lifecycle has no ${status}`, Object.keys(MOVES))
}

/** Refuses a move that the standard lifecycle does not have, and names those that it has. */
export function mustMove(lifecycle: 'standard' | 'free', from: string, to: string): void {
  const allowed = movesFrom(from)
  if (lifecycle === 'free' || !allowed || allowed.includes(to)) return
  throw notAllowed(`An item that is ${from} cannot become ${to}`, allowed)
}

const notAllowed = (what: string, allowed: readonly string[]) =>
  rejected('item_status_not_allowed', `${what}: choose one of ${allowed.join(', ')}.`, { allowed: allowed.join(', ') })
