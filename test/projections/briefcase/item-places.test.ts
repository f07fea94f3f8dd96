import { itemPlaces } from '../../../projections/briefcase/item-places.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const placed = (item: string, parent: string | null, from: string | null = null) => ({
  type: 'ItemPlaced',
  data: { item, from, parent },
  id: 'portfolio',
})

describe('rows: item places', () => {
  const { given } = rowsFor(itemPlaces)

  it('has a row for each item that stands below another', () =>
    given(placed('a', 'b'), placed('c', 'b'), placed('a', 'c', 'b')).then(
      { id: 'a', parent: 'c', revision: 2n },
      { id: 'c', parent: 'b', revision: 1n },
    ))
  it('has none for an item at the top', () => given(placed('a', 'b'), placed('a', null, 'b')).then())
})
