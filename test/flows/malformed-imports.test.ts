import { expect } from 'chai'
import { ACCOUNT, bankImports, csv, layout, mt940 } from '../support/imports.ts'

describe('bank statements that are not sound', function () {
  this.timeout(60_000)
  const bank = bankImports('malformed')
  const { send, imported, list } = bank

  const camt = (entries: string, before = '') => `<?xml version="1.0"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.04"><BkToCstmrStmt>
<GrpHdr><MsgId>1</MsgId><CreDtTm>2026-01-02T00:00:00</CreDtTm></GrpHdr>
<Stmt><Id>1</Id><CreDtTm>2026-01-02T00:00:00</CreDtTm><Acct><Id><IBAN>${ACCOUNT}</IBAN></Id><Ccy>EUR</Ccy></Acct>${before}
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-01-02</Dt></Dt></Bal>
${entries}</Stmt></BkToCstmrStmt></Document>`
  const ofx = (rows: string) => `OFXHEADER:100
<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR
<BANKACCTFROM><BANKID>1<ACCTID>77<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST>
${rows}
</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`
  const DIGITS_41 = '9'.repeat(41)
  const nested = (depth: number) => `${'<Nm>'.repeat(depth)}${'</Nm>'.repeat(depth)}`
  const trn = (amount: string) => `<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260102<TRNAMT>${amount}<FITID>1<NAME>A</STMTTRN>`

  for (const { what, format, file, code, says, more = {} } of [
    {
      what: 'MT940 with a line that is none',
      format: 'mt940',
      file: mt940('98,00', ':61:26013D5,00', ':61:260102D2,00NTRFNONREF'),
      code: 'statement_invalid',
      says: 'line 5: "26013D5,00" is no statement line',
    },
    {
      what: 'camt with an amount that is none',
      format: 'camt',
      file: camt('<Ntry><Amt Ccy="EUR">1,00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Ntry>'),
      code: 'statement_invalid',
      says: "line 7: Element 'Amt': '1,00' is not a valid value",
    },
    {
      what: 'camt whose elements stand in one another deeper than any message needs',
      format: 'camt',
      file: camt('', nested(120)),
      code: 'statement_invalid',
      says: 'line 4: elements stand in one another more than 100 deep, which no bank message needs',
      more: { any_schema: true },
    },
    {
      what: 'camt that is cut off',
      format: 'camt',
      file: camt('').slice(0, -60),
      code: 'statement_invalid',
      says: 'line 6: ',
    },
    {
      what: 'OFX with an amount that is none',
      format: 'ofx',
      file: ofx(`${trn('-1.00')}\n${trn('one')}`),
      code: 'statement_invalid',
      says: 'line 6: ',
    },
    {
      what: 'CSV with a day that is none',
      format: 'csv',
      file: csv('2026-01-02;-3.50;Coffee;', '2026-02-30;1.00;Tea;'),
      code: 'statement_invalid',
      says: 'line 3: "2026-02-30" in date is no day as YYYY-MM-DD',
    },
    {
      what: 'CSV with an amount of 41 digits',
      format: 'csv',
      file: csv('2026-01-02;-3.50;Coffee;', `2026-01-02;${DIGITS_41};Tea;`),
      code: 'import_invalid',
      says: `line 3: ${DIGITS_41} EUR has more than 38 digits, decimal places included`,
    },
    {
      what: 'OFX with an amount of 41 digits',
      format: 'ofx',
      file: ofx(`${trn('-1.00')}\n${trn(`-${DIGITS_41}`)}`),
      code: 'import_invalid',
      says: `line 6: -${DIGITS_41} EUR has more than 38 digits, decimal places included`,
    },
    {
      what: 'camt with an amount of 41 digits',
      format: 'camt',
      file: camt(`<Ntry><Amt Ccy="EUR">${DIGITS_41}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Ntry>`),
      code: 'statement_invalid',
      says: `line 7: Element 'Amt': [facet 'totalDigits'] The value '${DIGITS_41}'`,
    },
    {
      what: 'CSV with a currency that neither ISO 4217 nor the wallet has',
      format: 'csv',
      file: 'day;amount;unit\n2026-01-02;-3.50;EUR\n2026-01-02;1;EURO\n',
      code: 'import_invalid',
      says:
        'line 3: "EURO" is no currency of ISO 4217, and the wallet has none of that name. ' +
        'Say in the rules what it is: "currencies"',
      more: { rules: { csv: { ...layout, columns: { date: 'day', amount: 'amount', currency: 'unit' } } } },
    },
  ]) {
    it(`write nothing of a malformed file: ${what}`, async () => {
      const { status, body } = await send(file, { format, ...more })
      expect([status, body.error.code], JSON.stringify(body)).to.deep.equal([422, code])
      expect(body.error.message)
        .to.include(says)
        .and.to.match(/Nothing was written\.$/)
      expect(body.error.details[0].field).to.equal(says.slice(0, 'line 3'.length))
      const { headers } = await bank.client.call('GET', `/api/v1/kwlt/wallets/${bank.wallet}`, {
        headers: { 'kogi-min-position': bank.opened },
      })
      expect(headers.etag, 'the wallet is at the revision at which it was opened').to.equal('"0"')
      expect(await list(`imports?wallet=${bank.wallet}`)).to.deep.equal([])
      expect(await list(`wallets/${bank.wallet}/accounts`)).to.deep.equal([])
    })
  }

  it('read a currency of the bank by the name that the rules give it', async () => {
    const rules = {
      csv: { ...layout, columns: { date: 'day', amount: 'amount', currency: 'unit' } },
      currencies: [{ bank: 'EURO', currency: 'EUR' }],
    }
    const { position } = await imported('day;amount;unit\n2026-01-02;1;EURO\n', { rules })
    const [account] = await list(`wallets/${bank.wallet}/accounts`, position)
    expect(account).to.include({ account: 'assets:bank', currency: 'EUR', balance: '100' })
  })

  it('need no more digits of an entry than an amount has: one of 41 is refused in words', async () => {
    const body = { account: 'main', currency: 'EUR', amount: DIGITS_41 }
    const answer = await bank.client.call('POST', `/api/v1/kwlt/wallets/${bank.wallet}/credits`, { body })
    expect([answer.status, answer.body.error.code]).to.deep.equal([400, 'invalid_body'])
    expect(answer.body.error.details[0].field).to.equal('amount')
    expect(answer.body.error.details[0].message).to.match(/38 digits/)
  })
})
