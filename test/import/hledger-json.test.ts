/** What `hledger print -x -O json` writes, as each version does. */
import { expect } from 'chai'
import { KogiError } from '../../domain/kernel/errors.ts'
import { parseHledgerJson } from '../../scripts/journal/hledger-json.ts'
import { readJournal } from '../../scripts/journal/read.ts'
import { journalFolder, refusalOf } from './support.ts'

describe("import: hledger's JSON", () => {
  const folder = journalFolder()
  const amount = (mantissa: string) =>
    `{"acommodity":"X","aprice":null,"aquantity":{"decimalMantissa":${mantissa},"decimalPlaces":0,"floatingPoint":0},"astyle":{"asprecision":0}}`
  const text = (mantissa: string, description = 'x') =>
    `[{"tdate":"2026-01-01","tcode":"","tdescription":${JSON.stringify(description)},` +
    `"tsourcepos":[{"sourceName":"j","sourceLine":7,"sourceColumn":1}],` +
    `"tpostings":[{"paccount":"a","ptype":"RegularPosting","pamount":[${amount(mantissa)}]}]}]`
  const digits = (mantissa: string) => parseHledgerJson(text(mantissa), 'j.json')[0]!.postings[0]!.amounts[0]!.digits

  it('reads numbers of any size, as hledger writes them', () => {
    expect(digits('-12345678901234567890123')).to.equal(-12345678901234567890123n)
    expect(digits('1.5e3')).to.equal(1500n)
    expect(digits('-1.234567890123456789012345678901234567890123455e45')).to.equal(
      -1234567890123456789012345678901234567890123455n,
    )
  })
  it('reads the JSON of every version: fields have other names and forms since', () => {
    const posting = (name: string, mantissa: number, more: object) => ({
      paccount: name,
      pamount: [
        {
          acommodity: 'FUND',
          aquantity: { decimalMantissa: mantissa, decimalPlaces: 2, floatingPoint: mantissa / 100 },
          ...more,
        },
      ],
      poriginal: null,
    })
    const price = { acommodity: 'EUR', aquantity: { decimalMantissa: 31, decimalPlaces: 1, floatingPoint: 3.1 } }
    const of = (first: object, second: object, third: object) => {
      const transaction = {
        tdate: '2026-01-01',
        tcode: '',
        tdescription: 'x',
        tsourcepos: [{ sourceName: 'j', sourceLine: 7, sourceColumn: 1 }],
        tpostings: [first, second, third],
      }
      return parseHledgerJson(JSON.stringify([transaction]), 'j.json')[0]!
    }
    const old = { aprice: null, astyle: { asprecision: { tag: 'Precision', contents: 2 }, asdecimalpoint: '.' } }
    const now = {
      acost: null,
      acostbasis: null,
      astyle: { asprecision: 2, asdecimalmark: '.', asrounding: 'NoRounding' },
    }
    const natural = { acost: null, astyle: { asprecision: null, asdecimalmark: null, asdigitgroups: null } }
    const day = { pdate: '2026-01-03', pdate2: null, pbalanceassertion: null }
    const transactions = [
      of(
        { ...posting('a', 100, { ...old, aprice: { tag: 'UnitPrice', contents: price } }), ptype: 'RegularPosting' },
        { ...posting('b', 200, old), ptype: 'VirtualPosting', ...day },
        { ...posting('c', -300, old), ptype: 'BalancedVirtualPosting' },
      ),
      of(
        { ...posting('a', 100, { ...now, acost: { tag: 'UnitCost', contents: price } }), preal: 'RealPosting' },
        { ...posting('b', 200, now), preal: 'VirtualPosting', ...day },
        { ...posting('c', -300, natural), preal: 'BalancedVirtualPosting' },
      ),
    ]
    expect(transactions[1]).to.deep.equal(transactions[0])
    expect(transactions[0]!.postings.map(({ kind, date }) => [kind, date])).to.deep.equal([
      ['real', undefined],
      ['virtual', '2026-01-03'],
      ['balanced_virtual', undefined],
    ])
    expect(transactions[0]!.postings[0]!.amounts[0]).to.deep.include({
      priced: true,
      cost: { commodity: 'EUR', digits: 3100n, places: 3 },
    })
  })
  it('refuses digits that the JSON leaves out, unless the rest of the transaction tells them', () => {
    const long = (mantissa: string, places: number, price = 'null') =>
      amount(mantissa).replace('"decimalPlaces":0', `"decimalPlaces":${places}`).replace('null', price)
    const of = (...amounts: string[]) =>
      text('1').replace(/"tpostings":.*/, () => {
        const postings = amounts.map(one => `{"paccount":"a","ptype":"RegularPosting","pamount":[${one}]}`)
        return `"tpostings":[${postings.join()}]}]`
      })
    const price = `{"tag":"UnitPrice","contents":${long('12345678', 7).replace('"X"', '"Y"')}}`
    const product = parseHledgerJson(
      of(long('11111111', 7, price), long('-13717420', 7).replace('"X"', '"Y"')),
      'j.json',
    )
    expect(product[0]!.postings[1]!.amounts[0]).to.include({ digits: -13717420n, places: 7 })
    const cut = long('-13717419863', 10).replace('"X"', '"Y"')
    const whole = parseHledgerJson(of(long('11111111', 7, price), cut), 'j.json')[0]!.postings[1]!.amounts[0]!
    expect(whole).to.include({ digits: -137174198628258n, places: 14 })
    expect(refusalOf(() => parseHledgerJson(of(long('11111111111', 10, price), cut), 'j.json'))).to.deep.equal({
      code: 'amount_loses_digits',
      file: 'j',
      line: 7,
    })
  })
  it('tells of a decimal comma before three digits', async () => {
    const comma = text('1500')
      .replace('"decimalPlaces":0', '"decimalPlaces":3')
      .replace('0}}', '3,"asdecimalpoint":","}}')
    const { warnings } = await readJournal(await folder.write('comma.json', comma))
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.match(/^j:7: "1,500 X" is taken as 1\.500, as hledger reads it; .* as 1500\./)
  })
  it('is not misled by texts that look like numbers of money', () => {
    const description = 'a \\"decimalMantissa": 5, "decimalMantissa":6'
    expect(parseHledgerJson(text('1', description), 'j.json')[0]!.description).to.equal(description)
  })
  it('refuses a file that is something else', () => {
    for (const other of ['', '{}', 'null', '[{}]', text('1.5'), text('0.5e0'), '[', '<html>']) {
      const run = () => parseHledgerJson(other, 'j.json')
      expect(() => run(), other)
        .to.throw(KogiError)
        .with.property('code', 'journal_invalid')
    }
    expect(refusalOf(() => parseHledgerJson('{}', 'j.json'))).to.deep.equal({
      code: 'journal_invalid',
      file: 'j.json',
      line: undefined,
    })
  })
})
