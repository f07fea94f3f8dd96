/** A wallet with two accounts and two entries: what the tests of its read models are given. */

/** An instant that sorts after that of the facts before it. */
export const second = (n: number) => `2026-03-01T00:00:0${n}.000Z`

const posting = (account: string, amount: bigint) => ({ account, currency: 'EUR', amount })

const accountOpened = (account: string) => ({
  type: 'AccountOpened',
  data: { account, currency: 'EUR', places: 2, overdraft: 'refused' },
})

const entryPosted = (n: number, ...postings: readonly ReturnType<typeof posting>[]) => ({
  type: 'EntryPosted',
  data: { entry: `e${n}`, kind: 'journal', postings, effectiveOn: '2026-02-28', description: `No ${n}` },
})

export const walletOpened = { type: 'WalletOpened', data: { owner: 'mira', kind: 'business' } }

export const book = [
  walletOpened,
  accountOpened('main'),
  accountOpened('taxes'),
  entryPosted(1, posting('main', 500n), posting('external:client', -500n)),
  entryPosted(2, posting('main', -150n), posting('taxes', 100n), posting('main', -50n), posting('external:fee', 100n)),
].map((fact, n) => ({ ...fact, id: 'studio', at: second(n) }))

const finer = { currency: 'GAU', places: 3 }

/** The same wallet with gold, opened in whole grams and later posted in thousandths, on days of their own. */
export const withGold = [
  ...book,
  { type: 'AccountOpened', data: { account: 'main', currency: 'GAU', places: 0, overdraft: 'allowed' } },
  {
    type: 'EntryPosted',
    data: {
      entry: 'e3',
      kind: 'journal',
      postings: [
        { account: 'main', currency: 'GAU', amount: 2n },
        { account: 'external:mint', currency: 'GAU', amount: -2n },
      ],
      effectiveOn: '2026-02-28',
    },
  },
  {
    type: 'EntryPosted',
    data: {
      entry: 'e4',
      kind: 'journal',
      postings: [
        { account: 'main', ...finer, amount: 125n, effectiveOn: '2026-03-02' },
        { account: 'external:mint', ...finer, amount: -125n },
      ],
      effectiveOn: '2026-02-28',
      source: 'books',
      replaces: 'e3',
    },
  },
].map((fact, n) => ({ ...fact, id: 'studio', at: second(n) }))
