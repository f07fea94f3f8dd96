import { expect } from 'chai'
import { mustBeSound, readStatementFile } from '../../../commands/imports/read.ts'
import { exactOf, written } from '../../../domain/wallet/statement/exact.ts'
import { gapOf, proofText, type StatementFormat } from '../../../domain/wallet/statement/file.ts'
import { matches, NO_RULES, type Rules, ruleFor, rulesSchema } from '../../../domain/wallet/statement/rules.ts'
import { readXml } from '../../../infra/xml/read.ts'

const read = (text: string | Buffer, format: StatementFormat, rules: Rules = NO_RULES, anySchema = false) =>
  readStatementFile(Buffer.from(text as string), format, { rules, anySchema }, readXml)
/** Each row as `day amount`. */
const rowsOf = async (...args: Parameters<typeof read>) => {
  const file = await read(...args)
  expect(file.faults).to.deep.equal([])
  return file.statements.flatMap(({ rows }) => rows.map(({ date, amount }) => `${date} ${written(amount!)}`))
}
const faultsOf = async (...args: Parameters<typeof read>) =>
  (await read(...args)).faults.map(({ line, message }) => `${line}: ${message}`)

const mt940 = (...lines: string[]) =>
  [':20:STARTUMS', ':25:10020030/1234567', ':28C:5/1', ':60F:C251231EUR100,00', ...lines].join('\r\n')

describe('bank statements: MT940', () => {
  it('give an entry date the year that is nearest to the value date', async () => {
    const text = mt940(':61:2601011231D10,00NTRFNONREF', ':61:2512310102C5,NTRFNONREF', ':62F:C260102EUR95,00', '-')
    expect(await rowsOf(text, 'mt940')).to.deep.equal(['2025-12-31 -10.00', '2026-01-02 5'])
  })

  it('take a reversed credit as minus and a reversed debit as plus', async () => {
    const text = mt940(':61:260102RC10,00NTRFNONREF', ':61:260102RD4,50NTRFNONREF', ':62F:C260102EUR94,50')
    const { statements, faults } = await read(text, 'mt940')
    expect(faults).to.deep.equal([])
    expect(statements[0]!.rows.map(({ amount }) => written(amount!))).to.deep.equal(['-10.00', '4.50'])
    expect(proofText(statements[0]!)).to.equal('100.00 + -5.50 = closing 94.50 EUR')
  })

  it('show a gap and correct nothing', async () => {
    const { statements } = await read(mt940(':61:260102C1,00NTRFNONREF', ':62F:C260102EUR200,00'), 'mt940')
    expect(written(gapOf(statements[0]!)!)).to.equal('99')
    expect(proofText(statements[0]!)).to.equal('100.00 + 1.00 is not closing 200.00 EUR: it lacks 99')
  })

  it('read the subfields of German banks, and a colon in a text as text', async () => {
    const text = mt940(
      ':61:2601020102D12,50NDDTNONREF//BANK1',
      ':86:105?00LASTSCHRIFT?20EREF+R-7?21SVWZ+Invoice of 17',
      ':30 o clock?32ACME?33 GmbH',
      ':62F:C260102EUR87,50',
    )
    const [row] = (await read(text, 'mt940')).statements[0]!.rows
    expect(row).to.include({ payee: 'ACME GmbH', reference: 'R-7', id: 'BANK1', kind: 'NDDT' })
    expect(row!.text).to.equal('LASTSCHRIFT Invoice of 17:30 o clock')
  })

  it('leave what an interim report (MT942) has pending', async () => {
    const text = [':20:I', ':25:1', ':28C:1', ':34F:EURD0,', ':13D:2601021200+0100', ':61:260102D1,00NTRFNONREF'].join(
      '\n',
    )
    const { statements, faults } = await read(text, 'mt940')
    expect(faults).to.deep.equal([])
    expect(statements[0]!.rows.map(({ booked, currency }) => [booked, currency])).to.deep.equal([[false, 'EUR']])
  })

  it('name the line of each fault', async () => {
    const text = mt940(':61:26013D5,00', ':61:261301D5,00NTRFNONREF', ':62F:EUR95,00', ':20:2')
    expect(await faultsOf(text, 'mt940')).to.deep.equal([
      '5: "26013D5,00" is no statement line, such as 2601310131D12,50NTRFNONREF',
      '6: "261301" is no day of the calendar (YYMMDD)',
      '7: "EUR95,00" is no balance, such as C260131EUR1234,50',
      '1: the statement has no closing balance (:62F: or :62M:) that can be read',
      '8: the statement names no account (:25:)',
      '8: the statement has no opening balance (:60F: or :60M:) that can be read',
      '8: the statement has no closing balance (:62F: or :62M:) that can be read',
    ])
    expect(await faultsOf('nothing', 'mt940')).to.deep.equal(['1: there is no statement (:20:) in the file'])
  })

  it('are Windows-1252 where they are not UTF-8', async () => {
    const lines = mt940(':61:260102D1,00NTRFNONREF', ':86:Gebühr', ':62F:C260102EUR99,00')
    const { statements, notes } = await read(Buffer.from(lines, 'latin1'), 'mt940')
    expect(statements[0]!.rows[0]!.text).to.equal('Gebühr')
    expect(notes).to.have.length(1)
  })
})

const entry = (amount: string, mark: string, more = '') => `
      <Ntry><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${mark}</CdtDbtInd>${more}<Sts>BOOK</Sts>
        <BookgDt><Dt>2026-01-02</Dt></BookgDt><BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd></Ntry>`
const balance = (code: string, amount: string) => `
      <Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">${amount}</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-01-02</Dt></Dt></Bal>`
const camt = (entries: string, version = '02') => `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}">
  <BkToCstmrStmt><GrpHdr><MsgId>1</MsgId><CreDtTm>2026-01-03T00:00:00</CreDtTm></GrpHdr>
    <Stmt><Id>0007</Id><CreDtTm>2026-01-03T00:00:00</CreDtTm>
      <Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>${balance('OPBD', '10.00')}${balance('CLBD', '7.50')}
${entries}
    </Stmt></BkToCstmrStmt></Document>`

describe('bank statements: camt', () => {
  it('take the sign from CdtDbtInd alone, whatever RvslInd says', async () => {
    const text = camt(
      entry('3.00', 'DBIT', '<RvslInd>true</RvslInd>') + entry('0.50', 'CRDT', '<RvslInd>true</RvslInd>'),
    )
    expect(await rowsOf(text, 'camt')).to.deep.equal(['2026-01-02 -3.00', '2026-01-02 0.50'])
    expect(proofText((await read(text, 'camt')).statements[0]!)).to.equal('10.00 + -2.50 = closing 7.50 EUR')
  })

  it('keep numbers and ids as they are written', async () => {
    const [statement] = (await read(camt(entry('1.10', 'CRDT', '')), 'camt')).statements
    expect(statement).to.include({ number: '0007', account: 'DE89370400440532013000' })
  })

  it('leave what is pending', async () => {
    const text = camt(entry('1.00', 'CRDT').replace('BOOK', 'PDNG'))
    expect((await read(text, 'camt')).statements[0]!.rows.map(({ booked }) => booked)).to.deep.equal([false])
  })

  it('must be valid by their schema, unless that is waived', async () => {
    const text = camt(entry('1.00', 'CRDT').replace('<BkTxCd>', '<Tax>1</Tax><BkTxCd>'))
    const [fault] = await faultsOf(text, 'camt')
    expect(fault).to.match(/^12: Element 'Tax': This element is not expected/)
    const waived = await read(text, 'camt', NO_RULES, true)
    expect([waived.faults.length, waived.notes.length]).to.deep.equal([0, 1])
  })

  it('are read without a schema where there is none of their version, and say so', async () => {
    const text = camt(entry('1.00', 'CRDT'), '99')
    expect((await faultsOf(text, 'camt'))[0]).to.match(/there is no schema of camt.053.001.99/)
    expect(await rowsOf(text, 'camt', NO_RULES, true)).to.deep.equal(['2026-01-02 1.00'])
  })

  it('are refused where they are no such XML, with the line', async () => {
    expect((await faultsOf(camt('').slice(0, 300), 'camt'))[0]).to.match(/^5: /)
    expect(await faultsOf('<a/>', 'camt')).to.deep.equal([
      '1: the namespace "" is none of camt.052, camt.053 and camt.054',
    ])
    expect(await faultsOf('<!DOCTYPE Document><Document/>', 'camt')).to.deep.equal(['1: a bank message has no DOCTYPE'])
    expect((await faultsOf(camt(entry('1,00', 'CRDT')), 'camt', NO_RULES, true))[0]).to.equal(
      '11: Amt "1,00" is no amount',
    )
  })
})

const ofx = (rows: string, more = '') => `OFXHEADER:100
DATA:OFXSGML
<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>
<CURDEF>EUR
<BANKACCTFROM><BANKID>1<ACCTID>77<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST>
${rows}
</BANKTRANLIST>
<LEDGERBAL><BALAMT>7,50<DTASOF>20260103</LEDGERBAL>${more}
</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`
const trn = (amount: string, id: string, day = '20260102120000.000[-5:EST]') =>
  `<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>${day}<TRNAMT>${amount}<FITID>${id}<NAME>A &amp; B</STMTTRN>`

describe('bank statements: OFX', () => {
  it('are read without ends of simple elements, with comma or point', async () => {
    expect(await rowsOf(ofx(`${trn('-2,50', '1')}\n${trn('+0.0000000000000001', '2')}`), 'ofx')).to.deep.equal([
      '2026-01-02 -2.50',
      '2026-01-02 0.0000000000000001',
    ])
    const [row] = (await read(ofx(trn('1', '1')), 'ofx')).statements[0]!.rows
    expect(row).to.include({ payee: 'A & B', id: '1', kind: 'DEBIT' })
  })

  it('name the line of each fault', async () => {
    const text = ofx(['<STMTTRN><TRNTYPE>X', '<TRNAMT>1 000</STMTTRN>', trn('1', '2', '20260231')].join('\n'))
    expect(await faultsOf(text, 'ofx')).to.deep.equal([
      '7: TRNAMT "1 000" is no amount',
      '7: STMTTRN has no DTPOSTED',
      '7: STMTTRN has no FITID',
      '9: DTPOSTED "20260231" is no day of the calendar',
    ])
  })

  it('are refused where they are cut off or hold no statement', async () => {
    expect(await faultsOf(ofx(trn('1', '1')).split('<LEDGERBAL>')[0]!, 'ofx')).to.deep.equal([
      '3: <OFX> has no end: the file is cut off',
    ])
    const error = '<OFX><STATUS><CODE>15500<SEVERITY>ERROR<MESSAGE>Sign in</STATUS></OFX>'
    expect(await faultsOf(error, 'ofx')).to.deep.equal([
      '1: there is no statement in the file; the bank answers: 15500 Sign in',
    ])
    expect(await faultsOf('day;amount', 'ofx')).to.deep.equal(['1: there is no <OFX> in the file'])
  })
})

const layout = (csv: object) => rulesSchema.parse({ csv: { decimal_mark: ',', date_format: 'DD.MM.YYYY', ...csv } })
const simple = layout({
  delimiter: ';',
  group_mark: '.',
  currency: 'EUR',
  account: '77',
  columns: { date: 'day', amount: 'amount', balance: 'left', text: ['says'] },
})

describe('bank statements: CSV', () => {
  it('are read as their layout says', async () => {
    const text = 'day;says;amount;left\n31.1.2026;"a; ""b""\nc";-1.234,50;100,00\n01.02.2026;d;2,00;102,00\n'
    expect(await rowsOf(text, 'csv', simple)).to.deep.equal(['2026-01-31 -1234.50', '2026-02-01 2.00'])
    const [statement] = (await read(text, 'csv', simple)).statements
    expect(statement!.rows.map(({ line, text }) => [line, text])).to.deep.equal([
      [2, 'a; "b"\nc'],
      [4, 'd'],
    ])
    expect(proofText(statement!)).to.equal('1334.50 + -1232.50 = closing 102.00 EUR')
  })

  it('have two marks that differ: one mark for both would be a guess', () => {
    expect(() => layout({ group_mark: ',', columns: { date: 'day' } })).to.throw('must be another mark than')
  })

  it('may list the newest row first, and show where balances break', async () => {
    const newest = 'day;says;amount;left\n02.01.2026;b;2,00;3,00\n01.01.2026;a;1,00;1,00\n'
    expect(proofText((await read(newest, 'csv', simple)).statements[0]!)).to.equal('0.00 + 3.00 = closing 3.00 EUR')
    const broken = 'day;says;amount;left\n01.01.2026;a;1,00;1,00\n02.01.2026;b;2,00;4,00\n'
    const { notes, statements } = await read(broken, 'csv', simple)
    expect(notes).to.deep.equal([{ line: 3, message: 'the balance 1.00 and 2.00 are not 4.00' }])
    expect(written(gapOf(statements[0]!)!)).to.equal('1')
  })

  it('take signs from words, and cents as they are', async () => {
    const rules = layout({
      places: 2,
      date_format: 'YYMMDD',
      minus: ['out'],
      currency: 'CZK',
      columns: { date: '#1', amount: '#2', sign: '#3', account: '#4' },
      headings: false,
    })
    expect(await rowsOf('260131,700,out,1\n260201,5,in,2', 'csv', rules)).to.deep.equal([
      '2026-01-31 -7.00',
      '2026-02-01 0.05',
    ])
    expect((await read('260131,700,out,1\n260201,5,in,2', 'csv', rules)).statements).to.have.length(2)
  })

  it('name the line of each fault, and guess nothing', async () => {
    const text = 'day;says;amount;left\n2026-01-31;a;1;1\n31.02.2026;b;1,00;2\n01.02.2026;c;1.00;3\n01.02.2026;d\n'
    expect(await faultsOf(text, 'csv', simple)).to.deep.equal([
      '2: "2026-01-31" in date is no day as DD.MM.YYYY',
      '3: "31.02.2026" in date is no day as DD.MM.YYYY',
      '4: "1.00" in amount is no amount',
      '4: has no amount',
      '5: has 2 fields, and the first line 4',
    ])
    expect(await faultsOf('a;b\n"x', 'csv', simple)).to.deep.include('2: a quote is not closed')
  })
})

describe('rules of bank statements', () => {
  it('are patterns of text, whatever its case, in which * is any text', () => {
    expect(matches('rewe', 'Card REWE Markt 12')).to.equal(true)
    expect(matches('card*markt', 'Card REWE Markt 12')).to.equal(true)
    expect(matches('markt*card', 'Card REWE Markt 12')).to.equal(false)
  })

  it('take the first that holds', () => {
    const rules = rulesSchema.parse({
      rules: [
        { when: { payee: 'rewe', direction: 'out', min: '100' }, account: 'expenses:parties' },
        { when: { payee: 'rewe' }, account: 'expenses:food' },
      ],
    })
    const row = (amount: string) => ({ account: '77', payee: 'REWE', text: '', amount: exactOf(amount)! })
    expect(ruleFor(rules, row('-100.00'))!.number).to.equal(1)
    expect(ruleFor(rules, row('-99.99'))!.number).to.equal(2)
    expect(ruleFor(rules, { ...row('1'), payee: 'Aldi' })).to.equal(undefined)
  })
})

describe('a bank statement that is not sound', () => {
  it('is refused with every fault, by line', async () => {
    const file = await read(mt940(':61:26013D5,00', ':62F:EUR95,00'), 'mt940')
    expect(() => mustBeSound(file, 'x.sta'))
      .to.throw(/x.sta is not sound: 3 faults. line 1: .* Nothing was written./)
      .with.nested.property('details[0].field', 'line 1')
  })
})
