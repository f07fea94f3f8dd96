import { expect } from 'chai'
import fc from 'fast-check'
import { csvField, csvLines, csvValue } from '../../domain/record/csv.ts'

describe('csv', () => {
  it('reads what it wrote, whatever the fields hold', () => {
    const field = fc.oneof(fc.string(), fc.constantFrom('=1+1', '-5', 'a"b', 'a,b', 'a\r\nb', "'=x", ''))
    const lines = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(lines, written => {
        const text = written.map(fields => `${fields.map(csvField).join(',')}\r\n`).join('')
        const read = csvLines(text)!.map(fields => fields.map(csvValue))
        const plain = (value: string) => (/^'[=+\-@\t\r]/.test(value) ? value.slice(1) : value)
        expect(read).to.deep.equal(written.map(fields => fields.map(plain)))
      }),
    )
  })
  it('takes line ends of every kind, and refuses a quoted field without an end', () => {
    expect(csvLines('\ufeffa,b\n1,2\r3,4\r\n\n')).to.deep.equal([
      ['a', 'b'],
      ['1', '2'],
      ['3', '4'],
    ])
    expect(csvLines('a,"b\n')).to.equal(undefined)
  })
})
