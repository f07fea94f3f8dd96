import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { streamOf } from '../../commands/ids.ts'
import { loadedStreams } from '../../commands/streams.ts'
import { item } from '../../domain/briefcase/item/item.ts'
import { codec } from '../../infra/catalogue.ts'
import { addItem, codeOf, eventStore, ORG, startProcess } from './support.ts'

describe('an event that nobody can read', () => {
  const log = eventStore()
  const metadataOf = (id: string) => ({
    org: ORG,
    id,
    schema: 1,
    commandId: randomUUID(),
    at: '2026-01-31T12:00:00.000Z',
  })
  /** A process whose operators have skipped the event, or not. */
  const processWith = (unskipped: readonly string[]) =>
    startProcess(log.port, {
      streams: loadedStreams({
        store: log.port,
        codec,
        unskippedBy: async () => unskipped,
        onSnapshotFailed: () => undefined,
      }),
    })
  const strange: Record<string, (id: string) => { type: string; data: object; metadata: object }> = {
    'of an unknown type': id => ({ type: 'ItemNoteAdded', data: { note: 'call back' }, metadata: metadataOf(id) }),
    'without metadata': () => ({ type: 'Whatever', data: {}, metadata: {} }),
    'with data that no version wrote': id => ({ type: 'ItemArchived', data: { reason: 7 }, metadata: metadataOf(id) }),
  }
  for (const [what, eventFor] of Object.entries(strange)) {
    it(`${what} is named while nobody has skipped it, and then passed`, async () => {
      const id = await addItem(startProcess(log.port).send)
      const stream = streamOf(ORG, 'item', id)
      const { position } = await log.port.append(stream, 0n, [{ id: randomUUID(), ...eventFor(id) } as never])
      const rename = { aggregate: item, name: 'update', id, body: { name: 'Watch' }, opens: false }

      const stopped = processWith(['items', 'audit_log'])
      expect(await codeOf(stopped.send(rename))).to.equal('event_unreadable')
      const error = (await stopped.send(rename).catch(error => error)) as Error
      expect(error.message).to.contain(`kogi projections skip <projection> ${position}`).and.contain('items, audit_log')

      // What reads answer is the revision before the event that was passed; its own is true as well.
      for (const seen of [0n, 1n]) {
        const tried = { ...rename, expectedRevision: [seen], dryRun: Symbol('dry run') }
        expect((await processWith([]).send(tried)).events).to.have.length(1)
      }
      const { revision } = await processWith([]).send({ ...rename, expectedRevision: [0n] })
      expect(revision).to.equal(2n)
      expect((await processWith([]).send({ ...rename, body: { name: 'Clock' } })).revision).to.equal(3n)
    })
  }
})
