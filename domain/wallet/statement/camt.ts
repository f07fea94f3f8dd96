/**
 * ISO 20022 bank-to-customer messages: camt.053 (statement), camt.052 (report) and camt.054 (notification), versions 1
 * and later, which name what is read here alike. The sign of an entry is `CdtDbtInd` alone: `RvslInd` says that it is a
 * reversal, not that its sign turns.
 */
import { isoDay } from './day.ts'
import { type Exact, exactOf, negative } from './exact.ts'
import type { Fault, Statement, StatementBalance, StatementFile, StatementRow } from './file.ts'

/** An element of an XML document, without its namespace. */
export type Element = {
  readonly name: string
  readonly line: number
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Element[]
  /** Its own text, without white space around it. */
  readonly text: string
}

const MESSAGES = /^BkToCstmr(Stmt|AcctRpt|DbtCdtNtfctn)(V\d\d)?$/
const STATEMENTS: readonly string[] = ['Stmt', 'Rpt', 'Ntfctn']
const NOT_PROVIDED = 'NOTPROVIDED'

/** Reads a message; `faults` are those that its schema found. */
export function readCamt(root: Element, faults: readonly Fault[] = []): StatementFile {
  const found: Fault[] = [...faults]
  const message = root.children.find(({ name }) => MESSAGES.test(name))
  const statements = (message?.children ?? []).filter(({ name }) => STATEMENTS.includes(name))
  if (!message) found.push({ line: root.line, message: `${root.name} is no camt.052, camt.053 or camt.054 message` })
  else if (statements.length === 0) found.push({ line: message.line, message: `${message.name} has no statement` })
  const read = statements.map(element => statementOf(element, found))
  return { format: 'camt', statements: read, faults: found, notes: [] }
}

function statementOf(element: Element, faults: Fault[]): Statement {
  const account = accountOf(element)
  if (account === undefined) faults.push({ line: element.line, message: `${element.name} names no account` })
  const balances = all(element, 'Bal').map(balance => balanceOf(balance, faults))
  const withCode = (code: string) => balances.find(balance => balance.code === code)
  const [opening, closing] = [withCode('OPBD') ?? withCode('PRCD'), withCode('CLBD')]
  const currency = textAt(element, 'Acct', 'Ccy') ?? balances[0]?.currency ?? ''
  const number = textAt(element, 'ElctrncSeqNb') ?? textAt(element, 'LglSeqNb') ?? textAt(element, 'Id')
  return {
    line: element.line,
    account: account ?? '',
    currency,
    ...(number !== undefined && { number }),
    ...(opening?.amount && { opening: plain(opening as Balance) }),
    ...(closing?.amount && { closing: plain(closing as Balance) }),
    rows: all(element, 'Ntry').map(entry => rowOf(entry, faults)),
  }
}

type Balance = StatementBalance & { readonly code: string; readonly currency: string }

const plain = ({ code: _, currency: __, ...balance }: Balance): StatementBalance => balance

function balanceOf(balance: Element, faults: Fault[]): Partial<Balance> {
  const code = textAt(balance, 'Tp', 'CdOrPrtry', 'Cd') ?? textAt(balance, 'Tp', 'Cd') ?? ''
  const amount = amountOf(balance, faults)
  const date = dateAt(balance, 'Dt', faults)
  const currency = child(balance, 'Amt')?.attributes.Ccy ?? ''
  return { code, currency, line: balance.line, ...(amount && { amount }), ...(date !== undefined && { date }) }
}

function rowOf(entry: Element, faults: Fault[]): StatementRow {
  const amount = amountOf(entry, faults)
  const booking = dateAt(entry, 'BookgDt', faults)
  const valueDate = dateAt(entry, 'ValDt', faults)
  const date = booking ?? valueDate
  if (date === undefined) faults.push({ line: entry.line, message: 'Ntry has neither BookgDt nor ValDt' })
  const status = textAt(entry, 'Sts', 'Cd') ?? textAt(entry, 'Sts')
  if (status === undefined || status === '') faults.push({ line: entry.line, message: 'Ntry has no status (Sts)' })
  const parts = all(entry, 'NtryDtls').flatMap(details => all(details, 'TxDtls'))
  const only = parts.length === 1 ? parts[0] : undefined
  const isCredit = textAt(entry, 'CdtDbtInd') === 'CRDT'
  const id = textAt(entry, 'AcctSvcrRef') ?? (only && textAt(only, 'Refs', 'AcctSvcrRef'))
  const reference = only && textAt(only, 'Refs', 'EndToEndId')
  const payee = only && partyOf(only, isCredit ? 'Dbtr' : 'Cdtr')
  const kind = kindOf(entry)
  return {
    line: entry.line,
    currency: child(entry, 'Amt')?.attributes.Ccy ?? '',
    booked: status === 'BOOK',
    text: wordsOf(entry, parts),
    ...(amount && { amount }),
    ...(date !== undefined && { date }),
    ...(valueDate !== undefined && { valueDate }),
    ...(id && { id }),
    ...(reference && reference !== NOT_PROVIDED && { reference }),
    ...(payee && { payee }),
    ...(kind && { kind }),
    ...(parts.length > 1 && { parts: parts.length }),
  }
}

function amountOf(element: Element, faults: Fault[]): Exact | undefined {
  const amount = child(element, 'Amt')
  const mark = textAt(element, 'CdtDbtInd')
  const size = amount && /^\d/.test(amount.text) ? exactOf(amount.text) : undefined
  if (!size) {
    const what = amount ? `Amt "${amount.text.slice(0, 40)}" is no amount` : `${element.name} has no Amt`
    faults.push({ line: (amount ?? element).line, message: what })
  } else if (!amount!.attributes.Ccy) faults.push({ line: amount!.line, message: 'Amt names no currency (Ccy)' })
  if (mark !== 'CRDT' && mark !== 'DBIT') {
    faults.push({ line: element.line, message: `${element.name} is neither CRDT nor DBIT (CdtDbtInd)` })
    return undefined
  }
  return size && mark === 'DBIT' ? negative(size) : size
}

function dateAt(element: Element, name: string, faults: Fault[]): string | undefined {
  const at = child(element, name)
  const text = at && (textAt(at, 'Dt') ?? textAt(at, 'DtTm'))
  if (at === undefined || text === undefined) return undefined
  const date = isoDay(text)
  if (date === undefined)
    faults.push({ line: at.line, message: `${name} "${text.slice(0, 40)}" is no day of the calendar` })
  return date
}

function accountOf(element: Element): string | undefined {
  const id = child(child(element, 'Acct'), 'Id')
  return (
    textAt(id, 'IBAN') ??
    textAt(id, 'BBAN') ??
    textAt(id, 'UPIC') ??
    textAt(id, 'Othr', 'Id') ??
    textAt(id, 'PrtryAcct', 'Id')
  )
}

const partyOf = (details: Element, role: string): string | undefined =>
  textAt(details, 'RltdPties', role, 'Nm') ?? textAt(details, 'RltdPties', role, 'Pty', 'Nm')

const kindOf = (entry: Element): string | undefined => {
  const code = child(entry, 'BkTxCd')
  const domain = [
    textAt(code, 'Domn', 'Cd'),
    textAt(code, 'Domn', 'Fmly', 'Cd'),
    textAt(code, 'Domn', 'Fmly', 'SubFmlyCd'),
  ]
  return domain.every(part => part !== undefined) ? domain.join('-') : textAt(code, 'Prtry', 'Cd')
}

/** What the payer wrote, else what the bank adds. */
function wordsOf(entry: Element, parts: readonly Element[]): string {
  const written = parts.flatMap(part => {
    const info = child(part, 'RmtInf')
    const structured = all(info, 'Strd').flatMap(
      one => textAt(one, 'CdtrRefInf', 'Ref') ?? textAt(one, 'CdtrRefInf', 'CdtrRef') ?? [],
    )
    return [...all(info, 'Ustrd').map(({ text }) => text), ...structured]
  })
  const added = [...parts.flatMap(part => textAt(part, 'AddtlTxInf') ?? []), textAt(entry, 'AddtlNtryInf')]
  const words = written.length > 0 ? written : added
  return words.filter(Boolean).join(' ')
}

const all = (element: Element | undefined, name: string): readonly Element[] =>
  element?.children.filter(child => child.name === name) ?? []

const child = (element: Element | undefined, name: string): Element | undefined =>
  element?.children.find(one => one.name === name)

/** The text of the element at a path of names; `undefined` where there is none, or it is empty. */
function textAt(element: Element | undefined, ...path: readonly string[]): string | undefined {
  const text = path.reduce<Element | undefined>(child, element)?.text
  return text === '' ? undefined : text
}
