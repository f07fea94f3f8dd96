/** What each method of CalDAV and CardDAV does, as operations of the API. */
import type { IncomingMessage } from 'node:http'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, ApiResponse, Principal } from '../../domain/kernel/route.ts'
import type { Timed } from '../../domain/office/calendarevent/expand.ts'
import type { Element } from '../../domain/wallet/statement/camt.ts'
import { answerTo } from '../http/errors.ts'
import { readElements } from '../xml/read.ts'
import { BOOKS, CALENDARS, type Collections, fileName, type Row, stored } from './collections.ts'
import { isWithin } from './range.ts'
import { type Answered, hrefXml, multistatus, type Property, xmlText } from './xml.ts'

export const DAV_BASE = '/dav'
const ROWS_MAX = 100_000
const PAGE = 500
/** How long a write waits until reads know it. */
const WAIT_MS = '30000'

/** A request below `/dav`, with the parts of its path. */
export type Asked = {
  readonly method: string
  readonly parts: readonly string[]
  readonly principal: Principal
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}
export type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}
export type Call = (
  operation: string,
  parts: Partial<ApiRequest> & { readonly headers?: object },
) => Promise<ApiResponse>

const KINDS: ReadonlyMap<string, Collections> = new Map([CALENDARS, BOOKS].map(kind => [kind.path, kind]))

export class Status extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
export function partsOf(path: string): readonly string[] {
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    throw new Status(400, 'The path is not valid percent-encoded text.')
  }
}

async function elementOf(body: Buffer): Promise<Element | undefined> {
  if (body.length === 0) return undefined
  const { root, faults } = await readElements(body)
  if (root && faults.length === 0) return root
  throw new Status(400, `The body is no XML: line ${faults[0]?.line ?? 1}: ${faults[0]?.message ?? 'empty'}.`)
}

const pathOf = (...parts: readonly string[]) => `${[DAV_BASE, ...parts.map(encodeURIComponent)].join('/')}/`
const hrefOf = (kind: Collections, collection: string, row: Row) =>
  pathOf(kind.path, collection, fileName(kind, row)).slice(0, -1)

/** All rows of a list. */
async function rowsOf(call: Call, operation: string, query: ApiRequest['query'] = {}): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (let after: string | undefined; ; ) {
    const { data, pagination } = await call(operation, {
      query: { ...query, limit: String(PAGE), ...(after && { after }) },
    })
    rows.push(...(data as readonly Row[]))
    after = pagination?.next
    if (after === undefined || rows.length > ROWS_MAX) return rows
  }
}

/** A collection that a path names. */
async function collectionOf(call: Call, kind: Collections, id: string): Promise<Row> {
  const found = (await rowsOf(call, kind.lists)).find(row => row.id === id)
  if (found) return found
  throw new Status(404, 'There is no such collection.')
}

/** The thing of a file name, `undefined` where there is none. */
async function findThing(call: Call, kind: Collections, collection: string, name: string): Promise<Row | undefined> {
  const stem = name.endsWith(kind.ending) ? name.slice(0, -kind.ending.length) : name
  const within = { [kind.into]: collection }
  const escaped = (text: string) => text.replaceAll(/[\\,]/g, '\\$&')
  const [named] = await rowsOf(call, kind.things, { ...within, resource: escaped(name) })
  if (named) return named
  const of = (await rowsOf(call, kind.things, { ...within, uid: escaped(stem) })).find(
    row => fileName(kind, row) === name,
  )
  if (of) return of
  const single = kind.things.replace(/^list(.*)s$/, 'get$1')
  const { data } = await call(single, { params: { id: stem } }).catch(error => {
    if (error instanceof KogiError && answerTo(error).status < 500) return { data: undefined }
    throw error
  })
  const row = data as Row | undefined
  return row && row[kind.into] === collection && fileName(kind, row) === name ? row : undefined
}

/** What every resource says of where its caller's things are. */
const homes = ({ subject }: Principal): readonly Property[] => [
  ['D:current-user-principal', hrefXml(pathOf('principals', subject))],
  ['D:principal-URL', hrefXml(pathOf('principals', subject))],
  ...[...KINDS.values()].map(({ homeSet, path }) => [homeSet, hrefXml(pathOf(path))] as const),
]

const privileges = '<D:privilege><D:read/></D:privilege><D:privilege><D:write/></D:privilege>'

async function propfind(asked: Asked, call: Call): Promise<Answer> {
  const { parts, principal, headers, body } = asked
  await elementOf(body)
  const isDeep = headers.depth !== '0'
  const [first, id, name, ...more] = parts
  const own = (href: string, title: string, type = '<D:collection/>'): Answered => ({
    href,
    properties: [['D:resourcetype', type], ['D:displayname', xmlText(title)], ...homes(principal)],
  })
  const kind = KINDS.get(first ?? '')
  if (first === undefined || (first === 'principals' && parts.length <= 2)) {
    const type = first === undefined ? '<D:collection/>' : '<D:collection/><D:principal/>'
    const homesOf =
      first === undefined && isDeep ? [...KINDS.values()].map(each => own(pathOf(each.path), each.title)) : []
    return said([own(pathOf(...parts), principal.subject, type), ...homesOf])
  }
  if (!kind || more.length > 0) throw new Status(404, 'There is nothing of this name.')
  if (id === undefined) {
    const rows = isDeep ? await rowsOf(call, kind.lists) : []
    return said([own(pathOf(kind.path), kind.title), ...rows.map(row => shownCollection(kind, row, principal))])
  }
  if (name !== undefined) {
    const row = await findThing(call, kind, id, name)
    if (!row) throw new Status(404, 'There is nothing of this name.')
    return said([shownThing(kind, id, row)])
  }
  const collection = await collectionOf(call, kind, id)
  const rows = isDeep ? await rowsOf(call, kind.things, { [kind.into]: id }) : []
  return said([shownCollection(kind, collection, principal), ...rows.map(row => shownThing(kind, id, row))])
}

const said = (answers: readonly Answered[]): Answer => ({ status: 207, body: multistatus(answers) })

const shownCollection = (kind: Collections, row: Row, principal: Principal): Answered => ({
  href: pathOf(kind.path, row.id),
  properties: [
    ...kind.properties(row),
    ['D:displayname', xmlText(String(row.name))],
    ['D:current-user-privilege-set', privileges],
    ...homes(principal),
  ],
})

function shownThing(kind: Collections, collection: string, row: Row, isWhole = false): Answered {
  const properties: Property[] = [
    ['D:resourcetype', ''],
    ['D:getetag', `&quot;${row.revision}&quot;`],
    ['D:getcontenttype', kind.type],
    ...(isWhole ? [[kind.data, xmlText(kind.write([row]))] as const] : []),
  ]
  return { href: hrefOf(kind, collection, row), properties }
}

async function report({ parts, body }: Asked, call: Call): Promise<Answer> {
  const [first, id] = parts
  const kind = KINDS.get(first ?? '')
  const root = await elementOf(body)
  if (!kind || id === undefined || !root) throw new Status(400, 'A report is of a collection, and has a body.')
  const rows = async () => rowsOf(call, kind.things, { [kind.into]: id })
  if (root.name.endsWith('-multiget')) {
    const byHref = new Map((await rows()).map(row => [hrefOf(kind, id, row), row]))
    const hrefs = root.children.filter(({ name }) => name === 'href').map(({ text }) => text)
    return said(
      hrefs.map(href => {
        const row = byHref.get(
          pathOf(...partsOf(new URL(href, 'http://x').pathname.slice(DAV_BASE.length))).slice(0, -1),
        )
        return row ? { ...shownThing(kind, id, row, true), href } : { href, status: 404 }
      }),
    )
  }
  if (!root.name.endsWith('-query')) throw new Status(403, `The report ${root.name} is not supported.`)
  const isWhole = allOf(root).some(({ name }) => name === kind.data.slice(2))
  const range = allOf(root).find(({ name }) => name === 'time-range')
  const isComponent = allOf(root).some(
    ({ name, attributes }) => name === 'comp-filter' && /VTODO|VJOURNAL/.test(attributes.name ?? ''),
  )
  const found = isComponent ? [] : (await rows()).filter(row => !range || isWithin(row as unknown as Timed, range))
  return said(found.map(row => shownThing(kind, id, row, isWhole)))
}

const allOf = (element: Element): readonly Element[] => element.children.flatMap(each => [each, ...allOf(each)])

async function get({ parts }: Asked, call: Call): Promise<Answer> {
  const [first, id, name, ...more] = parts
  const kind = KINDS.get(first ?? '')
  if (!kind || id === undefined || more.length > 0) throw new Status(404, 'There is nothing of this name.')
  if (name === undefined) {
    const collection = await collectionOf(call, kind, id)
    const rows = await rowsOf(call, kind.things, { [kind.into]: id })
    return { status: 200, headers: { 'Content-Type': kind.type }, body: kind.write(rows, String(collection.name)) }
  }
  const row = await findThing(call, kind, id, name)
  if (!row) throw new Status(404, 'There is nothing of this name.')
  const headers = { 'Content-Type': kind.type, ETag: `"${row.revision}"` }
  return { status: 200, headers, body: kind.write([row]) }
}

async function put({ parts, headers, body }: Asked, call: Call): Promise<Answer> {
  const [first, id, name, ...more] = parts
  const kind = KINDS.get(first ?? '')
  if (!kind || id === undefined || name === undefined || more.length > 0)
    throw new Status(405, 'Files are put into a collection.')
  const { fields, faults } = kind.read(body.toString('utf8'))
  if (!fields)
    throw new Status(
      400,
      faults
        .slice(0, 5)
        .map(({ line, message }) => `line ${line}: ${message}`)
        .join('; '),
    )
  const before = await findThing(call, kind, id, name)
  if (before ? headers['if-none-match'] === '*' : headers['if-match'] !== undefined)
    throw new Status(412, 'It is another one now.')
  const { id: thing, body: whole } = stored(kind, id, name, fields, before)
  const condition = { 'if-match': before ? headers['if-match'] : undefined }
  const { headers: made = {} } = before
    ? await call(`${kind.thing}.replace`, { params: { id: thing }, body: whole, headers: condition })
    : await call(`${kind.thing}.add`, { body: { id: thing, ...whole } })
  await known(call, kind, made)
  return { status: before ? 204 : 201, headers: { ETag: made.ETag! } }
}

async function remove({ parts, headers }: Asked, call: Call): Promise<Answer> {
  const [first, id, name] = parts
  const kind = KINDS.get(first ?? '')
  if (!kind || id === undefined) throw new Status(403, 'This cannot be removed.')
  const row = name === undefined ? await collectionOf(call, kind, id) : await findThing(call, kind, id, name)
  if (!row) throw new Status(404, 'There is nothing of this name.')
  const condition = { 'if-match': headers['if-match'] }
  const operation = name === undefined ? kind.removes : `${kind.thing}.remove`
  const { headers: made = {} } = await call(operation, { params: { id: row.id }, headers: condition })
  await known(call, kind, made)
  return { status: 204 }
}

async function make({ parts, body }: Asked, call: Call): Promise<Answer> {
  const [first, id, ...more] = parts
  const kind = KINDS.get(first ?? '')
  if (!kind || id === undefined || more.length > 0)
    throw new Status(403, 'Collections are made below /dav/calendars and /dav/contacts.')
  const root = await elementOf(body)
  const title = root && allOf(root).find(({ name }) => name === 'displayname')?.text
  const { headers = {} } = await call(kind.makes, { body: kind.made(id, (title || id).slice(0, 255)) })
  await known(call, kind, headers)
  return { status: 201 }
}

/** Waits until reads know a write. */
async function known(call: Call, kind: Collections, headers: Readonly<Record<string, string>>): Promise<void> {
  const position = headers['Kogi-Position']
  if (position === undefined) return
  for (const list of [kind.lists, kind.things]) {
    await call(list, { query: { at_least: position, wait: WAIT_MS, limit: '1' } })
  }
}

/** By method. */
export const ACTS: Readonly<Record<string, (asked: Asked, call: Call) => Promise<Answer>>> = {
  PROPFIND: propfind,
  REPORT: report,
  GET: get,
  HEAD: get,
  PUT: put,
  DELETE: remove,
  MKCALENDAR: make,
  MKCOL: make,
}
