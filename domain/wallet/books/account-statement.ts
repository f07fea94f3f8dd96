/** One account over one period, as banks write it: camt.053.001.04 and OFX 2.1.1. */
import { KogiError } from '../../kernel/errors.ts'
import { type Exact, negative, shortest, written } from '../statement/exact.ts'
import { oneLine } from './book.ts'

export type StatementLine = {
  readonly date: string
  readonly amount: Exact
  /** Id of the entry. */
  readonly entry: string
  readonly description: string
  /** Which of the postings of its entry to the account it is, from 1. */
  readonly nth: number
  readonly counterparty?: string
  readonly reference?: string
}

/** A statement without its lines: enough to write all that stands before and behind these. */
export type AccountStatement = {
  readonly wallet: string
  readonly account: string
  readonly currency: string
  readonly from: string
  readonly to: string
  readonly opening: Exact
  readonly closing: Exact
  /** How many lines it has. */
  readonly count: number
  /** An amount of a line that camt.053 cannot have, where there is one. */
  readonly unfit?: Exact
  /** The instant that the answer is of, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly madeAt: string
}

/** How a format writes a statement: what stands before all lines, each line, what stands behind them. */
export type StatementWriter = {
  readonly head: string
  readonly line: (line: StatementLine) => string
  readonly tail: string
}

/** What an amount of camt.053 may have: 18 digits, at most 5 of them decimal. */
export const CAMT_DIGITS_MAX = 18
export const CAMT_PLACES_MAX = 5

/** Formats of banks have currencies of three letters; camt has 18 digits, at most 5 of them decimal. */
function mustFit({ currency, opening, closing, unfit }: AccountStatement, format: string): void {
  if (!/^[A-Z]{3}$/.test(currency)) {
    throw new KogiError('export_impossible', `${format} has currencies of three capital letters, and no ${currency}.`)
  }
  if (format !== 'camt.053') return
  const wrong = [opening, ...(unfit ? [unfit] : []), closing].find(amount => !fitsCamt(amount))
  if (!wrong) return
  const most = `${CAMT_DIGITS_MAX} digits, ${CAMT_PLACES_MAX} of them decimal`
  throw new KogiError('export_impossible', `camt.053 has ${most}, and no ${written(wrong)}.`)
}

function fitsCamt(amount: Exact): boolean {
  const { digits, places } = shortest(amount)
  return places <= CAMT_PLACES_MAX && String(digits).replace('-', '').length <= CAMT_DIGITS_MAX
}

const TEXT_PART = 140

export function camtWriter(statement: AccountStatement): StatementWriter {
  mustFit(statement, 'camt.053')
  const { account, currency, from, to, opening, closing, madeAt, wallet } = statement
  const id = `${to.replaceAll('-', '')}-${hash(`${wallet} ${account} ${currency} ${from}`)}`
  const head = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.04">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>${id}</MsgId><CreDtTm>${madeAt}</CreDtTm></GrpHdr>
    <Stmt>
      <Id>${id}</Id>
      <CreDtTm>${madeAt}</CreDtTm>
      <FrToDt><FrDtTm>${from}T00:00:00</FrDtTm><ToDtTm>${to}T23:59:59</ToDtTm></FrToDt>
      <Acct><Id>${accountXml(account)}</Id><Ccy>${currency}</Ccy></Acct>
${balanceXml('OPBD', opening, currency, from)}${balanceXml('CLBD', closing, currency, to)}`
  const tail = `    </Stmt>
  </BkToCstmrStmt>
</Document>
`
  return { head, line: line => entryXml(line, currency), tail }
}

const accountXml = (account: string): string =>
  /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(account)
    ? `<IBAN>${account}</IBAN>`
    : `<Othr><Id>${xml(short(account, 34))}</Id></Othr>`

const amountXml = (amount: Exact, currency: string): string => {
  const size = amount.digits < 0n ? negative(amount) : amount
  const mark = amount.digits < 0n ? 'DBIT' : 'CRDT'
  return `<Amt Ccy="${currency}">${written(size)}</Amt><CdtDbtInd>${mark}</CdtDbtInd>`
}

function balanceXml(code: string, amount: Exact, currency: string, date: string): string {
  const kind = `<Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp>`
  return `      <Bal>${kind}${amountXml(amount, currency)}<Dt><Dt>${date}</Dt></Dt></Bal>\n`
}

function entryXml(line: StatementLine, currency: string): string {
  const { date, amount, entry, description, counterparty, reference } = line
  const words = [...oneLine(description)]
  const parts: string[] = []
  for (let from = 0; from < words.length; from += TEXT_PART) parts.push(words.slice(from, from + TEXT_PART).join(''))
  const party = counterparty && `<Nm>${xml([...oneLine(counterparty)].slice(0, 70).join(''))}</Nm>`
  const role = amount.digits < 0n ? 'Cdtr' : 'Dbtr'
  const refs = `<Refs><EndToEndId>${xml(short(reference ?? 'NOTPROVIDED', 35))}</EndToEndId></Refs>`
  const parties = party ? `<RltdPties><${role}>${party}</${role}></RltdPties>` : ''
  const info = parts.length > 0 ? `<RmtInf>${parts.map(part => `<Ustrd>${xml(part)}</Ustrd>`).join('')}</RmtInf>` : ''
  const money = amountXml(amount, currency)
  const day = `<Dt>${date}</Dt>`
  const id = `<AcctSvcrRef>${xml(short(entry.replaceAll('-', ''), 35))}</AcctSvcrRef>`
  const booked = `<Sts>BOOK</Sts><BookgDt>${day}</BookgDt><ValDt>${day}</ValDt>${id}`
  const kind = '<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd>'
  const details = `<NtryDtls><TxDtls>${refs}${money}${parties}${info}</TxDtls></NtryDtls>`
  return `      <Ntry>${money}${booked}${kind}${details}</Ntry>\n`
}

export function ofxWriter(statement: AccountStatement): StatementWriter {
  mustFit(statement, 'OFX')
  const { account, currency, from, to, closing, madeAt } = statement
  const day = (date: string) => date.replaceAll('-', '')
  const made = madeAt.slice(0, 19).replaceAll(/[-:T]/g, '')
  const status = '<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>'
  const head = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>
<OFX>
<SIGNONMSGSRSV1><SONRS>${status}<DTSERVER>${made}</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><TRNUID>0</TRNUID>${status}
<STMTRS><CURDEF>${currency}</CURDEF>
<BANKACCTFROM>
<BANKID>KOGI</BANKID><ACCTID>${xml(short(account, 22))}</ACCTID><ACCTTYPE>CHECKING</ACCTTYPE>
</BANKACCTFROM>
<BANKTRANLIST><DTSTART>${day(from)}</DTSTART><DTEND>${day(to)}</DTEND>
`
  const tail = `</BANKTRANLIST>
<LEDGERBAL><BALAMT>${written(closing)}</BALAMT><DTASOF>${day(to)}</DTASOF></LEDGERBAL>
</STMTRS></STMTTRNRS></BANKMSGSRSV1>
</OFX>
`
  return { head, line: line => `${transactionOf(line)}\n`, tail }
}

function transactionOf({ date, amount, entry, nth, description, counterparty, reference }: StatementLine): string {
  const fields = [
    ['TRNTYPE', amount.digits < 0n ? 'DEBIT' : 'CREDIT'],
    ['DTPOSTED', date.replaceAll('-', '')],
    ['TRNAMT', written(amount)],
    ['FITID', nth === 1 ? entry : `${entry}-${nth}`],
    ['REFNUM', short(reference ?? '', 32)],
    ['NAME', [...oneLine(counterparty ?? description)].slice(0, 32).join('')],
    ['MEMO', [...oneLine(description)].slice(0, 255).join('')],
  ]
  const text = fields.flatMap(([name, value]) => (value ? [`<${name}>${xml(value)}</${name}>`] : [])).join('')
  return `<STMTTRN>${text}</STMTTRN>`
}

/** A name that is too long keeps its beginning, and a hash tells it from others. */
function short(name: string, max: number): string {
  const line = oneLine(name)
  const letters = [...line]
  return letters.length <= max ? line : `${letters.slice(0, max - 9).join('')}-${hash(line)}`
}

/** FNV-1a, eight digits. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return (value >>> 0).toString(16).padStart(8, '0')
}

/** Text between tags. A quote stands for itself there, and readers of OFX as SGML know no name for it. */
const xml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
