import { itemBooks } from '../../../projections/briefcase/item-books.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const edited = (version: number, more: object, at?: string) => ({
  type: 'BookEdited',
  data: { version, parts: [], moved: [], removed: [], ...more },
  ...(at !== undefined && { at }),
})

describe('rows: item books', () => {
  const { given } = rowsFor(itemBooks)
  const [first, then] = ['2026-03-01T00:00:01.000Z', '2026-03-01T00:00:02.000Z']

  it('has the newest version of a book: what it changed, who made it and when', () =>
    given(
      edited(1, { parts: [{ part: 'charter', kind: 'charter', content: 'x' }], comment: 'Begun' }, first),
      edited(2, { moved: [{ part: 'a', rank: '1' }], removed: ['charter'], restores: 1 }, then),
    ).then({
      id: 'thing-1',
      version: 2,
      changed: ['a'],
      removed: ['charter'],
      comment: undefined,
      restores: 1,
      created_at: first,
      updated_at: then,
    }))
})
