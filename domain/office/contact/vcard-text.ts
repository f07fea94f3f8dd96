/** Contacts as vCards of any version. */
import { contentLines, escaped, fileOf, lineText, partsOf } from '../../record/content-line.ts'

export const VERSIONS = ['2.1', '3.0', '4.0'] as const
export type Version = (typeof VERSIONS)[number]

/** A row of a contact with its texts opened. */
export type ContactRow = Readonly<Record<string, unknown>> & { readonly id: string }

type Line = Parameters<typeof lineText>[0]

const MANY = { EMAIL: 'emails', TEL: 'phones', URL: 'urls', ADR: 'addresses' } as const
const KINDS: Readonly<Record<string, string>> = { organization: 'org', group: 'group', location: 'location' }

/** A contact as a vCard; one whose texts were erased has a name that says so. */
export function cardText(row: ContactRow, version: Version): string {
  const text = (field: string) => (typeof row[field] === 'string' ? (row[field] as string) : '')
  const name = text('name') || '(erased)'
  const kind = KINDS[text('kind')]
  const lines: Line[] = [
    plain('VERSION', version),
    plain('UID', escaped(text('uid') || row.id)),
    plain('FN', escaped(name)),
    plain(
      'N',
      [text('family_name'), text('given_name') || (text('family_name') ? '' : name), '', '', ''].map(escaped).join(';'),
    ),
    ...(kind && version === '4.0' ? [plain('KIND', kind)] : []),
    ...said('NICKNAME', escaped(text('nickname'))),
    ...said('ORG', text('company').split(/; ?/).map(escaped).join(';')),
    ...said('TITLE', escaped(text('job'))),
    ...said('BDAY', version === '4.0' ? text('birthday').replaceAll(/(?<=\d)-/g, '') : text('birthday')),
    ...Object.entries(MANY).flatMap(([property, field]) => labelled(property, text(field), version)),
    ...said('CATEGORIES', ((row.groups ?? []) as string[]).map(escaped).join(',')),
    ...said('NOTE', escaped(text('remarks'))),
    ...contentLines(text('more')).lines.map(line => ofVersion(line, version)),
  ]
  if (version !== '2.1') return fileOf(['BEGIN:VCARD', ...lines.map(line => lineText(line)), 'END:VCARD'])
  return `BEGIN:VCARD\r\n${lines.map(quoted).join('')}END:VCARD\r\n`
}

const plain = (name: string, value: string): Line => ({ name, params: {}, value })
const said = (name: string, value: string): Line[] => (value === '' ? [] : [plain(name, value)])

/** `work: mira@example.org` is a property of the type `work`; a label that no type can be stays a part of the text. */
function labelled(name: string, text: string, version: Version): Line[] {
  return text.split('\n').flatMap(line => {
    const [, label, rest] = /^([\p{L}][\p{L}\p{N} _-]{0,40}): (.+)$/u.exec(line) ?? []
    const value = rest ?? line
    if (value === '') return []
    const types = label?.split(' ') ?? []
    const params = types.length > 0 ? { TYPE: version === '2.1' ? types.map(type => type.toUpperCase()) : types } : {}
    return [{ name, params, value: name === 'ADR' ? address(value) : name === 'URL' ? value : escaped(value) }]
  })
}

const address = (text: string) => {
  const parts = partsOf(text, ';')
  return (parts.length > 1 ? parts : ['', '', text]).map(part => escaped(part.trim())).join(';')
}

/** A line of version 3.0 in another one: bytes in base64 are a URI in version 4.0 (RFC 6350, section 6.2.4). */
function ofVersion({ line: _, ...line }: Line & { readonly line: number }, version: Version): Line {
  const { ENCODING, TYPE = [], ...params } = line.params
  if (ENCODING?.[0] !== 'b' || version === '3.0') return line
  if (version === '2.1')
    return { ...line, params: { ...params, ...(TYPE.length > 0 && { TYPE }), ENCODING: ['BASE64'] } }
  const type = (TYPE[0] ?? 'jpeg').toLowerCase()
  const media = type.includes('/') ? type : `${line.name === 'KEY' ? 'application' : 'image'}/${type}`
  return { ...line, params, value: `data:${media};base64,${line.value}` }
}

/** A line of version 2.1: its types are bare, and what is not ASCII, or has line ends, is quoted-printable. */
function quoted(line: Line): string {
  const { TYPE = [], ...params } = line.params
  const bare = [line.name, ...TYPE.map(type => type.replaceAll(/[;:,"]/g, ''))].join(';')
  const others = lineText({ ...line, name: '', params, value: '' })
    .replace(/^.*?\.?(?=[;:])/, '')
    .slice(0, -1)
  const head = `${line.group ? `${line.group}.` : ''}${bare}${others}`
  const value = line.value.replaceAll(/\\(.)/gs, (whole, letter: string) =>
    letter === 'n' ? '\n' : letter === ';' || (letter === ',' && line.name === 'CATEGORIES') ? whole : letter,
  )
  if (/^[\x20-\x7e]*$/.test(value)) return fileOf([`${head}:${value}`])
  const bytes = [...new TextEncoder().encode(value.replaceAll('\n', '\r\n'))]
  const isPlain = (byte: number) => byte > 0x20 && byte < 0x7f && byte !== 0x3d
  const pieces = bytes.map(byte =>
    isPlain(byte) ? String.fromCharCode(byte) : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  )
  const rows = Array.from({ length: Math.ceil(pieces.length / PIECES) }, (_, n) =>
    pieces.slice(n * PIECES, (n + 1) * PIECES),
  )
  return `${head};CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:${rows.map(row => row.join('')).join('=\r\n')}\r\n`
}

/** Bytes of one line of quoted-printable text, of three characters at most. */
const PIECES = 24
