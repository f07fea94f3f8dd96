/** Whether the installation takes a request at the moment: organizations that are blocked, and maintenance. */
import type { Principal, Route } from '../../domain/kernel/route.ts'
import type { Platform } from '../../domain/platform/platform/platform.ts'
import { covers } from '../../domain/record/grants.ts'
import { memberOf } from '../../domain/record/keyed.ts'
import type { Configurations } from '../configurations.ts'
import { httpError } from '../http/errors.ts'

/** Throws `organization_blocked` or `maintenance` where a request is not taken. */
export type Admit = (principal: Principal, route: Pick<Route, 'path' | 'method' | 'isRead'>) => void | Promise<void>

/** Seconds after which a command is worth another try, where operators have not said when maintenance is over. */
const LATER_S = 60
const LATER_S_MAX = 86_400

/** Operators come in whatever they have blocked, and end maintenance by a command. */
export function admission(configurations: Pick<Configurations, 'platform'>): Admit {
  const check = ({ blocked, maintenance }: Platform, principal: Principal, route: Parameters<Admit>[1]) => {
    if (memberOf(blocked, principal.org) && !covers(principal.permissions, '*')) throw httpError('organization_blocked')
    if (!maintenance || route.method === 'GET' || route.isRead || route.path.startsWith('/kmg/platform/')) return
    const { message, until } = maintenance
    const seconds = until === undefined ? LATER_S : Math.ceil((Date.parse(until) - Date.now()) / 1_000)
    const details = [{ field: 'maintenance', message }]
    const later = Math.min(Math.max(seconds, 1), LATER_S_MAX)
    throw Object.assign(httpError('maintenance', details), { retryAfterSeconds: later })
  }
  return (principal, route) => {
    const platform = configurations.platform()
    return platform instanceof Promise
      ? platform.then(found => check(found, principal, route))
      : check(platform, principal, route)
  }
}
