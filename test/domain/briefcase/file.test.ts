import { file } from '../../../domain/briefcase/file/file.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(file)
const content = (digit: string) => ({ type: 'text/plain; charset=utf-8', size: 3n, sha256: digit.repeat(64) })
const added = { type: 'FileAdded', data: { item: 'i', name: 'a.txt', ...content('a'), owner: 'user-1' } } as const
const removed = { type: 'FileRemoved', data: {} } as const

describe('file', () => {
  it('belongs to an item, and is added once', () => {
    given()
      .when('add', { item: 'i', name: 'a.txt', ...content('a') })
      .then(added)
    given(added)
      .when('add', { item: 'i', name: 'a.txt', ...content('a') })
      .rejects('file_already_added')
  })
  it('has versions of other bytes', () => {
    given(added)
      .when('addVersion', content('b'))
      .then({ type: 'FileVersionAdded', data: { version: 2, ...content('b') } })
    given(added).when('addVersion', content('a')).changesNothing()
    given(added, removed).when('addVersion', content('b')).rejects('file_removed')
  })
  it('changes its name and metadata', () => {
    given(added)
      .when('change', { name: 'b.txt' })
      .then({ type: 'FileChanged', data: { name: 'b.txt' } })
    given(added).when('change', { name: 'a.txt', metadata: {} }).changesNothing()
  })
  it('is removed once', () => {
    given(added).when('remove', {}).then(removed)
    given(added, removed).when('remove', {}).changesNothing()
  })
})
