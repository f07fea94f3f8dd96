import type { Route } from '../domain/kernel/route.ts'

/** Other spellings of the beginnings of paths below `/api/v1`: spelling → canonical beginning. */
const PREFIXES: Readonly<Record<string, string>> = {
  '/briefcase': '/kbfc/briefcase',
  '/briefcase/items': '/kbfc/items',
  '/center/projects': '/kctr/projects',
  '/center': '/kctr',
  '/hub/activity': '/khub/activity',
  '/hub/notifications': '/khub/notifications',
  '/kbfc/item': '/kbfc/items',
  '/kctr/center': '/kctr/centers',
  '/kctr/project': '/kctr/projects',
  '/kctr/sprint': '/kctr/sprints',
  '/kctr/task': '/kctr/tasks',
  '/koff/calendar/event': '/koff/calendar-events',
  '/koff/office': '/koff/offices',
  '/kwlt/ledger': '/kwlt/entries',
  '/kwlt/transaction': '/kwlt/entries',
  '/kwlt/wallet': '/kwlt/wallets',
  '/ledger': '/kwlt/entries',
  '/memory/search': '/kse/memories/search',
  '/wallet': '/kwlt/wallets',
}

/** The other spellings of the paths of routes, of commands and reads alike: spelling → canonical path. */
export function aliasesOf(routes: readonly Pick<Route, 'path'>[]): Record<string, string> {
  const aliases: Record<string, string> = {}
  for (const [prefix, canonical] of Object.entries(PREFIXES)) {
    for (const { path } of routes) {
      if (path !== canonical && !path.startsWith(`${canonical}/`)) continue
      aliases[prefix + path.slice(canonical.length)] = path
    }
  }
  return aliases
}
