import { expect } from 'chai'
import { plainOf, sealed } from '../../../domain/kernel/schema.ts'
import { aggregates } from '../../../infra/catalogue.ts'
import { personalData } from '../../../projections/audit/personal-data.ts'
import { handlerOf } from '../../../projections/rows/projection.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const SEALED = { key: '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58', nonce: 'AAECAwQFBgcICQoL', text: 'x'.repeat(32) }

describe('rows: personal data', () => {
  it('say which things hold data of whom, and since when', async () => {
    const { given } = rowsFor(personalData)
    const note = { title: 'Sea', tags: [], owner: 'user-1' }
    const added = { type: 'NoteAdded', data: { ...note, body: SEALED }, subjects: ['jon'] }
    await given(added).then({ subject: 'jon', category: 'note', id: 'thing-1', events: 1 })
    await given(added, { type: 'NoteChanged', data: { body: SEALED }, subjects: ['jon'] }).then({
      subject: 'jon',
      events: 2,
    })
    await given({ type: 'NoteAdded', data: note }).then()
  })

  it('know every event that has a sealed field', () => {
    const missing = aggregates.flatMap(({ events }) =>
      Object.entries(events)
        .filter(([, event]) =>
          Object.values((event as { shape: object }).shape).some(field => plainOf(field as never) === sealed),
        )
        .map(([type]) => type)
        .filter(type => !handlerOf(personalData, type)),
    )
    expect(missing).to.deep.equal([])
  })
})
