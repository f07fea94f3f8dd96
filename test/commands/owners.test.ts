/** Whose data the key of a memory seals, where several processes write, and some of them know an older state. */
import { expect } from 'chai'
import type { EventStore } from '../../commands/ports.ts'
import { memory } from '../../domain/memory/memory/memory.ts'
import { destroyKeys } from '../../infra/erasures/keys.ts'
import { keyring } from '../../infra/keyring.ts'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { freshDatabase } from '../support/postgres.ts'
import { codeOf, eventStore, ORG, startProcess } from './support.ts'

describe('the owners of the key of a thing', () => {
  const log = eventStore()
  let pool: Pool
  before(async () => {
    const url = await freshDatabase()
    await migrate({ url, set: 'keys', log: silentLog })
    pool = createPool({ url, name: 'keys', log: silentLog })
  })
  after(() => pool?.end())

  /** A process with a cache of keys of its own; `append` stands in its way to the log. */
  const process = (append?: (port: EventStore) => EventStore['append']) => {
    const port = append ? { ...log.port, append: append(log.port) } : log.port
    const { send } = startProcess(port, { keyring: keyring(pool) })
    return (id: string, subjects: readonly string[], more: object = {}, dryRun?: symbol) =>
      send({
        aggregate: memory,
        name: 'store',
        id,
        opens: true,
        body: bodyOf(subjects, more),
        ...(dryRun && { dryRun }),
      })
  }
  const bodyOf = (subjects: readonly string[], more: object) =>
    memory.commands.store.parse({ type: 'general', text: `Of ${subjects.join(', ')}.`, subjects, ...more })
  const ownersOf = async (id: string) => {
    const text = 'select owners from subject_keys where org = $1 and subject = $2'
    return (await pool.query<{ owners: string[] }>(text, [ORG, `memory:${id}`])).rows[0]?.owners
  }
  const UPSIDE_DOWN = { valid_from: '2027-01-01T00:00:00.000Z', valid_to: '2026-01-01T00:00:00.000Z' }

  it('are those of the memory that is in the log, though a process that knows it not is sent another', async () => {
    const [first, late] = [process(), process()]
    await late('m1', ['jon'], {}, Symbol('dry run'))
    await first('m1', ['mira'])
    expect(await codeOf(late('m1', ['jon']))).to.equal('memory_already_stored')
    expect(await ownersOf('m1')).to.deep.equal(['mira'])
    expect(await destroyKeys(pool, { org: ORG, subject: 'mira' })).to.equal(1)
  })

  it('have the persons of both while it is open which of two is stored', async () => {
    let seen: string[] | undefined
    const first = process()
    const late = process(port => async (...append) => {
      seen ??= await ownersOf('m2')
      return port.append(...append)
    })
    await late('m2', ['jon'], {}, Symbol('dry run'))
    await first('m2', ['ann'])
    expect(await codeOf(late('m2', ['jon']))).to.equal('memory_already_stored')
    expect(seen).to.have.members(['ann', 'jon'])
    expect(await ownersOf('m2')).to.deep.equal(['ann'])
  })

  it('are no persons of a command that was refused before', async () => {
    const one = process()
    expect(await codeOf(one('m3', ['jon'], UPSIDE_DOWN))).to.equal('memory_valid_before')
    expect(await ownersOf('m3')).to.deep.equal(['jon'])
    await process()('m3', ['ben'])
    expect(await ownersOf('m3')).to.deep.equal(['ben'])
  })

  it('are those of one of two that are sent at once', async () => {
    const both = [['cy'], ['dee']] as const
    const sent = await Promise.allSettled(both.map(subjects => process()('m4', subjects)))
    const stored = both.filter((_, n) => sent[n]!.status === 'fulfilled')
    expect(stored).to.have.length(1)
    expect(await ownersOf('m4')).to.deep.equal(stored[0])
  })
})
