import { expect } from 'chai'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { erasedCount, erasuresIn } from '../../read-api/audit/erased.ts'

describe('the erased persons of an export', () => {
  it('are those whose erasure is completed; the others are being erased', () => {
    const counter = erasuresIn()
    const count = () => erasedCount([counter.found])
    const add = (type: string, data: object, subjects: readonly string[] = []) =>
      counter.add({ type, data, metadata: { subjects } } as unknown as StoredEvent)
    for (const subject of ['jon', 'mira', 'lea']) add('WalletOpened', {}, [subject])
    add('SubjectErased', { subject: 'jon' })
    add('SubjectErased', { subject: 'mira' })
    expect(count()).to.deep.equal({ subjects: 0, events: 0, pending: 2 })
    add('ErasureCompleted', { subject: 'jon' })
    expect(count()).to.deep.equal({ subjects: 1, events: 1, pending: 1 })
  })
})
