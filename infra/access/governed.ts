/** The check of tokens with what the directory of the organization says of their bearers. */
import type { Directory } from '../../domain/identity/access.ts'
import type { Principal, Route } from '../../domain/kernel/route.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import type { Directories } from './directories.ts'
import { type Effective, effective, isSharedWith } from './effective.ts'
import type { NamesOthers, ThingOf } from './things.ts'

/** What was made of a principal of a token, as long as the directory is the same object and nothing has ended. */
type Made = Effective & { readonly directory: Directory }

/**
 * Makes callers of principals of tokens. What a directory makes of a principal is remembered with it, so that a request
 * costs a look into two maps.
 */
export function governed(authenticate: Authenticate, directories: Directories): Authenticate {
  const made = new WeakMap<Principal, Made>()

  function bearer(principal: Principal, directory: Directory): Principal {
    const now = Date.now()
    const before = made.get(principal)
    if (before && before.directory === directory && now < before.until) return before.principal
    const found = effective(principal, directory, now)
    const caller = Object.freeze({ ...found.principal, stands: () => stands(principal, caller) })
    made.set(principal, { ...found, principal: caller, directory })
    return caller
  }

  /** Answers from what is known by now, of the caller and of the organization alike. */
  function stands(principal: Principal, caller: Principal): boolean {
    const isStanding = principal.stands?.() !== false
    const directory = directories.known(principal.org)
    if (!directory || !isStanding) return isStanding
    try {
      const now = bearer(principal, directory)
      return now === caller || (isSame(now.permissions, caller.permissions) && isSame(now.teams, caller.teams))
    } catch {
      return false
    }
  }

  const caller = (principal: Principal): Principal | Promise<Principal> => {
    const directory = directories.fresh(principal.org)
    if (directory) return bearer(principal, directory)
    return directories.of(principal.org).then(found => bearer(principal, found))
  }
  return authorization => {
    const principal = authenticate(authorization)
    return principal instanceof Promise ? principal.then(caller) : caller(principal)
  }
}

const isSame = (one: readonly string[] = [], other: readonly string[] = []): boolean =>
  one.length === other.length && one.every((each, n) => each === other[n])

/**
 * Whether what is shared of the thing of a path lets a caller do what their roles do not allow. Once the body is known
 * it is asked again, because a grant on one thing lets nobody do something with others that the body names.
 */
export type IsShared = (
  principal: Principal,
  route: Route,
  params: Readonly<Record<string, string>>,
  body?: unknown,
) => boolean | Promise<boolean>

export function sharedThings(directories: Directories, thingOf: ThingOf, namesOthers: NamesOthers): IsShared {
  return async (principal, route, params, body) => {
    const thing = thingOf(route, params)
    if (thing === undefined || route.permission === null || namesOthers(route, body)) return false
    const directory = directories.fresh(principal.org) ?? (await directories.of(principal.org))
    return isSharedWith(directory, principal, thing, route.permission, new Date().toISOString())
  }
}
