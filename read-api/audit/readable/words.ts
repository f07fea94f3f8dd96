/** Values as people read them. What is sealed stays so, and is called what it is. */
import { canonicalJson } from '../../../domain/kernel/json.ts'
import { type Sealed, sealed } from '../../../domain/kernel/schema.ts'
import type { Unseal } from '../../rows.ts'

/** Keys of persons whose state is remembered. */
const KEYS_MAX = 100_000

const isSealed = (value: unknown): value is Sealed =>
  typeof value === 'object' && value !== null && 'nonce' in value && sealed.safeParse(value).success

/** Says of sealed texts whether they can be opened; what they say is looked at by nobody. */
export function sealWords(org: string, unseal: Unseal) {
  const words = new Map<string, string>()
  return {
    async learn(values: readonly unknown[]): Promise<void> {
      const found = new Map<string, Sealed>()
      for (const value of values) if (isSealed(value) && !words.has(value.key)) found.set(value.key, value)
      if (found.size === 0) return
      if (words.size > KEYS_MAX) words.clear()
      const texts = await unseal(org, [...found.values()])
      for (const [at, key] of [...found.keys()].entries()) {
        const text = texts[at]
        words.set(key, text === null ? '[erased]' : text === undefined ? '[sealed, its key is missing]' : '[sealed]')
      }
    },
    /** The words of a value whose envelopes were learnt before. */
    of(value: unknown): string {
      if (value === null || value === undefined) return ''
      if (isSealed(value)) return words.get(value.key) ?? '[sealed]'
      return typeof value === 'object' ? canonicalJson(value) : String(value)
    },
  }
}
export type SealWords = ReturnType<typeof sealWords>
