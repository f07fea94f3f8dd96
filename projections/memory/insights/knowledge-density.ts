/** How closely memories hang together by what they name. */
import type { Recall } from '../recall/recall.ts'
import type { Member } from './member.ts'

export type Knowledge = {
  /** The part of memories that name something that another memory names too. */
  readonly density: number
  readonly entities: number
  readonly mentions: number
  readonly mentions_per_memory: number
  /** What most memories name, by its type and name. */
  readonly most_named: readonly { readonly entity: string; readonly memories: number }[]
}

const SHOWN = 10

export function knowledgeOf(recall: Recall, members: readonly Member[]): Knowledge {
  const counts = new Map<number, number>()
  let mentions = 0
  for (const { number } of members) {
    for (const entity of recall.knowledge.namedBy(number)) {
      counts.set(entity, (counts.get(entity) ?? 0) + 1)
      mentions += 1
    }
  }
  const isLinked = ({ number }: Member) => recall.knowledge.namedBy(number).some(entity => counts.get(entity)! > 1)
  const linked = members.filter(isLinked).length
  const named = [...counts].map(([entity, memories]) => ({ entity: recall.knowledge.idOf(entity), memories }))
  const shown = named.sort((a, b) => b.memories - a.memories || (a.entity < b.entity ? -1 : 1)).slice(0, SHOWN)
  const share = (part: number) => Math.round((part / Math.max(1, members.length)) * 10_000) / 10_000
  return {
    density: share(linked),
    entities: counts.size,
    mentions,
    mentions_per_memory: share(mentions),
    most_named: shown,
  }
}
