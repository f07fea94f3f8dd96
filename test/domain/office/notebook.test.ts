import { noteBook } from '../../../domain/office/notebook/notebook.ts'
import { specFor } from '../../support/spec.ts'

const added = { type: 'NoteBookAdded', data: { name: 'Rules', kind: 'guidelines', owner: 'user-1' } }

describe('note book', () => {
  const { given } = specFor(noteBook)

  it('is added, changed and removed', () => {
    given().when('add', { name: 'Rules', kind: 'guidelines' }).then(added)
    given(added)
      .when('change', { kind: null })
      .then({ type: 'NoteBookChanged', data: { kind: 'memos' } })
    given(added).when('remove', {}).then({ type: 'NoteBookRemoved', data: {} })
  })
})
