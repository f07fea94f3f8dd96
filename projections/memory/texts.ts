import type { Json } from '../../domain/kernel/json.ts'

export const DETAILS_MAX = 10_000

/** The strings of a JSON value, in the order of its sorted keys so that any copy of the log gives the same text. */
export function wordsIn(value: Json): string | null {
  const found: string[] = []
  const collect = (node: Json): void => {
    if (typeof node === 'string') {
      if (node !== '') found.push(node)
    } else if (Array.isArray(node)) node.forEach(collect)
    else if (typeof node === 'object' && node !== null) {
      const record = node as { readonly [key: string]: Json }
      for (const key of Object.keys(record).sort()) collect(record[key]!)
    }
  }
  collect(value)
  const all = found.join('\n')
  return all === '' ? null : [...all.slice(0, 2 * DETAILS_MAX)].slice(0, DETAILS_MAX).join('')
}
