/** Words of memories by the parts of the index: each stands for all its inflections, and is shown in its commonest. */
import type { Part } from '../recall/parts.ts'
import type { Recall } from '../recall/recall.ts'
import type { Member } from './member.ts'

const BORDER = 0xffffffff

/** In how many of some memories each word is, function words left out; by part, and there by number. */
export function countWords(recall: Recall, members: readonly Member[]): Map<Part, Map<number, number>> {
  const counts = new Map<Part, Map<number, number>>()
  for (const { number } of members) {
    const part = recall.lexical.partOf(number)
    const own = counts.get(part) ?? new Map<number, number>()
    counts.set(part, own)
    for (const word of wordsOf(recall, number)) own.set(word, (own.get(word) ?? 0) + 1)
  }
  return counts
}

/** The words of a memory, each once, function words left out. */
function wordsOf(recall: Recall, number: number): Set<number> {
  const { vocabulary, common } = recall.lexical.partOf(number)
  const words = new Set<number>()
  for (const form of recall.lexical.sequenceOf(number)) {
    if (form !== BORDER && !common.has(vocabulary.seedOf(form))) words.add(vocabulary.wordOf(form))
  }
  return words
}

/** How words of a part are shown: in the form that most texts have; of equal ones the first in order. */
export function shownForms({ vocabulary }: Part, words: ReadonlySet<number>): Map<number, string> {
  const best = new Map<number, { text: string; uses: number }>()
  vocabulary.eachForm((text, form, uses) => {
    const word = vocabulary.wordOf(form)
    if (!words.has(word)) return
    const known = best.get(word)
    if (!known || uses > known.uses || (uses === known.uses && text < known.text)) best.set(word, { text, uses })
  })
  return new Map([...best].map(([word, { text }]) => [word, text]))
}
