import { itemFiles } from '../../../projections/briefcase/item-files.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const content = (digit: string) => ({ type: 'text/plain', size: 3n, sha256: digit.repeat(64) })
const added = { type: 'FileAdded', data: { item: 'i', name: 'a.txt', ...content('a'), owner: 'mira' } }

describe('rows: item files', () => {
  const { given } = rowsFor(itemFiles)

  it('has the newest version of each file', () =>
    given(
      added,
      { type: 'FileVersionAdded', data: { version: 2, ...content('b') } },
      { type: 'FileChanged', data: { name: 'b.txt' } },
    ).then({ id: 'thing-1', item: 'i', name: 'b.txt', version: 2, sha256: 'b'.repeat(64), metadata: {} }))
  it('loses it with the file', () => given(added, { type: 'FileRemoved', data: {} }).then())
})
