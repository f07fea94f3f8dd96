/**
 * OFX 1.x (SGML, whose simple elements need no end) and 2.x (XML), also as QFX. Statements of banks, cards and, their
 * cash alone, investment accounts. An amount in `ORIGCURRENCY` was converted by the bank already; one with `CURRENCY`
 * is in that currency (OFX 2.3, 5.2).
 */
import { compactDay } from './day.ts'
import { type Exact, exactOf } from './exact.ts'
import type { Fault, Statement, StatementBalance, StatementFile, StatementRow } from './file.ts'

const STATEMENTS: readonly string[] = ['STMTRS', 'CCSTMTRS', 'INVSTMTRS']
const ACCOUNTS: readonly string[] = ['BANKACCTFROM', 'CCACCTFROM', 'INVACCTFROM']

/** An element: a simple one has a text, an aggregate has children. */
type Node = { readonly name: string; readonly line: number; text: string; readonly children: Node[] }

/** Reads a download. One without a statement is a fault, which says what the bank answered in its place. */
export function readOfx(text: string): StatementFile {
  const faults: Fault[] = []
  const root = treeOf(text, faults)
  const statements = root ? find(root, STATEMENTS).map(node => statementOf(node, faults)) : []
  if (root && statements.length === 0)
    faults.push({ line: root.line, message: `there is no statement in the file${said(root)}` })
  return { format: 'ofx', statements, faults, notes: [] }
}

/** What the bank says of errors. */
function said(root: Node): string {
  const errors = find(root, ['STATUS']).filter(status => valueIn(status, 'SEVERITY') === 'ERROR')
  const words = errors.map(status => [valueIn(status, 'CODE'), valueIn(status, 'MESSAGE')].filter(Boolean).join(' '))
  return words.length === 0 ? '' : `; the bank answers: ${words.join('; ')}`
}

const TOKEN = /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<(\/?)([A-Za-z0-9._]+)\s*(\/?)>|<|[^<]+/g

/** The tree of `<OFX>`; `undefined`, with a fault, where it is not there or not whole. */
function treeOf(text: string, faults: Fault[]): Node | undefined {
  const start = text.search(/<OFX>/i)
  if (start < 0) {
    faults.push({ line: 1, message: 'there is no <OFX> in the file' })
    return undefined
  }
  const fail = (at: number, message: string) => {
    faults.push({ line: at, message })
    return undefined
  }
  let line = linesIn(text.slice(0, start)) + 1
  let root: Node | undefined
  const open: Node[] = []
  for (const match of text.slice(start).matchAll(TOKEN)) {
    const [token, data, close, given, empty] = match
    const name = given?.toUpperCase()
    const at = line
    line += linesIn(token)
    if (token === '<') return fail(at, 'a "<" begins no element')
    if (name === undefined) {
      const words = data ?? (token.startsWith('<') ? '' : entities(token))
      const top = open.at(-1)
      if (top) top.text += words
      else if (words.trim() !== '') return fail(at, 'there is text outside of <OFX>')
    } else if (close !== '/') {
      if (root && open.length === 0) return fail(at, `<${name}> stands outside of <OFX>`)
      // A simple element of SGML ends where the next one begins.
      if (open.length > 0 && isSimple(open.at(-1)!)) open.pop()
      const node = { name, line: at, text: '', children: [] }
      open.at(-1)?.children.push(node)
      root ??= node
      if (empty !== '/') open.push(node)
    } else {
      if (open.at(-1)?.name !== name && open.length > 0 && isLeaf(open.at(-1)!)) open.pop()
      if (open.at(-1)?.name !== name) return fail(at, `</${name}> ends nothing that is open`)
      open.pop()
    }
  }
  if (open.length > 0) return fail(open[0]!.line, `<${open[0]!.name}> has no end: the file is cut off`)
  return root
}

const isSimple = (node: Node) => node.children.length === 0 && node.text.trim() !== ''
const isLeaf = (node: Node) => node.children.length === 0
const linesIn = (text: string) => text.match(/\r\n|\n|\r/g)?.length ?? 0

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }
const entities = (text: string) =>
  text.replaceAll(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]+);/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })

function statementOf(node: Node, faults: Fault[]): Statement {
  const from = node.children.find(({ name }) => ACCOUNTS.includes(name))
  const account = valueIn(from, 'ACCTID')
  const currency = valueIn(node, 'CURDEF')
  if (!account) faults.push({ line: node.line, message: `${node.name} names no account (ACCTID)` })
  if (!currency) faults.push({ line: node.line, message: `${node.name} names no currency (CURDEF)` })
  const balance = node.children.find(({ name }) => name === 'LEDGERBAL')
  const closing = balance && balanceOf(balance, faults)
  const rows = find(node, ['STMTTRN']).map(row => rowOf(row, currency ?? '', faults))
  return {
    line: node.line,
    account: account ?? '',
    currency: currency ?? '',
    ...(closing && { closing }),
    rows,
  }
}

function balanceOf(node: Node, faults: Fault[]): StatementBalance | undefined {
  const amount = amountOf(node, 'BALAMT', faults)
  const date = compactDay(valueIn(node, 'DTASOF') ?? '')
  if (date === undefined) faults.push({ line: node.line, message: 'LEDGERBAL names no day (DTASOF)' })
  return amount && { amount, line: node.line, ...(date !== undefined && { date }) }
}

function rowOf(node: Node, currency: string, faults: Fault[]): StatementRow {
  const amount = amountOf(node, 'TRNAMT', faults)
  const posted = valueIn(node, 'DTPOSTED')
  const date = compactDay(posted ?? '')
  if (date === undefined) {
    const what = posted ? `DTPOSTED "${posted.slice(0, 40)}" is no day of the calendar` : 'STMTTRN has no DTPOSTED'
    faults.push({ line: node.line, message: what })
  }
  const id = valueIn(node, 'FITID')
  if (!id) faults.push({ line: node.line, message: 'STMTTRN has no FITID' })
  const own = node.children.find(({ name }) => name === 'CURRENCY')
  const payee =
    valueIn(node, 'NAME') ??
    valueIn(
      node.children.find(({ name }) => name === 'PAYEE'),
      'NAME',
    )
  const reference = valueIn(node, 'CHECKNUM') ?? valueIn(node, 'REFNUM')
  const kind = valueIn(node, 'TRNTYPE')
  return {
    line: node.line,
    currency: valueIn(own, 'CURSYM') ?? currency,
    booked: true,
    text: valueIn(node, 'MEMO') ?? '',
    ...(amount && { amount }),
    ...(date !== undefined && { date }),
    ...(id && { id }),
    ...(payee && { payee }),
    ...(reference && { reference }),
    ...(kind && { kind }),
  }
}

/** An amount has one mark at most, a point or a comma (OFX 2.3, 3.2.9.1). */
function amountOf(node: Node, name: string, faults: Fault[]): Exact | undefined {
  const text = valueIn(node, name)
  const amount = text === undefined ? undefined : exactOf(text, '.,')
  if (!amount) {
    const what = text === undefined ? `${node.name} has no ${name}` : `${name} "${text.slice(0, 40)}" is no amount`
    faults.push({ line: node.line, message: what })
  }
  return amount
}

/** The value of a simple element; `undefined` where it is not there, or empty. */
function valueIn(node: Node | undefined, name: string): string | undefined {
  const text = node?.children.find(child => child.name === name)?.text.trim()
  return text === '' ? undefined : text
}

/** Elements of some names below a node, outermost first; what stands in one of them is not looked for. */
function find(node: Node, names: readonly string[]): readonly Node[] {
  return node.children.flatMap(child => (names.includes(child.name) ? [child] : find(child, names)))
}
