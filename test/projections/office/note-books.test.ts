import { noteBooks } from '../../../projections/office/note-books.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const plain = { name: 'Rules', kind: 'memos' }
const added = { type: 'NoteBookAdded', data: { ...plain, owner: 'user-1' } }
const changed = { type: 'NoteBookChanged', data: { kind: 'guidelines' } }

describe('rows: note books', () => {
  const { given } = rowsFor(noteBooks)

  it('are the fields of each, until it is removed', async () => {
    await given(added).then({ id: 'thing-1', ...plain, owner: 'user-1' })
    await given(added, changed).then({ ...plain, ...changed.data })
    await given(added, { type: 'NoteBookRemoved', data: {} }).then()
  })
})
