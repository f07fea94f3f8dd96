import { bankImport } from '../../../domain/wallet/import/import.ts'
import { specFor } from '../../support/spec.ts'

const start = {
  wallet: 'studio',
  name: 'january.xml',
  format: 'camt' as const,
  sha256: '5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592',
  statements: [],
  rows: 3,
  pending: 1,
  there: 0,
  entries: 2,
  matched: [],
}
const done = { entries: 2 }
const started = { type: 'ImportStarted', data: start } as const
const booked = { type: 'ImportBooked', data: done } as const
const undoing = { type: 'ImportUndoStarted', data: { reason: 'Wrong account' } } as const
const undone = { type: 'ImportUndone', data: done } as const

describe('import', () => {
  const { given } = specFor(bankImport)

  it('is started, then booked, each once', () => {
    given().when('start', start).then(started)
    given(started).when('start', start).rejects('import_already_started')
    given(started).when('finish', done).then(booked)
    given(started, booked).when('finish', done).then()
  })

  it('is taken back once, also where it was cut off before its end', () => {
    const why = { reason: 'Wrong account' }
    given(started, booked).when('undo', why).then(undoing)
    given(started).when('undo', why).then(undoing)
    given(started, booked, undoing).when('undo', why).then()
    given(started, booked, undoing).when('finishUndo', done).then(undone)
    given(started, booked, undoing, undone).when('finishUndo', done).then()
  })

  it('is not booked once it is taken back', () => {
    given(started, undoing).when('finish', done).rejects('import_undone')
    given(started, undoing, undone).when('finish', done).rejects('import_undone')
  })
})
