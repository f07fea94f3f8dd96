import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'chai'
import { cardsOf } from '../../domain/office/contact/vcard.ts'
import { cardText, VERSIONS } from '../../domain/office/contact/vcard-text.ts'
import { checksum, dataSet } from './data-sets.ts'

const count = (text: unknown) => (typeof text === 'string' ? text.split('\n').length : 0)

describe('contacts: vCards of real programs', function () {
  const set = dataSet(this, 'contacts', 'files')
  const files = () => readdirSync(set.file('files')).toSorted()
  const read = (file: string) => cardsOf(readFileSync(path.join(set.file('files'), file), 'utf8'))

  it('become contacts with all e-mail addresses and telephone numbers', () => {
    const lines = files().flatMap(file =>
      read(file).cards.map(
        ({ fields }, n) => `${file}#${n + 1},${count(fields.emails) * 1_000 + count(fields.phones)}`,
      ),
    )
    expect(lines).to.have.length(set.oracle.cards)
    expect(checksum(lines)).to.equal(set.oracle.sha256_counts)
  })

  it('come back the same from each version that they are written in', () => {
    for (const file of files()) {
      for (const { fields } of read(file).cards) {
        for (const version of VERSIONS) {
          const { cards, faults } = cardsOf(cardText({ ...fields, id: 'x' } as never, version))
          expect(faults, `${file} ${version}`).to.deep.equal([])
          const { more: _, uid: __, ...again } = cards[0]!.fields
          const { more: ___, uid: ____, ...before } = fields
          expect(again, `${file} ${version}`).to.deep.include(
            Object.fromEntries(Object.entries(before).filter(([name]) => !(version !== '4.0' && name === 'kind'))),
          )
        }
      }
    }
  })
})
