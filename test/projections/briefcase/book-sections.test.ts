import { bookSections } from '../../../projections/briefcase/book-sections.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const edited = (version: number, more: object) => ({
  type: 'BookEdited',
  data: { version, parts: [], moved: [], removed: [], ...more },
})
const section = (part: string, rank: string, content: string) => ({ part, kind: 'section', rank, content })

describe('rows: book sections', () => {
  const { given } = rowsFor(bookSections)

  it('has a row for each part, with the version that wrote it or moved it', () =>
    given(
      edited(1, { parts: [section('a', '1', 'A'), section('b', '2', 'B')] }),
      edited(2, { parts: [section('b', '2', 'B2')], moved: [{ part: 'a', rank: '3' }] }),
    ).then(
      { book: 'thing-1', part: 'a', content: 'A', rank: '3', version: 2, revision: 1n },
      { part: 'b', content: 'B2', rank: '2', version: 2 },
    ))
  it('loses a part that is removed', () =>
    given(edited(1, { parts: [section('a', '1', 'A')] }), edited(2, { removed: ['a'] })).then())
  it('has what an early edit that wrote a part twice said last', () =>
    given(edited(1, { parts: [section('a', '1', 'A'), section('a', '2', 'B')] })).then({
      part: 'a',
      content: 'B',
      rank: '2',
    }))
  it('is impossible where a part moves that is not there', () =>
    given(edited(1, { moved: [{ part: 'a', rank: '3' }] })).isImpossible())
})
