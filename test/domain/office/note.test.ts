import { note } from '../../../domain/office/note/note.ts'
import { specFor } from '../../support/spec.ts'

const sealedAs = (digest: string) => ({
  key: '11111111-1111-4111-8111-111111111111',
  nonce: 'n'.repeat(16),
  text: 't'.repeat(30),
  digest: digest.repeat(43),
})
const added = {
  type: 'NoteAdded',
  data: { title: 'Shopping', body: sealedAs('a'), tags: ['home'], owner: 'user-1' },
} as const
const removed = { type: 'NoteRemoved', data: {} } as const
const changed = (data: object) => ({ type: 'NoteChanged' as const, data: { ...data } })

describe('note', () => {
  const { given } = specFor(note)

  describe('add', () => {
    it('makes a note of its caller', () =>
      given()
        .when('add', { title: 'Shopping', body: sealedAs('a'), tags: ['home'] })
        .then(added))
    it('refuses one that exists', () =>
      given(added).when('add', { title: 'X', tags: [] }).rejects('note_already_added'))
    it('makes a removed one anew', () =>
      given(added, removed)
        .when('add', { title: 'Again', tags: [] }, { actor: 'user-2' })
        .then({ type: 'NoteAdded', data: { title: 'Again', tags: [], owner: 'user-2' } }))
  })

  describe('change', () => {
    it('says what is other now, null for what is gone', () =>
      given(added)
        .when('change', { title: 'List', body: null, project: 'p-1' })
        .then(changed({ title: 'List', body: null, project: 'p-1' })))
    it('gives a field its default back with null', () =>
      given(added)
        .when('change', { tags: null })
        .then(changed({ tags: [] })))
    it('says nothing where all is so already, sealed texts by their digest', () =>
      given(added)
        .when('change', { title: 'Shopping', body: { ...sealedAs('a'), nonce: 'm'.repeat(16) }, tags: ['home'] })
        .changesNothing())
    it('tells another text of the same length', () =>
      given(added)
        .when('change', { body: sealedAs('b') })
        .then(changed({ body: sealedAs('b') })))
    it('refuses a removed note', () => given(added, removed).when('change', { title: 'X' }).rejects('note_removed'))
  })

  describe('replace', () => {
    it('removes what is left out', () =>
      given(added)
        .when('replace', { title: 'Shopping', tags: ['home'] })
        .then(changed({ body: null })))
    it('says nothing where all is so already', () =>
      given(added)
        .when('replace', { title: 'Shopping', tags: ['home'], body: sealedAs('a') })
        .changesNothing())
  })

  describe('remove', () => {
    it('removes a note', () => given(added).when('remove', {}).then(removed))
    it('removes it once', () => given(added, removed).when('remove', {}).changesNothing())
  })
})
