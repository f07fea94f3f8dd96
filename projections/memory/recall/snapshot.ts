/** All that an index holds, as text that does not depend on how it came to be: equal indexes have equal bytes. */
import { createHash } from 'node:crypto'
import { toWire } from '../../../domain/kernel/json.ts'
import type { Part } from './parts.ts'
import type { Recall } from './recall.ts'

/** One line for each memory, form, word and relation, in a fixed order. */
export function snapshotOf(recall: Recall): string {
  const memories = recall.memories()
  const keys = new Map(memories.map(({ number, traits }) => [number, traits.key]))
  const parts = [...recall.lexical.parts.values()].sort((a, b) => (a.language < b.language ? -1 : 1))
  const texts = new Map(
    parts.map(part => [part, new Map(part.vocabulary.forms().map(({ text, form }) => [form, text]))]),
  )
  const lines: unknown[] = [['size', recall.size, base64(recall.neural.sum)]]
  for (const { number, traits } of memories) {
    const part = recall.lexical.partOf(number)
    const forms = [...recall.lexical.sequenceOf(number)].map(form => texts.get(part)!.get(form) ?? null)
    const vector = base64(recall.neural.vectorOf(number))
    lines.push([toWire(traits), part.language, forms, vector, recall.knowledge.entitiesOf(number)])
  }
  for (const part of parts) lines.push(...linesOf(part, keys, recall))
  lines.push(...recall.knowledge.relations(), recall.knowledge.totals)
  return `${lines.map(line => JSON.stringify(line)).join('\n')}\n`
}

/** The SHA-256 of the snapshot. */
export const digestOf = (recall: Recall): string => createHash('sha256').update(snapshotOf(recall)).digest('hex')

function linesOf(part: Part, keys: ReadonlyMap<number, string>, recall: Recall): unknown[] {
  const { vocabulary, postings, language, size } = part
  const lines: unknown[] = [[language, size]]
  for (const { text, form, uses } of vocabulary.forms()) {
    const word = vocabulary.wordOf(form)
    const places = Array.from({ length: postings.lengthOf(word) }, (_, at) => postings.startOf(word) + at)
    const found = places.map(place => [keys.get(postings.items[place]!) ?? null, postings.counts[place]])
    const ready = recall.neural.readyFor(postings, word)
    lines.push([text, uses, vocabulary.seedOf(form), found.sort(byKey), ready ? base64(ready) : null])
  }
  return lines
}

const byKey = ([a]: unknown[], [b]: unknown[]) => (String(a) < String(b) ? -1 : 1)

const base64 = ({ buffer, byteOffset, byteLength }: Int8Array | Int32Array | Float64Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64')
