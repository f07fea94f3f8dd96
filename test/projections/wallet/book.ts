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
