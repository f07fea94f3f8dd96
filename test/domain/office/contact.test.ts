import { expect } from 'chai'
import fc from 'fast-check'
import { contact } from '../../../domain/office/contact/contact.ts'
import { duplicatesOf } from '../../../domain/office/contact/duplicates.ts'
import { cardsOf } from '../../../domain/office/contact/vcard.ts'
import { cardText, VERSIONS } from '../../../domain/office/contact/vcard-text.ts'
import { specFor } from '../../support/spec.ts'

const sealedAs = (digest: string) => ({
  key: '11111111-1111-4111-8111-111111111111',
  nonce: 'n'.repeat(16),
  text: 't'.repeat(30),
  digest: digest.repeat(43),
})
const plain = { book: 'clients', kind: 'individual', groups: [], name: sealedAs('a') }
const added = { type: 'ContactAdded', data: { ...plain, owner: 'user-1' } }

describe('contact', () => {
  const { given } = specFor(contact)

  it('is added, changed and removed', () => {
    given().when('add', plain).then(added)
    given(added)
      .when('change', { emails: sealedAs('b') })
      .then({ type: 'ContactChanged', data: { emails: sealedAs('b') } })
    given(added).when('remove', {}).then({ type: 'ContactRemoved', data: {} })
  })

  it('is read from cards with groups, labels, soft line breaks and other charsets', () => {
    const { cards, faults } = cardsOf(
      [
        'BEGIN:VCARD',
        'VERSION:2.1',
        'N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg',
        'FN;QUOTED-PRINTABLE:J=C3=B6rg=',
        '=20M=C3=BCller',
        'TEL;WORK;FAX;PREF:+49 30 1',
        'END:VCARD',
        'BEGIN:VCARD',
        'VERSION:3.0',
        'FN:Ada\\, Countess',
        'item1.EMAIL;type=INTERNET:ada@example.org',
        'item1.X-ABLabel:_$!<School>!$_',
        'CATEGORIES:engines,num',
        ' bers',
        'X-SPIN:left',
        'END:VCARD',
      ].join('\r\n'),
    )
    expect(faults).to.deep.equal([])
    expect(cards.map(({ fields }) => fields)).to.deep.equal([
      { name: 'Jörg Müller', family_name: 'Müller', given_name: 'Jörg', phones: 'work fax: +49 30 1' },
      { name: 'Ada, Countess', emails: 'school: ada@example.org', groups: ['engines', 'numbers'], more: 'X-SPIN:left' },
    ])
  })

  it('leaves out a card that cannot be read, and says on which line', () => {
    const { cards, faults } = cardsOf('BEGIN:VCARD\nFN:A\nbroken line\nEND:VCARD\nBEGIN:VCARD\nFN:B\nEND:VCARD\nX:1\n')
    expect(cards.map(({ fields }) => fields.name)).to.deep.equal(['B'])
    expect(faults.map(({ line }) => line)).to.deep.equal([3, 8])
    expect(cardsOf('').faults).to.have.length(1)
    expect(cardsOf('BEGIN:VCARD\nFN:A').faults[0]!.line).to.equal(1)
  })

  it('comes back from a card of any version', () => {
    const words = fc
      .string({ unit: 'binary-ascii', minLength: 1, maxLength: 60 })
      .map(text => `Ö${text.replaceAll(/[^ -~]/g, '').trim()}`)
    fc.assert(
      fc.property(words, words, fc.constantFrom(...VERSIONS), (name, remarks, version) => {
        const { cards, faults } = cardsOf(cardText({ id: 'x', name, remarks: `${remarks}\n;,\\ ${remarks}` }, version))
        expect(faults).to.deep.equal([])
        expect(cards[0]!.fields.name).to.equal(name)
        expect(cards[0]!.fields.remarks).to.equal(`${remarks}\n;,\\ ${remarks}`)
      }),
      { numRuns: 200 },
    )
  })

  it('never throws on a file, whatever is in it', () => {
    const piece = fc.constantFrom(
      'BEGIN:VCARD\n',
      'END:VCARD\n',
      'FN:x\n',
      ' y\n',
      'TEL;=:1\n',
      ';;"\n',
      'N;ENCODING=QUOTED-PRINTABLE:=\n',
      '=FF',
      '\\',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 20 }), parts => void cardsOf(parts.join(''))),
    )
  })

  it('is proposed as a duplicate for what it shares, with what both would be', () => {
    const rows = [
      { id: 'a', book: 'b', kind: 'individual', name: 'Ada Lovelace', emails: 'work: ADA@example.org', groups: ['x'] },
      {
        id: 'b',
        book: 'b',
        kind: 'individual',
        name: 'Lovelace, Ada',
        emails: 'ada@example.org\nada@home.example',
        phones: '+49 (30) 123456',
      },
      { id: 'c', book: 'b', kind: 'individual', name: 'Ben', phones: '030123456' },
      { id: 'd', book: 'b', kind: 'individual', name: 'Ben' },
    ]
    const found = duplicatesOf(rows, 10)
    expect(found.map(({ first, second, why }) => [first, second, ...why])).to.deep.equal([
      ['a', 'b', 'email ada@example.org', 'name ada lovelace'],
    ])
    expect(found[0]!.merged).to.deep.equal({
      book: 'b',
      kind: 'individual',
      name: 'Ada Lovelace',
      groups: ['x'],
      emails: 'work: ADA@example.org\nada@home.example',
      phones: '+49 (30) 123456',
    })
  })
})
