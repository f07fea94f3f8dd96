/** What the legs have of one memory, as each of them says. */
import type { LegName } from './legs.ts'
import type { Recall } from './recall.ts'

/**
 * In how many places each leg has a memory. Where the index does not know it, all places of no memory are looked at: a
 * leg that kept something of one that was taken out has it there.
 */
export function heldOf(recall: Recall, key: string): Record<LegName, number> {
  const { lexical, neural, knowledge } = recall
  let own: number | undefined
  const others = new Set<number>()
  recall.each((number, traits) => {
    if (traits.key === key) own = number
    else others.add(number)
  })
  const held = { lexical: 0, neural: 0, conceptual: 0, knowledge: 0 }
  for (let number = 0; number < lexical.end; number += 1) {
    if (own === undefined ? others.has(number) : number !== own) continue
    if (lexical.sequenceOf(number).length > 0) held.lexical += 1
    if (neural.has(number)) held.neural += 1
    if (knowledge.namedBy(number).length > 0) held.knowledge += 1
  }
  // Its dimensions are words of the leg of words: it has nothing beside them.
  held.conceptual = held.lexical
  return held
}
