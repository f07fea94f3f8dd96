/** Memories to measure recall with: words as frequent as those of a language, names, sessions, known answers. */
import type { Recalled } from '../../projections/memory/recall/recall.ts'
import { randomOf, sentence, wordAt } from './search.ts'

const VOCABULARY = 60_000
const NAMES = 3_000
const KINDS = ['item', 'task', 'entry', 'message', 'contact']
/** Memories of one session. */
const SESSION = 20
/** Words of a query, all of one memory. */
const ASKED = 5

export type Known = { readonly text: string; readonly key: string }

/** So many memories, and queries that one of them answers. */
export function recalledTexts(count: number, asked: number): { memories: Recalled[]; queries: Known[] } {
  const random = randomOf(11)
  const word = () => wordAt(Math.floor(VOCABULARY ** random()) - 1)
  const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1)
  const name = () => {
    const number = Math.floor(NAMES ** random())
    return `${capital(wordAt(number + 7))} ${capital(wordAt(3 * number + 11))}`
  }
  const memories = Array.from({ length: count }, (_, at): Recalled => {
    const body = `${capital(sentence(word, 3 + random() * 50))} with ${name()} ${sentence(word, 1 + random() * 15)}.`
    return {
      key: `memory/${at}`,
      kind: KINDS[at % KINDS.length]!,
      position: BigInt(at),
      at: new Date(1.7e12 + at * 60_000).toISOString(),
      source: `s${at % 500}`,
      subjects: [`s${at % 500}`],
      session: `chat-${Math.floor(at / SESSION)}`,
      fields: [
        [sentence(word, 4), 3],
        [body, 1],
      ],
    }
  })
  const queries = Array.from({ length: asked }, () => {
    const { key, fields } = memories[Math.floor(random() * count)]!
    const words = fields[1]![0].split(' ')
    return { key, text: Array.from({ length: ASKED }, () => words[Math.floor(random() * words.length)]!).join(' ') }
  })
  return { memories, queries }
}

export const KINDS_ASKED: readonly string[] = KINDS
