/** What a time is about: the words that stand out in its memories, against those of the time before. */

import { stemOf } from '../recall/languages.ts'
import type { Part } from '../recall/parts.ts'
import type { Recall } from '../recall/recall.ts'
import { rarityOf } from '../scores.ts'
import type { Member } from './member.ts'
import { countWords, shownForms } from './words.ts'

export type Concept = {
  readonly concept: string
  /** Memories of the period that have it, and of the period before. */
  readonly memories: number
  readonly memories_before: number
  /** Parts of all memories of each period. */
  readonly share: number
  readonly share_before: number
  /** Log-likelihood ratio (Dunning 1993) of the two shares, below 0 where it became rarer; 3.84 is 5 % by chance. */
  readonly change: number
  /** Memories of the period times the rarity of the word in all memories: what concepts are ordered by. */
  readonly weight: number
}

const SHOWN = 20
const LETTER = /\p{L}{2}/u

export function dominantConcepts(recall: Recall, now: readonly Member[], before: readonly Member[]): Concept[] {
  const [current, earlier] = [countWords(recall, now), countWords(recall, before)]
  const found: { part: Part; word: number; memories: number; weight: number }[] = []
  for (const [part, counts] of current) {
    for (const [word, memories] of counts) {
      const weight = memories * rarityOf(recall.size, part.postings.lengthOf(word))
      found.push({ part, word, memories, weight: rounded(weight) })
    }
  }
  // Words of equal weight are ordered by their texts, so that more are looked at than are shown.
  found.sort((a, b) => b.weight - a.weight)
  const least = found[3 * SHOWN - 1]?.weight ?? 0
  const best = found.filter(({ weight }, at) => at < 3 * SHOWN || weight === least)
  const forms = new Map<Part, Map<number, string>>()
  for (const part of new Set(best.map(each => each.part))) {
    forms.set(part, shownForms(part, new Set(best.filter(each => each.part === part).map(({ word }) => word))))
  }
  const concepts = new Map<string, Concept>()
  for (const { part, word } of best) {
    const concept = forms.get(part)!.get(word)!
    // Texts of other languages may have the word too.
    const all = [...recall.lexical.parts.values()].flatMap(each => {
      const own = each.vocabulary.find(stemOf(concept, each.language))
      return own === undefined ? [] : [{ part: each, word: own }]
    })
    const within = (counts: ReturnType<typeof countWords>) =>
      all.reduce((sum, each) => sum + (counts.get(each.part)?.get(each.word) ?? 0), 0)
    const [memories, memories_before] = [within(current), within(earlier)]
    const known = all.reduce((sum, each) => sum + each.part.postings.lengthOf(each.word), 0)
    const key = all.map(each => `${each.part.language} ${each.word}`).join()
    if (!LETTER.test(concept) || (concepts.get(key)?.concept ?? '~') < concept) continue
    concepts.set(key, {
      concept,
      memories,
      memories_before,
      share: rounded(memories / now.length),
      share_before: rounded(memories_before / Math.max(1, before.length)),
      change: rounded(changeOf(memories, now.length, memories_before, before.length)),
      weight: rounded(memories * rarityOf(recall.size, known)),
    })
  }
  const order = (a: Concept, b: Concept) => b.weight - a.weight || (a.concept < b.concept ? -1 : 1)
  return [...concepts.values()].sort(order).slice(0, SHOWN)
}

/** Twice the logarithm of how much likelier two shares are than one for both; its sign says which way it went. */
export function changeOf(now: number, ofNow: number, before: number, ofBefore: number): number {
  const share = (now + before) / (ofNow + ofBefore)
  const part = (seen: number, of: number) => {
    const term = (count: number, expected: number) => (count === 0 ? 0 : count * Math.log(count / expected))
    return term(seen, of * share) + term(of - seen, of * (1 - share))
  }
  const ratio = Math.max(0, 2 * (part(now, ofNow) + part(before, ofBefore)))
  return now * ofBefore >= before * ofNow ? ratio : -ratio
}

const rounded = (value: number) => Math.round(value * 10_000) / 10_000
