/** The command that takes an entry back: for the same days, so that no day's balance has both. */
import type { Posted } from './wallet-state.ts'

const WORDS_MAX = 1000

/** Body and key of the reversal of an entry, as an import of that `source` makes it. */
export function reversalOf({ entry, effectiveOn, postings, words, takenBack = 0 }: Posted, source: string) {
  const body = {
    // What it took back of an earlier entry stays taken back.
    postings: postings.slice(takenBack).map(({ effectiveOn: day, amount, ...posting }) => ({
      ...posting,
      amount: -amount,
      ...(day !== undefined && { effective_on: day }),
    })),
    effective_on: effectiveOn,
    description: [...`Taken back: ${words}`].slice(0, WORDS_MAX).join(''),
    source,
    reverses: entry,
  }
  return { command: 'post', body, key: `import:reversal:${entry}` } as const
}
