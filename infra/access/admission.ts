/** Whether the installation takes a request at the moment: organizations that are blocked, and maintenance. */
import type { Principal, Route } from '../../domain/kernel/route.ts'
import type { Platform } from '../../domain/platform/platform/platform.ts'
import { covers } from '../../domain/record/grants.ts'
import { memberOf } from '../../domain/record/keyed.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import type { Configurations } from '../configurations.ts'
import { httpError } from '../http/errors.ts'

/** Throws `maintenance` where an operation is not taken. */
export type Admit = (route: Pick<Route, 'path' | 'method' | 'isRead'>) => void | Promise<void>

/** Seconds after which a command is worth another try, where operators have not said when maintenance is over. */
const LATER_S = 60
const LATER_S_MAX = 86_400

type Said = Pick<Configurations, 'platform'>

/** Operators end maintenance by a command. */
export function admission(configurations: Said): Admit {
  const check = ({ maintenance }: Platform, route: Parameters<Admit>[0]) => {
    if (!maintenance || route.method === 'GET' || route.isRead || route.path.startsWith('/kmg/platform/')) return
    const { message, until } = maintenance
    const seconds = until === undefined ? LATER_S : Math.ceil((Date.parse(until) - Date.now()) / 1_000)
    const details = [{ field: 'maintenance', message }]
    const later = Math.min(Math.max(seconds, 1), LATER_S_MAX)
    throw Object.assign(httpError('maintenance', details), { retryAfterSeconds: later })
  }
  return route => {
    const platform = configurations.platform()
    return platform instanceof Promise ? platform.then(found => check(found, route)) : check(platform, route)
  }
}

/**
 * Refuses callers of organizations that are blocked, with `organization_blocked`, and ends what they have open.
 * Operators come in whatever they have blocked.
 */
export function unblocked(authenticate: Authenticate, configurations: Said): Authenticate {
  const made = new WeakMap<Principal, Principal>()
  let last: Platform | undefined
  const isBlocked = ({ org, permissions }: Principal) =>
    last !== undefined && memberOf(last.blocked, org) !== undefined && !covers(permissions, '*')

  function checked(principal: Principal): Principal {
    if (isBlocked(principal)) throw httpError('organization_blocked')
    const before = made.get(principal)
    if (before) return before
    const caller = Object.freeze({ ...principal, stands: () => stands(principal) })
    made.set(principal, caller)
    return caller
  }

  /** Answers from what is known by now, and has it looked at again. */
  function stands(principal: Principal): boolean {
    const looked = look()
    // A log that does not answer is told of by the next request.
    if (looked instanceof Promise) looked.catch(() => undefined)
    return principal.stands?.() !== false && !isBlocked(principal)
  }

  function look(): void | Promise<void> {
    const platform = configurations.platform()
    if (!(platform instanceof Promise)) last = platform
    else
      return platform.then(found => {
        last = found
      })
  }
  return authorization => {
    const [principal, looked] = [authenticate(authorization), look()]
    if (!(principal instanceof Promise) && !looked) return checked(principal)
    return Promise.all([principal, looked]).then(([found]) => checked(found))
  }
}
