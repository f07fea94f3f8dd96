/** The users that sign in here, as the log has them: whether a session still counts. */
import type { EventStore } from '../../commands/ports.ts'
import { sessionOf, type User, user } from '../../domain/identity/user/user.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import { httpError } from '../http/errors.ts'
import { type Followed, followed } from './followed.ts'

/** The user whose own org an org is. */
export type Users = Followed<User>

/** `clock`: milliseconds that only go forwards. */
export const followedUsers = (store: Pick<EventStore, 'read'>, clock?: () => number): Users =>
  followed<User>(store, {
    initial: user.initial,
    read: part =>
      part(
        user,
        state => state,
        (_, now) => now as User,
      ),
    canEnd: ({ status }) => status !== 'none',
    unavailable: 'Whether you are signed in cannot be read at the moment.',
    clock,
  })

/**
 * Refuses principals of tokens whose session is over, or whose user is suspended: 401 `invalid_token`, 403
 * `account_suspended`. Tokens that name no session pass.
 */
export function sessionCallers(users: Users, next: Authenticate): Authenticate {
  const standing = new WeakMap<Principal, Principal>()

  function checked(principal: Principal, state: User): Principal {
    const { session } = principal.signIn!
    if (state.status === 'suspended') throw httpError('account_suspended', [], 'Your account is suspended.')
    if (!sessionOf(state, session, new Date().toISOString())) throw over()
    const known = standing.get(principal)
    if (known) return known
    const made = Object.freeze({ ...principal, stands: () => stillStands(principal) })
    standing.set(principal, made)
    return made
  }

  /** Answers from what is known by now. */
  function stillStands({ subject, signIn }: Principal): boolean {
    const state = users.known(subject)
    if (!state) return true
    const session = sessionOf(state, signIn!.session, new Date().toISOString())
    return state.status === 'active' && session !== undefined
  }

  const caller = (principal: Principal): Principal | Promise<Principal> => {
    if (!principal.signIn) return principal
    const state = users.fresh(principal.subject)
    return state ? checked(principal, state) : users.of(principal.subject).then(found => checked(principal, found))
  }
  return authorization => {
    const principal = next(authorization)
    return principal instanceof Promise ? principal.then(caller) : caller(principal)
  }
}

const over = () => httpError('invalid_token', [{ field: 'sid', message: 'the session is over: sign in again' }])
