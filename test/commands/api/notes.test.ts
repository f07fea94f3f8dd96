import { fingerprintOf } from '../../../commands/ids.ts'
import { note } from '../../../domain/office/note/note.ts'
import { apiSpec } from '../../support/api-spec.ts'

const NOTES = '/koff/notes'
const NOTE = `${NOTES}/thing-1`
const added = {
  type: 'NoteAdded',
  data: { title: 'Shopping', tags: ['home'], owner: 'user-1' },
  personal: { body: 'Milk' },
}
const removed = { type: 'NoteRemoved', data: {} }
const project = {
  type: 'ProjectAdded',
  id: 'bridge',
  data: { name: 'Bridge', status: 'planned', owner: 'user-1' },
}
const projectRemoved = { type: 'ProjectRemoved', id: 'bridge', data: {} }
const changed = (data: object) => ({ type: 'NoteChanged', data })

describe('API: notes', () => {
  const { given } = apiSpec()

  describe('POST', () => {
    it('adds a note of the caller, its body sealed under their key', () =>
      given()
        .when('POST', NOTES, { id: 'thing-1', title: 'Shopping', body: 'Milk' })
        .then(
          {
            status: 201,
            data: { id: 'thing-1', revision: '0', replayed: false },
            headers: { etag: '"0"', location: '/api/v1/koff/notes/thing-1' },
            keys: ['user-1'],
          },
          {
            type: 'NoteAdded',
            data: { title: 'Shopping', body: 'Milk', tags: [], owner: 'user-1' },
            id: 'thing-1',
            by: 'user-1',
            subjects: ['user-1'],
          },
        ))
    it('answers a second one with the same id by a rejection', () =>
      given(added).when('POST', NOTES, { id: 'thing-1', title: 'X' }).then({ status: 422, code: 'note_already_added' }))
    it('takes a body apart from its own fields for a fault of the client', () =>
      given()
        .when('POST', NOTES, { title: 'X', colour: 'red' })
        .then({
          status: 400,
          code: 'invalid_body',
          fields: ['colour'],
        }))
    it('needs its permission', () =>
      given()
        .when('POST', NOTES, { title: 'X' }, { allowed: ['office.notes.read'] })
        .then({ status: 403, code: 'forbidden', fields: ['permission'] }))
  })

  describe('PATCH', () => {
    it('by another user seals under the owner of the note', () =>
      given(added)
        .when('PATCH', NOTE, { body: 'Milk, eggs' }, { as: 'user-2' })
        .then(
          { status: 200, keys: ['user-1'] },
          { ...changed({ body: 'Milk, eggs' }), by: 'user-2', subjects: ['user-1'] },
        ))
    it('merges: what is not named stays, null removes', () =>
      given(added)
        .when('PATCH', NOTE, { title: 'List', body: null })
        .then(200, changed({ title: 'List', body: null })))
    it('makes no event where all is so already, whatever the nonce of the sealed text', () =>
      given(added)
        .when('PATCH', NOTE, { title: 'Shopping', body: 'Milk' }, { as: 'user-2' })
        .then({ status: 200, data: { revision: '0', events: [], replayed: false } }))
    it('is not for a note that is removed', () =>
      given(added, removed).when('PATCH', NOTE, { title: 'X' }).then({ status: 422, code: 'note_removed' }))
    it('is not for a note that nobody added', () =>
      given().when('PATCH', NOTE, { title: 'X' }).then({ status: 404, code: 'not_found' }))
  })

  describe('PUT', () => {
    it('replaces: what is left out is removed, defaults come back', () =>
      given(added)
        .when('PUT', NOTE, { title: 'Shopping' })
        .then(200, changed({ body: null, tags: [] })))
  })

  describe('DELETE', () => {
    it('removes a note', () => given(added).when('DELETE', NOTE).then(204, removed))
    it('removes it once', () =>
      given(added, removed)
        .when('DELETE', NOTE)
        .then({ status: 204, headers: { etag: '"1"' } }))
    it('is answered from the first time where it is sent again', () =>
      given(added, ['DELETE', NOTE, undefined, { 'Idempotency-Key': 'k' }])
        .when('DELETE', NOTE, undefined, { 'Idempotency-Key': 'k' })
        .then({ status: 204, headers: { etag: '"1"' } }))
  })

  describe('If-Match', () => {
    it('lets a change through at the revision that the caller has seen', () =>
      given(added)
        .when('PATCH', NOTE, { title: 'X' }, { 'If-Match': '"0"' })
        .then(200, changed({ title: 'X' })))
    it('refuses it at any other', () =>
      given(added, changed({ title: 'List' }))
        .when('PATCH', NOTE, { title: 'X' }, { 'If-Match': '"0"' })
        .then({ status: 412, code: 'precondition_failed' }))
    for (const tags of ['"7", "0"', '"other" ,"0"', '"a,b","0"', ',"0",', '*']) {
      it(`lets ${tags} through, one of which the note meets`, () =>
        given(added)
          .when('PATCH', NOTE, { title: 'X' }, { 'If-Match': tags })
          .then(200, changed({ title: 'X' })))
    }
    for (const tags of ['W/"0"', '"7", "8"', '"other"', '""', 'W/"0", "1"']) {
      it(`refuses ${tags}, which no strong tag of the note meets`, () =>
        given(added)
          .when('PATCH', NOTE, { title: 'X' }, { 'If-Match': tags })
          .then({ status: 412, code: 'precondition_failed' }))
    }
    for (const tags of ['0', 'w/"0"', '"0', '"0""', '"0" "1"', '*, "0"', ',', '"a b"']) {
      it(`takes ${tags} for no list of tags`, () =>
        given(added)
          .when('PATCH', NOTE, { title: 'X' }, { 'If-Match': tags })
          .then({ status: 400, code: 'invalid_parameter', fields: ['If-Match'] }))
    }
    it('of * refuses to make a thing', () =>
      given()
        .when('POST', NOTES, { id: 'new', title: 'X' }, { 'If-Match': '*' })
        .then({ status: 412, code: 'precondition_failed' }))
  })

  describe('If-None-Match: *', () => {
    it('lets a thing be made that does not exist', () =>
      given()
        .when('POST', NOTES, { id: 'list', title: 'X' }, { 'If-None-Match': ' * ' })
        .then(201, { type: 'NoteAdded', data: { title: 'X', tags: [], owner: 'user-1' } }))
    it('refuses to make or to change one that does', async () => {
      for (const method of ['PATCH', 'PUT'] as const) {
        await given(added)
          .when(method, NOTE, { title: 'X' }, { 'If-None-Match': '*' })
          .then({ status: 412, code: 'precondition_failed' })
      }
    })
    for (const headers of [{ 'If-None-Match': '"0"' }, { 'If-None-Match': '*', 'If-Match': '"0"' }]) {
      it(`is the only form that commands take: ${JSON.stringify(headers)}`, () =>
        given(added)
          .when('PATCH', NOTE, { title: 'X' }, headers as Record<string, string>)
          .then({ status: 400, code: 'invalid_parameter', fields: ['If-None-Match'] }))
    }
  })

  describe('a reference', () => {
    it('to a project that exists is taken', () =>
      given(project)
        .when('POST', NOTES, { title: 'X', project: 'bridge' })
        .then(201, { type: 'NoteAdded', data: { title: 'X', tags: [], project: 'bridge', owner: 'user-1' } }))
    it('to one that does not is refused, with its field', () =>
      given()
        .when('POST', NOTES, { title: 'X', project: 'bridge' })
        .then({ status: 422, code: 'reference_unknown', fields: ['project'] }))
    it('to one that was removed is refused, with its field', () =>
      given(added, project, projectRemoved)
        .when('PATCH', NOTE, { project: 'bridge' })
        .then({ status: 422, code: 'reference_removed', fields: ['project'] }))
    it('to a thing of another kind is refused', () =>
      given(added)
        .when('POST', NOTES, { title: 'X', project: 'thing-1' })
        .then({ status: 422, code: 'reference_unknown', fields: ['project'] }))
  })

  describe('an Idempotency-Key', () => {
    const first = ['POST', NOTES, { title: 'Diary', body: 'Rain' }, { 'Idempotency-Key': 'k' }] as const

    it('sent again is answered with the receipt', () =>
      given(first)
        .when(...first)
        .then({ status: 201, data: { replayed: true, revision: '0' } }))
    it('with another personal text is refused', () =>
      given(first)
        .when('POST', NOTES, { title: 'Diary', body: 'Snow' }, { 'Idempotency-Key': 'k' })
        .then({ status: 422, code: 'idempotency_key_reused' }))
    it('of a note that has changed since is answered all the same', () =>
      given(
        ['POST', NOTES, { id: 'thing-1', title: 'Diary', body: 'Rain' }, { 'Idempotency-Key': 'k' }],
        ['PATCH', NOTE, { body: 'Snow' }],
      )
        .when('POST', NOTES, { id: 'thing-1', title: 'Diary', body: 'Rain' }, { 'Idempotency-Key': 'k' })
        .then({ status: 201, data: { replayed: true, revision: '0' } }))

    const old = (fields: object) => ({
      ...added,
      key: 'k',
      isOld: true,
      fingerprint: fingerprintOf(note, 'add', { id: 'thing-1', title: 'Shopping', tags: ['home'], ...fields }),
    })
    const again = { id: 'thing-1', title: 'Shopping', body: 'Milk', tags: ['home'] }
    it('of a command of before sealed texts had digests is answered with the receipt', () =>
      given(old({}))
        .when('POST', NOTES, again, { 'Idempotency-Key': 'k' })
        .then({ status: 201, data: { replayed: true, revision: '0' } }))
    it('of such a command with another title is refused', () =>
      given(old({}))
        .when('POST', NOTES, { ...again, title: 'List' }, { 'Idempotency-Key': 'k' })
        .then({ status: 422, code: 'idempotency_key_reused' }))
  })

  describe('with dry_run', () => {
    it('says what would happen, and leaves no event and no key behind', () =>
      given()
        .when('POST', `${NOTES}?dry_run=true`, { title: 'X', body: 'Milk' })
        .then({ status: 200, data: { dry_run: true, revision: '-1' }, keys: [], appended: 0 }))
    it('refuses what would be refused, without a note of it', () =>
      given(added)
        .when('POST', `${NOTES}?dry_run=true`, { id: 'thing-1', title: 'X' })
        .then({ status: 422, code: 'note_already_added', appended: 0 }))
  })

  describe('of a subject whose personal data was erased', () => {
    it('take no personal text any more, from anybody', () =>
      given(added, { erased: 'user-1' })
        .when('PATCH', NOTE, { body: 'Eggs' }, { as: 'user-2' })
        .then({ status: 422, code: 'subject_erased', fields: ['subject'] }))
    it('take everything else', () =>
      given(added, { erased: 'user-1' })
        .when('PATCH', NOTE, { title: 'X' })
        .then(200, changed({ title: 'X' })))
  })
})
