/** What a text names, found by rules: people and things with capital letters, addresses, amounts, days, marks. */
import { formsOf } from '../words.ts'

/** Something that texts name. Its id is its type and its name without case and accents: `name:anna meier`. */
export type Entity = { readonly id: string; readonly type: EntityType }
type EntityType = 'amount' | 'date' | 'email' | 'handle' | 'link' | 'name' | 'tag'

/** Most entities of one text. */
const ENTITIES_MAX = 32
/** Characters of a text that are looked through. */
const TEXT_MAX = 20_000

const EMAIL = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,4}/gu
const LINK = /\bhttps?:\/\/([a-z0-9.-]{1,253})/gi
const HANDLE = /(?<![\p{L}\p{N}.])@([\p{L}\p{N}_-]{2,64})/gu
const TAG = /(?<![\p{L}\p{N}&])#([\p{L}][\p{L}\p{N}_-]{1,63})/gu
const SIGNS: Readonly<Record<string, string>> = { '€': 'EUR', $: 'USD', '£': 'GBP', '¥': 'JPY' }
const NUMBER = String.raw`\d{1,3}(?:[.,' ]\d{3}){1,6}(?:[.,]\d{1,2})?|\d{1,18}(?:[.,]\d{1,2})?`
const AMOUNT = new RegExp(String.raw`([€$£¥]|\b[A-Z]{3}\s)\s?(${NUMBER})\b|\b(${NUMBER})\s?([€$£¥]|[A-Z]{3}\b)`, 'g')
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'))
const DAY = /\b(\d{4})-(\d{2})-(\d{2})\b|\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b/g
const WRITTEN_DAY = /\b(?:(\d{1,2})\.?\s([A-Za-z]{3,9})|([A-Za-z]{3,9})\s(\d{1,2})),?\s(\d{4})\b/g
const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
// Words have an end here, or a long run of letters would be read anew from each of them.
const CAPITAL = String.raw`\p{Lu}(?:[\p{Ll}\p{M}]{1,40}|\p{Lu}{1,40})(?:['’-]\p{L}{1,40}){0,4}|\p{Lu}\.`
const JOINT = '(?:de|del|della|der|den|van|von|la|le|du|da|dos|al|bin|ibn|&)'
const NAMES = new RegExp(String.raw`(?:${CAPITAL})(?:\s(?:${JOINT}\s){0,2}(?:${CAPITAL})){1,5}`, 'gu')
const SINGLE = /(?<=[\p{Ll}\p{N},;:]\s["“(]?)\p{Lu}(?:[\p{Ll}\p{M}]{2,}|\p{Lu}{1,5})\b|\b\p{Lu}{2,6}\b/gu

/**
 * The entities of a text in the order of their ids. `capitals` says whether a capital letter within a sentence means a
 * name; it does not where every noun has one, as in German.
 */
export function entitiesIn(whole: string, capitals = true): Entity[] {
  const text = whole.slice(0, TEXT_MAX)
  const found = new Map<string, Entity>()
  const add = (type: EntityType, name: string) => {
    const id = `${type}:${name}`
    if (name !== '' && found.size < ENTITIES_MAX) found.set(id, { id, type })
  }
  if (text.includes('@')) {
    for (const [email] of text.matchAll(EMAIL)) add('email', email.toLowerCase())
    for (const [, handle] of text.matchAll(HANDLE)) add('handle', handle!.toLowerCase())
  }
  if (text.includes('://')) for (const [, host] of text.matchAll(LINK)) add('link', host!.toLowerCase())
  if (text.includes('#')) for (const [, tag] of text.matchAll(TAG)) add('tag', tag!.toLowerCase())
  if (/\d/.test(text)) {
    for (const amount of amountsIn(text)) add('amount', amount)
    for (const day of daysIn(text)) add('date', day)
  }
  // Texts of old collections have no small letters: nothing stands out in them.
  if (!/\p{Ll}{2}/u.test(text)) return sorted(found)
  for (const [name] of text.matchAll(NAMES)) add('name', nameOf(name))
  if (capitals) for (const [name] of text.replaceAll(NAMES, '').matchAll(SINGLE)) add('name', nameOf(name))
  return sorted(found)
}

const sorted = (found: ReadonlyMap<string, Entity>) => [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1))

/** A name as ids have it: its words without case and accents. */
export const nameOf = (name: string): string => formsOf(name).join(' ')

/** Amounts with their currency, as `EUR 1250.00`: what stands behind the last mark is cents where it has two digits. */
function* amountsIn(text: string): Generator<string> {
  for (const [, before, first, second, behind] of text.matchAll(AMOUNT)) {
    const mark = (before ?? behind!).trim()
    const currency = SIGNS[mark] ?? mark
    if (!CURRENCIES.has(currency)) continue
    const digits = (first ?? second!).replaceAll(/[' ]/g, '')
    const [, whole, cents = ''] = /^(.*?)(?:[.,](\d{1,2}))?$/.exec(digits)!
    yield `${currency} ${whole!.replaceAll(/[.,]/g, '')}.${cents.padEnd(2, '0')}`
  }
}

function* daysIn(text: string): Generator<string> {
  for (const [, year, month, day, otherDay, otherMonth, otherYear] of text.matchAll(DAY)) {
    const found = dayOf(year ?? otherYear!, month ?? otherMonth!, day ?? otherDay!)
    if (found) yield found
  }
  for (const [, day, month, otherMonth, otherDay, year] of text.matchAll(WRITTEN_DAY)) {
    const at = MONTHS.indexOf((month ?? otherMonth!).slice(0, 3).toLowerCase())
    const found = at < 0 ? undefined : dayOf(year!, String(at + 1), day ?? otherDay!)
    if (found) yield found
  }
}

function dayOf(year: string, month: string, day: string): string | undefined {
  const text = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const time = Date.parse(`${text}T00:00:00Z`)
  // A day that the month does not have moves on into the next month.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text ? undefined : text
}
