/** Contacts that may be the same: proposed with what they share, never merged unasked. */
import type { ContactRow } from './vcard-text.ts'

/** Two contacts, by what they are one, and what both together would be: the fields of the first, completed. */
export type Duplicate = {
  readonly first: string
  readonly second: string
  readonly why: readonly string[]
  readonly merged: Readonly<Record<string, unknown>>
}

const LISTS = ['emails', 'phones', 'addresses', 'urls', 'more'] as const
const TEXTS = ['given_name', 'family_name', 'nickname', 'company', 'job', 'birthday', 'uid', 'resource'] as const

/** The pairs of a book, those with most in common first; `max` of them at most. */
export function duplicatesOf(rows: readonly ContactRow[], max: number): readonly Duplicate[] {
  const byMark = new Map<string, ContactRow[]>()
  for (const row of rows) for (const mark of marksOf(row)) byMark.set(mark, [...(byMark.get(mark) ?? []), row])
  const pairs = new Map<string, { first: ContactRow; second: ContactRow; why: string[] }>()
  for (const [mark, some] of byMark) {
    // What very many share, such as the number of an office, says nothing.
    if (some.length > SHARED_MAX) continue
    for (const [n, first] of some.entries()) {
      for (const second of some.slice(n + 1)) {
        const key = JSON.stringify([first.id, second.id])
        const pair = pairs.get(key) ?? { first, second, why: [] }
        pair.why.push(mark)
        pairs.set(key, pair)
      }
    }
  }
  const found = [...pairs.values()].toSorted((a, b) => b.why.length - a.why.length).slice(0, max)
  return found.map(({ first, second, why }) => ({
    first: first.id,
    second: second.id,
    why,
    merged: mergedOf(first, second),
  }))
}

const SHARED_MAX = 20
const DIGITS_MIN = 6

const textOf = (row: ContactRow, field: string) => (typeof row[field] === 'string' ? (row[field] as string) : '')
const linesOf = (row: ContactRow, field: string) => textOf(row, field).split('\n').filter(Boolean)
const unlabelled = (line: string) => line.replace(/^[\p{L}][\p{L}\p{N} _-]{0,40}: /u, '')

/** What tells that two contacts may be one: an address, the end of a number, or the name, in whatever case. */
function marksOf(row: ContactRow): ReadonlySet<string> {
  const emails = linesOf(row, 'emails').map(line => `email ${unlabelled(line).trim().toLowerCase()}`)
  const phones = linesOf(row, 'phones').flatMap(line => {
    const digits = unlabelled(line).replaceAll(/\D/g, '')
    return digits.length < DIGITS_MIN ? [] : [`phone ${digits.slice(-9)}`]
  })
  const words = textOf(row, 'name')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu)
  const name = words && words.length > 1 ? [`name ${words.toSorted().join(' ')}`] : []
  return new Set([...emails, ...phones, ...name])
}

/** All that either says; where both say something else, the first one. Remarks stand below one another. */
function mergedOf(first: ContactRow, second: ContactRow): Readonly<Record<string, unknown>> {
  const lists = LISTS.map(field => {
    const known = new Map<string, string>()
    for (const line of [...linesOf(first, field), ...linesOf(second, field)]) {
      const key = unlabelled(line).toLowerCase()
      if (!known.has(key)) known.set(key, line)
    }
    return [field, [...known.values()].join('\n')]
  })
  const texts = TEXTS.map(field => [field, textOf(first, field) || textOf(second, field)])
  const remarks = [...new Set([textOf(first, 'remarks'), textOf(second, 'remarks')])].filter(Boolean).join('\n\n')
  const some = Object.fromEntries([...lists, ...texts, ['remarks', remarks]].filter(([, value]) => value !== ''))
  const groups = [...new Set([...((first.groups ?? []) as string[]), ...((second.groups ?? []) as string[])])]
  return { book: first.book, kind: first.kind, name: first.name, groups, ...some }
}
