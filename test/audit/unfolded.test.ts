import path from 'node:path'
import { expect } from 'chai'
import { streamOf, uuidOf } from '../../commands/ids.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { exportAt } from '../../read-api/audit/export-at.ts'
import { checkExport } from '../../scripts/check-export.ts'
import { History } from '../read-api/support.ts'
import { exported, inFolder } from './support.ts'

describe('the check of an export', () => {
  it('says what of an export was not folded, and what is skipped', async () => {
    const made = new History()
    for (const id of ['t0', 't1', 't2']) {
      made.add('north', 'task', id, 'TaskCreated', { name: 'Do', status: 'open' })
      const event = made.events.pop()!
      const { commandId, fingerprint } = event.metadata
      made.events.push({
        ...event,
        stream: streamOf('north', 'task', id),
        eventId: uuidOf([commandId, fingerprint, 0]),
      })
    }
    const [{ stream, position }] = made.events as [DomainEvent]
    const skip = { projection: 'tasks', position, reason: 'faulty', actor: 'ada', at: '2026-03-01T12:00:00.000Z' }
    const checked = (more: object) =>
      inFolder(async folder => {
        const out = path.join(folder, 'out')
        await exported(made, out, more)
        return checkExport(await exportAt(out), {})
      })
    const whole = await checked({})
    expect(whole.value).to.include({ unfolded: 0, skipped: 0 })
    expect(whole.text).not.to.match(/not checked by the rules|skipped/)
    const part = await checked({ selection: { streams: [stream] }, skips: [skip] })
    expect(part.value).to.include({ unfolded: 2, skipped: 1 })
    expect(part.text)
      .to.contain('not checked by the rules: 2 things')
      .and.to.contain('decisions of operators: 1 events')
  })
})
