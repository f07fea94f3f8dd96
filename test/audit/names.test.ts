import { expect } from 'chai'
import { streamOf, uuidOf } from '../../commands/ids.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { AuditFault, eventOf, lineOf } from '../../read-api/audit/bundle.ts'
import { lineChecker } from '../../read-api/audit/line-check.ts'
import { checkOptions } from '../../scripts/check-export.ts'
import { books, stored } from './support.ts'

/** Events as the write path names them: a command of two for every wallet, and of one else. */
async function named(): Promise<StoredEvent[]> {
  const found: StoredEvent[] = []
  for await (const list of stored(books(4))) found.push(...list.filter(({ metadata }) => metadata.org === 'north'))
  const command = (n: number) => uuidOf(['command', n])
  return found.map((event, n) => {
    const isSecond = event.type === 'AccountOpened'
    const commandId = command(isSecond ? n - 1 : n)
    const { org, id, fingerprint } = event.metadata
    return {
      ...event,
      stream: streamOf(org, event.stream.slice(0, event.stream.indexOf('-')), id),
      eventId: uuidOf([commandId, fingerprint, isSecond ? 1 : 0]),
      metadata: { ...event.metadata, commandId },
    }
  })
}

describe('names in an export', () => {
  const codeOf = (events: readonly StoredEvent[]) => {
    const { check } = lineChecker({ ...checkOptions(), org: 'north', skips: new Map() })
    try {
      for (const [n, event] of events.entries()) check(Buffer.from(lineOf(event)), n + 1)
    } catch (error) {
      if (error instanceof AuditFault) return error.code
      throw error
    }
    return 'sound'
  }
  let events: readonly StoredEvent[]
  const changed = (n: number, change: (event: StoredEvent) => Partial<StoredEvent>) =>
    events.map((event, at) => (at === n ? { ...event, ...change(event) } : event))
  before(async () => {
    events = await named()
  })

  it('follow from the commands, or the event was not written by the write path', () => {
    expect(codeOf(events)).to.equal('sound')
    expect(codeOf(events.map(event => eventOf(JSON.parse(lineOf(event)))))).to.equal('sound')
    const last = events.length - 1
    expect(codeOf(changed(last, () => ({ eventId: uuidOf(['invented']) })))).to.equal('event_id_wrong')
    const to = (change: object) => (event: StoredEvent) => ({ metadata: { ...event.metadata, ...change } })
    expect(codeOf(changed(last, to({ commandId: uuidOf(['invented']) })))).to.equal('event_id_wrong')
    expect(codeOf(changed(last, to({ fingerprint: '0'.repeat(64) })))).to.equal('event_id_wrong')
    expect(codeOf(changed(last, to({ id: 'another' })))).to.equal('stream_misnamed')
    const who = { subject: 'jon', roles: [], teams: ['design'] }
    expect(codeOf(changed(last, to({ actor: who, behalf: who })))).to.equal('sound')
    expect(codeOf(changed(0, ({ stream }) => ({ stream: stream.replace(/.$/, 'x') })))).to.equal('stream_misnamed')
  })

  it('show a command that took effect twice', () => {
    const last = events.at(-1)!
    const again = { ...last, revision: last.revision + 1n, position: last.position + 1n }
    const first = { ...events[0]!, revision: again.revision, position: again.position }
    expect(codeOf([...events, again])).to.equal('event_id_wrong')
    const wallet = events.findLast(({ stream }) => stream === events[0]!.stream)!
    expect(codeOf([...events, { ...first, revision: wallet.revision + 1n }])).to.equal('command_repeated')
  })
})
