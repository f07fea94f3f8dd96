/** Lines of iCalendar (RFC 5545, section 3.1) and vCard (RFC 6350, section 3.3; version 2.1 as well). */

/** One property: `item1.TEL;TYPE=work:+49 30 1` is of the group `item1`. Names are in capitals, values as written. */
export type ContentLine = {
  /** The line of the file that it begins on, from 1. */
  readonly line: number
  readonly group?: string
  readonly name: string
  /** Values of each parameter; one without a name, which vCard 2.1 has, is a `TYPE`. */
  readonly params: Readonly<Record<string, readonly string[]>>
  readonly value: string
}

export type LineFault = { readonly line: number; readonly message: string }

/** Characters that a whole property may have: a photo is the longest. */
const VALUE_MAX = 1_000_000

const NAME = /^(?:([A-Za-z0-9_-]+)\.)?([A-Za-z0-9_-]+)/
/** What may stand behind a name: parameters with quoted values, values, and none. */
const PARAMETER = /;([A-Za-z0-9_/-]+)?(?:=((?:"[^"]*"|[^";:,])*(?:,(?:"[^"]*"|[^";:,])*)*))?/y

/**
 * The properties of a text, and what is none. A line that begins with white space continues the one before, also
 * behind empty lines, which some programs write between all lines.
 */
export function contentLines(text: string): { readonly lines: readonly ContentLine[]; readonly faults: LineFault[] } {
  const lines: ContentLine[] = []
  const faults: LineFault[] = []
  for (const { line, text: whole } of unfolded(text)) {
    const found = whole.length > VALUE_MAX ? `is longer than ${VALUE_MAX} characters` : parsed(whole, line)
    if (typeof found === 'string') faults.push({ line, message: found })
    else lines.push(found)
  }
  return { lines, faults }
}

function parsed(text: string, line: number): ContentLine | string {
  const [head, group, name] = NAME.exec(text) ?? []
  if (head === undefined) return `begins with no name: ${clipped(text)}`
  const params: Record<string, string[]> = Object.create(null)
  let at = head.length
  for (; text[at] === ';'; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at
    const [, key, value] = PARAMETER.exec(text)!
    if (key === undefined) continue
    const of = value === undefined ? 'TYPE' : key.toUpperCase()
    const values = (value ?? key).match(/"[^"]*"|[^",]+/g) ?? []
    params[of] = [...(params[of] ?? []), ...values.map(each => decodedParam(each.replaceAll('"', '')))]
  }
  if (text[at] !== ':') return `has no colon behind its name and parameters: ${clipped(text)}`
  const value = text.slice(at + 1)
  return { line, ...(group && { group }), name: name!.toUpperCase(), params, value }
}

const clipped = (text: string) => JSON.stringify(text.slice(0, 40))

/** RFC 6868: a circumflex stands before what quotes cannot hold. */
const decodedParam = (text: string) =>
  text.replaceAll(/\^[n^']/g, each => ({ '^n': '\n', '^^': '^', "^'": '"' })[each]!)

/** Whole properties with the line that they begin on; a soft line break of quoted-printable joins two lines. */
function* unfolded(text: string): Generator<{ line: number; text: string }> {
  let [line, parts] = [0, [] as string[]]
  let isSoft = false
  for (const [n, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    if (raw.trim() === '' && !isSoft) continue
    if (isSoft || (parts.length > 0 && /^[ \t]/.test(raw))) {
      if (isSoft) parts.push('\n', raw)
      else parts.push(raw.slice(1))
      isSoft = isSoft && raw.endsWith('=')
      continue
    }
    if (parts.length > 0) yield { line, text: parts.join('') }
    isSoft = raw.endsWith('=') && /^[^:]*QUOTED-PRINTABLE[^:]*:/i.test(raw)
    ;[line, parts] = [n + 1, [raw]]
  }
  if (parts.length > 0) yield { line, text: parts.join('') }
}

/** The parts of a structured value: a backslash keeps a separator from being one. They stay escaped. */
export function partsOf(value: string, separator: ';' | ','): readonly string[] {
  const parts = ['']
  for (const [piece] of value.matchAll(/\\.|[^\\]|\\$/gs)) {
    if (piece === separator) parts.push('')
    else parts[parts.length - 1] += piece
  }
  return parts
}

/** A text value as it was meant. */
export const unescaped = (value: string): string =>
  value.replaceAll(/\\(.)/gs, (_, letter: string) => (letter === 'n' || letter === 'N' ? '\n' : letter))

/** A text value (RFC 5545, section 3.3.11); control characters that it cannot have become spaces. */
export const escaped = (text: string): string =>
  text
    .replaceAll(/[\\;,]/g, '\\$&')
    .replaceAll(/\r\n|\r|\n/g, '\\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be written
    .replaceAll(/[\u0000-\u001f\u007f]/g, ' ')

/** A value of a parameter, in quotes where it needs them (RFC 6868). */
export function paramText(value: string): string {
  const text = value.replaceAll(/[\^"\n]/g, each => ({ '^': '^^', '"': "^'", '\n': '^n' })[each]!)
  return /[:;,]/.test(text) ? `"${text}"` : text
}

/** The text of a property, unfolded. */
export function lineText({ group, name, params, value }: Omit<ContentLine, 'line'>): string {
  const said = Object.entries(params).map(([key, values]) => `;${key}=${values.map(paramText).join(',')}`)
  return `${group === undefined ? '' : `${group}.`}${name}${said.join('')}:${value}`
}

/** Lines as a file: ended by CR LF, in pieces of at most 75 bytes, between which a line end and a space stand. */
export const fileOf = (lines: readonly string[]): string => lines.map(line => `${folded(line)}\r\n`).join('')

function folded(line: string): string {
  if (Buffer.byteLength(line) <= 75) return line
  let [folds, bytes] = ['', 0]
  for (const letter of line) {
    const size = Buffer.byteLength(letter)
    if (bytes + size > 75) [folds, bytes] = [`${folds}\r\n `, 1]
    folds += letter
    bytes += size
  }
  return folds
}
