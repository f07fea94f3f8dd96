/** The index of an org as bytes: it is loaded in a moment, where building it anew takes a second for some thousands. */
import { createHash } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import type { Traits } from './filter.ts'
import type { KnowledgeState } from './knowledge.ts'
import type { NeuralState } from './neural.ts'
import type { LexicalState } from './parts.ts'

/** What an index holds. */
export type RecallState = {
  readonly lexical: LexicalState
  readonly neural: NeuralState
  readonly knowledge: KnowledgeState
  readonly traits: readonly (Traits | null)[]
  readonly free: readonly number[]
}

/** Raised whenever texts become other words, vectors or entities than before: what was stored is then built anew. */
const FORMAT = 'kogi recall 2'
const DIGEST_BYTES = 32

const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest()

/** A value as bytes, with what it is of. */
export function packed(of: string, value: unknown): Buffer[] {
  const bytes = serialize([FORMAT, of, value])
  return [digestOf(bytes), bytes]
}

/** The value of bytes; `undefined` where they are damaged, of another format, or of something else. */
export function unpacked(of: string, stored: Buffer): unknown {
  const bytes = stored.subarray(DIGEST_BYTES)
  if (!digestOf(bytes).equals(stored.subarray(0, DIGEST_BYTES))) return undefined
  const [format, name, value] = deserialize(bytes) as [unknown, unknown, unknown]
  return format === FORMAT && name === of ? value : undefined
}
