/**
 * vCards as contacts and back. Read are versions 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350), written is any of them. What
 * a contact has no field for stays as content lines, in the form of version 3.0.
 */
import {
  type ContentLine,
  contentLines,
  type LineFault,
  paramText,
  partsOf,
  unescaped,
} from '../../record/content-line.ts'

/** The fields of a contact as clients send them, all of them texts but the groups. */
type ContactFields = Readonly<Record<string, unknown>> & { readonly name: string }

/** A card and the line that it begins on. */
export type Card = { readonly line: number; readonly version: string; readonly fields: ContactFields }

/** A text as it is meant, by the rules of the version that it is in. */
type Said = (line: ContentLine) => string

/** Properties that are one text, and those of which each is a line of a field. */
const ONE: Readonly<Record<string, string>> = { NICKNAME: 'nickname', TITLE: 'job', BDAY: 'birthday' }
const MANY: Readonly<Record<string, string>> = { EMAIL: 'emails', TEL: 'phones', URL: 'urls', ADR: 'addresses' }
/** Types that say nothing about whose or what it is. */
const UNSAID = new Set(['pref', 'internet', 'voice', 'dom', 'intl', 'postal', 'parcel', 'x-legacy'])
const KINDS: Readonly<Record<string, string>> = { org: 'organization', group: 'group', location: 'location' }

/** The cards of a file and what is wrong with it, by line. A card with a fault is left out. */
export function cardsOf(text: string): { readonly cards: readonly Card[]; readonly faults: readonly LineFault[] } {
  const { lines, faults } = contentLines(text)
  const cards: Card[] = []
  const broken = new Set(faults.map(({ line }) => line))
  let open: ContentLine[] | undefined
  for (const line of lines) {
    const { name, value } = line
    const isCard = value.trim().toUpperCase() === 'VCARD'
    if (name === 'BEGIN' && isCard) {
      if (open) faults.push({ line: open[0]!.line, message: 'a card begins here and has no END:VCARD' })
      open = [line]
    } else if (!open) faults.push({ line: line.line, message: `${name} stands outside of a card` })
    else if (name === 'END' && isCard) {
      const [first, last] = [open[0]!.line, line.line]
      if (![...broken].some(at => at > first && at < last)) cards.push(cardOf(open))
      open = undefined
    } else open.push(line)
  }
  if (open) faults.push({ line: open[0]!.line, message: 'a card begins here and has no END:VCARD' })
  if (cards.length + faults.length === 0) faults.push({ line: 1, message: 'holds no BEGIN:VCARD' })
  return { cards, faults: faults.toSorted((a, b) => a.line - b.line) }
}

function cardOf([first, ...lines]: readonly ContentLine[]): Card {
  const version = lines.find(({ name }) => name === 'VERSION')?.value.trim() ?? ''
  const said: Said = version === '2.1' ? line => spelt(line).replaceAll('\\;', ';') : line => unescaped(spelt(line))
  const grouped = new Set(lines.flatMap(({ name, group }) => (MANY[name] ? [group] : [])))
  const labels = new Map(
    lines.flatMap(line => (line.name === 'X-ABLABEL' && grouped.has(line.group) ? [[line.group, line] as const] : [])),
  )
  const fields: Record<string, unknown> = {}
  const many: Record<string, string[]> = {}
  const more: string[] = []
  for (const line of lines) {
    const value = said(line).trim()
    const part = (at: number) => wordOf(partsOf(spelt(line), ';')[at] ?? '')
    if (line.name === 'VERSION' || value === '' || (line.name === 'X-ABLABEL' && labels.has(line.group))) continue
    const list = MANY[line.name]
    if (list) {
      const label = labelOf(line, labels.get(line.group))
      const text = line.name === 'ADR' ? addressOf(line) : value
      if (text) many[list] = [...(many[list] ?? []), (label && `${label}: `) + text.replaceAll(/\s+/g, ' ')]
    } else if (line.name === 'FN' && fields.name === undefined) fields.name = value
    else if (line.name === 'N') [fields.family_name, fields.given_name] = [part(0) || undefined, part(1) || undefined]
    else if (line.name === 'ORG') fields.company = partsOf(spelt(line), ';').map(wordOf).filter(Boolean).join('; ')
    else if (line.name === 'UID') fields.uid = value.slice(0, 255)
    else if (line.name === 'KIND' && KINDS[value.toLowerCase()]) fields.kind = KINDS[value.toLowerCase()]
    else if (line.name === 'CATEGORIES') fields.groups = partsOf(spelt(line), ',').map(wordOf).filter(Boolean)
    else if (line.name === 'NOTE') fields.remarks = [fields.remarks, value].filter(Boolean).join('\n\n')
    else if (ONE[line.name] && fields[ONE[line.name]!] === undefined) fields[ONE[line.name]!] = dayOf(line.name, value)
    else more.push(kept(line))
  }
  const lists = Object.entries(many).map(([field, values]) => [field, values.join('\n')])
  const name = nameOf(fields, many)
  const rest = more.length > 0 ? { more: more.join('\n') } : {}
  return { line: first!.line, version, fields: { ...fields, ...Object.fromEntries(lists), ...rest, name } }
}

/** A card needs a name (RFC 6350, section 6.2.1): where it has none, the next best text. */
function nameOf(fields: Readonly<Record<string, unknown>>, many: Readonly<Record<string, readonly string[]>>): string {
  const parts = [fields.given_name, fields.family_name].filter(Boolean).join(' ')
  const other = fields.nickname ?? fields.company ?? many.emails?.[0] ?? many.phones?.[0]
  return String(fields.name ?? (parts || other) ?? 'unnamed').slice(0, 500)
}

/** The components of an address with semicolons between them: nothing where all are empty. */
const addressOf = (line: ContentLine) =>
  partsOf(spelt(line), ';')
    .map(part => wordOf(part).replaceAll(';', ','))
    .join(';')
    .replace(/^;+$/, '')

const wordOf = (text: string) => unescaped(text).replaceAll(/\s+/g, ' ').trim()

/** `19800321` as `1980-03-21`. */
const dayOf = (name: string, value: string) =>
  name === 'BDAY'
    ? value.replace(/^(\d{4}|--)(\d\d)(\d\d)(?=$|T)/, (_, y, m, d) => `${y}${y === '--' ? '' : '-'}${m}-${d}`)
    : value

function labelOf({ params }: ContentLine, own: ContentLine | undefined): string {
  if (own) return labelText(own.value)
  const types = (params.TYPE ?? []).map(type => type.toLowerCase())
  return types
    .filter(type => /^[\p{L}][\p{L}\p{N}_-]*$/u.test(type) && !UNSAID.has(type) && !ENCODINGS.has(type))
    .join(' ')
}

/** `_$!<School>!$_`, as Apple writes it, is `school`. */
const labelText = (text: string) =>
  text
    .replace(/^_\$!<(.*)>!\$_$/, '$1')
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .toLowerCase()
    .slice(0, 40)

const ENCODINGS = new Set(['quoted-printable', 'base64', 'b', '8bit', '7bit'])
const encodingOf = ({ params: { ENCODING = [], TYPE = [] } }: ContentLine): string | undefined =>
  [...ENCODING, ...TYPE].map(each => each.toLowerCase()).find(each => ENCODINGS.has(each))

/** The value of a line without its encoding. */
function spelt(line: ContentLine): string {
  const encoding = encodingOf(line)
  if (encoding === 'quoted-printable') return fromQuotedPrintable(line.value, line.params.CHARSET?.[0])
  return encoding === 'b' || encoding === 'base64' ? line.value.replaceAll(/\s/g, '') : line.value
}

function fromQuotedPrintable(value: string, charset = 'utf-8'): string {
  const bytes: number[] = []
  const whole = value.replaceAll(/=[ \t]*\n/g, '')
  for (const [piece] of whole.matchAll(/=[0-9A-Fa-f]{2}|[\s\S]/gu)) {
    if (piece.length === 3) bytes.push(Number.parseInt(piece.slice(1), 16))
    else bytes.push(...new TextEncoder().encode(piece))
  }
  return decoderOf(charset).decode(Uint8Array.from(bytes)).replaceAll('\0', '').replaceAll('\r\n', '\n')
}

function decoderOf(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset)
  } catch {
    return new TextDecoder()
  }
}

/** A line that no field has, as version 3.0 writes it. */
function kept(line: ContentLine): string {
  const { group, name, params } = line
  const encoding = encodingOf(line)
  const isBinary = encoding === 'b' || encoding === 'base64'
  const left = Object.entries(params).flatMap(([key, values]) => {
    const rest = values.filter(value => !ENCODINGS.has(value.toLowerCase()))
    return key === 'CHARSET' || key === 'ENCODING' || rest.length === 0
      ? []
      : [`;${key}=${rest.map(paramText).join(',')}`]
  })
  const value = spelt(line).replaceAll('\n', '\\n')
  return `${group ? `${group}.` : ''}${name}${isBinary ? ';ENCODING=b' : ''}${left.join('')}:${value}`
}
