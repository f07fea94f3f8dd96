import { memories } from '../../../infra/catalogue.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { book } from '../wallet/book.ts'

const itemAdded = {
  type: 'ItemAdded',
  data: {
    type: 'asset',
    status: 'draft',
    name: 'Map',
    description: 'Of a harbour',
    metadata: { by: 'Jo', seen: [{ in: 'Brest' }] },
    owner: 'mira',
  },
}
const noteAdded = {
  type: 'NoteAdded',
  id: 'note-1',
  data: { title: 'Shopping', tags: ['home', 'weekly'], owner: 'user-1' },
}

describe('rows: memories', () => {
  const { given } = rowsFor(memories)

  it('remembers an item with the words of its metadata', () =>
    given(itemAdded).then({
      kind: 'item',
      subject: 'thing-1',
      source: 'thing-1',
      title: 'Map',
      body: 'Of a harbour',
      details: 'Jo\nBrest',
    }))
  it('follows the changes of an item, and keeps what a change does not name', () =>
    given(itemAdded, { type: 'ItemUpdated', data: { name: 'Chart', metadata: {} } }).then({
      title: 'Chart',
      body: 'Of a harbour',
      details: undefined,
    }))
  it('remembers a task', () =>
    given({ type: 'TaskCreated', data: { name: 'Brief', description: 'For the client', status: 'open' } }).then({
      kind: 'task',
      subject: 'thing-1',
      title: 'Brief',
      body: 'For the client',
    }))
  it('remembers a note by its title and its tags', () =>
    given(noteAdded).then({ kind: 'note', subject: 'note-1', title: 'Shopping', details: 'home\nweekly' }))
  it('keeps a row without words of a removed note, so that indexes forget it', () =>
    given(noteAdded, { type: 'NoteRemoved', id: 'note-1', data: {} }).then({
      subject: 'note-1',
      title: undefined,
      details: undefined,
    }))
  it('remembers each part of a book by what it says, and keeps rows without words of those that are gone', () => {
    const edited = (version: number, more: object) => ({
      type: 'BookEdited',
      id: 'bakery',
      data: { version, parts: [], moved: [], removed: [], ...more },
    })
    const part = { kind: 'section', title: 'Scope', content: 'Bread', url: 'https://example.com/brief' }
    return given(
      edited(1, {
        parts: [
          { part: 'scope', ...part },
          { part: 'executive_summary', kind: 'executive_summary' },
        ],
      }),
      edited(2, { parts: [{ part: 'scope', ...part, content: 'Cake', url: undefined }], moved: [], removed: [] }),
      edited(3, { removed: ['executive_summary'] }),
    ).then(
      { kind: 'book', source: 'bakery', subject: 'executive_summary', title: undefined },
      { source: 'bakery', subject: 'scope', title: 'Scope', body: 'Cake', details: undefined },
    )
  })
  it('remembers the entries of a wallet, each as a memory of its own', () =>
    given(...book).then(
      { kind: 'entry', subject: 'e1', source: 'studio', title: 'No 1' },
      { kind: 'entry', subject: 'e2', source: 'studio', title: 'No 2' },
    ))
})
