import { expect } from 'chai'
import fc from 'fast-check'
import { csvField, csvLines, csvValue } from '../../domain/record/csv.ts'

describe('csv', () => {
  it('reads what it wrote, whatever the fields hold', () => {
    const field = fc.oneof(fc.string(), fc.constantFrom('=1+1', '-5', 'a"b', 'a,b', 'a\r\nb', "'=x", "''=x", "'x", ''))
    const lines = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(lines, written => {
        const text = written.map(fields => `${fields.map(csvField).join(',')}\r\n`).join('')
        const read = csvLines(text).lines.map(({ fields }) => fields.map(csvValue))
        expect(read).to.deep.equal(written)
      }),
    )
  })
  it('takes line ends of every kind, and knows on which line each begins', () => {
    const { lines } = csvLines('\ufeffa,b\n1,2\r3,"x\r\ny\rz"\r\n\n5" pipe,\n')
    expect(lines).to.deep.equal([
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['1', '2'] },
      { line: 3, fields: ['3', 'x\r\ny\rz'] },
      { line: 7, fields: ['5" pipe', ''] },
    ])
  })
  it('passes over lines in front, and reads other delimiters', () =>
    expect(csvLines('It is "so\n\na;"b;""c"\n', { delimiter: ';', skip: 2 }).lines).to.deep.equal([
      { line: 3, fields: ['a', 'b;"c'] },
    ]))
  it('says where a text is no CSV, and reads what is before', () => {
    const lines = [{ line: 1, fields: ['a', 'b'] }]
    const [open, behind] = ['a quote is not closed', 'text follows a closing quote']
    expect(csvLines('a,b\nc,"d\n')).to.deep.equal({ lines, fault: { line: 2, message: open } })
    expect(csvLines('a,b\n"c\n"d,e\n')).to.deep.equal({ lines, fault: { line: 3, message: behind } })
  })
  it('reads a field of many megabytes as one', () => {
    const long = 'x,"\n'.repeat(4_000_000)
    const { lines } = csvLines(`a,${csvField(long)}\n`)
    expect(lines).to.have.length(1)
    expect(lines[0]!.fields[1] === long).to.equal(true)
  })
})
