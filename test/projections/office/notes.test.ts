import { notes } from '../../../projections/office/notes.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const added = { type: 'NoteAdded', data: { title: 'Shopping', tags: ['home'], owner: 'user-1' } }
const later = '2026-02-01T08:00:00.000Z'

describe('rows: notes', () => {
  const { given } = rowsFor(notes)

  it('has a row for a note, with its owner and times', () =>
    given(added).then({
      id: 'thing-1',
      org: 'org-1',
      title: 'Shopping',
      body: undefined,
      tags: ['home'],
      project: undefined,
      owner: 'user-1',
      revision: 0n,
      created_at: CONTEXT.at,
      updated_at: CONTEXT.at,
    }))
  it('changes what is named, and takes away what is null', () =>
    given(
      added,
      { type: 'NoteChanged', data: { project: 'p' } },
      {
        type: 'NoteChanged',
        data: { title: 'List', project: null },
        at: later,
      },
    ).then({
      title: 'List',
      project: undefined,
      tags: ['home'],
      revision: 2n,
      created_at: CONTEXT.at,
      updated_at: later,
    }))
  it('loses the row with the note, and has it again when it is added again', async () => {
    const removed = { type: 'NoteRemoved', data: {} }
    await given(added, removed).then()
    await given(added, removed, { ...added, at: later }).then({ revision: 2n, created_at: later })
  })
})
