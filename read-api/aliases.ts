/**
 * Other spellings of paths, below `/api/v1`: whatever begins with one of the first, as whole segments, is served as if
 * it began with the second. The longest one that fits counts.
 */
export const aliases: Readonly<Record<string, string>> = {
  '/briefcase/items': '/kbfc/items',
  '/center/tasks': '/kctr/tasks',
  '/kbfc/item': '/kbfc/items',
  '/kctr/task': '/kctr/tasks',
  '/kwlt/ledger': '/kwlt/entries',
  '/kwlt/transaction': '/kwlt/entries',
  '/kwlt/wallet': '/kwlt/wallets',
  '/ledger': '/kwlt/entries',
  '/memory/search': '/kse/memories/search',
  '/wallet': '/kwlt/wallets',
}
