import path from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { expect } from 'chai'
import { toWire } from '../../domain/kernel/json.ts'
import { projections } from '../../infra/catalogue.ts'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { readSkips, writeSkip } from '../../infra/event-store/skips.ts'
import type { Pool } from '../../infra/postgres.ts'
import { tasks } from '../../projections/center/tasks.ts'
import type { Skips } from '../../projections/rows/fold.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { type AuditFault, bySkip, EVENTS, MANIFEST, type SkipEntry } from '../../read-api/audit/bundle.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { differing, replay } from '../../read-api/audit/replay.ts'
import { readManifest } from '../../read-api/audit/verify.ts'
import { freshPool, MemoryLog, reached, startRunner } from '../projections/support.ts'
import { makeWorld, type World } from '../read-api/support.ts'
import {
  books,
  CHECK,
  exported,
  type Files,
  forged,
  inFolder,
  linesOf,
  readFiles,
  stored,
  writeFiles,
} from './support.ts'

describe('skips in an export', () => {
  const history = books(8)
  const moved = history.events.filter(({ type }) => type === 'TaskAssigned')
  const last = moved.at(-1)!
  const foreign = history.events.find(({ metadata }) => metadata.org === 'south')!
  const skip = (projection: string, position: bigint): SkipEntry => {
    return { projection, position, reason: 'a faulty import', actor: 'ops', at: '2026-05-06T07:08:09.010Z' }
  }
  const decided = [skip('tasks', last.position), skip('items', moved[0]!.position), skip('tasks', foreign.position)]
  const positions = new Map([
    ['tasks', new Set([last.position, foreign.position])],
    ['items', new Set([moved[0]!.position])],
  ])

  let world: World
  before(async () => {
    world = await makeWorld()
    await world.write(history)
    // What the projector's rows are without the last assignment.
    await world.pool.query(
      `update ${tableOf(tasks)} set assignee = $1, reassignments = reassignments - 1, revision = $2
       where org = 'north'`,
      [(moved.at(-2)!.data as { to: string }).to, last.revision - 1n],
    )
  })
  after(() => world.close())

  async function replayed(files: Files, skips: typeof positions | undefined = positions) {
    return inFolder(async folder => {
      await writeFiles(folder, files)
      const live = skips && { pool: world.pool, skips, waitMs: 0 }
      return replay({ ...CHECK, source: folderSource(folder), ...(live && { live }) })
    })
  }
  const faultOf = (files: Files, skips?: typeof positions) =>
    replayed(files, skips).then(
      found => (differing(found).length > 0 ? `differs: ${differing(found)}` : 'no difference found'),
      ({ code }: AuditFault) => code,
    )
  const bundle = (skips: readonly SkipEntry[]) =>
    inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(history, out, { skips })
      return readFiles(out)
    })

  it('are those of its own events, with reason, actor and time, in order', async () => {
    const files = await bundle(decided)
    const manifest = await inFolder(async folder => {
      await writeFiles(folder, files)
      return readManifest(folderSource(folder))
    })
    expect(manifest.skips).to.deep.equal([decided[1], decided[0]])
  })

  it('are honoured by a replay, which equals the rows of a projector that skipped', async () => {
    const files = await bundle(decided)
    expect(differing(await replayed(files))).to.deep.equal([])
    const without = await bundle([])
    expect(differing(await replayed(without, new Map()))).to.deep.equal(['tasks'])
    const { tables } = await inFolder(async folder => {
      await writeFiles(folder, files)
      return replay({ ...CHECK, source: folderSource(folder) })
    })
    const rows = tables.find(({ projection }) => projection === 'tasks')!
    const live = (await replayed(files)).tables.find(({ projection }) => projection === 'tasks')!
    expect(rows.replayed, 'offline').to.deep.equal(live.live)
  })

  it('are found where they were tampered with', async () => {
    const files = await bundle(decided)
    const lines = linesOf(files)
    const own = decided.slice(0, 2).sort(bySkip)
    const changed = (skips: readonly object[]) => forged(files, lines, { skips: skips.map(toWire) })
    expect(await faultOf(changed(own)), 'the forgery is without mistake and without change').to.equal(
      'no difference found',
    )
    const flipped = Buffer.from(files[MANIFEST]!.toString().replace('faulty', 'flawed'))
    expect(await faultOf({ ...files, [MANIFEST]: flipped })).to.equal('manifest_changed')
    for (const [code, skips] of [
      ['live_skips_differ', []],
      ['live_skips_differ', own.slice(1)],
      ['live_skips_differ', [...own, skip('wallets', last.position)].sort(bySkip)],
      ['skip_unknown', [...own, skip('tasks', last.position + 1n)]],
      ['skip_unknown', [...own, decided[2]!].sort(bySkip)],
      ['manifest_invalid', [...own].reverse()],
      ['manifest_invalid', [own[0]!, own[0]!, own[1]!]],
      ['manifest_invalid', own.map(({ reason: _, ...rest }) => rest)],
    ] as const) {
      expect(await faultOf(changed(skips)), `${code} ${JSON.stringify(toWire(skips))}`).to.equal(code)
    }
  })

  it('were not known to version 1, which is still read', async () => {
    const files = await bundle([])
    const older = (more: object) => forged(files, linesOf(files), { version: 1, checkpoint: undefined, ...more })
    expect(differing(await replayed(older({ skips: undefined }), new Map()))).to.deep.equal(['tasks'])
    expect(await faultOf(older({}), new Map())).to.equal('manifest_invalid')
  })

  it('that were decided after the export are no difference of rows', async () => {
    const files = await bundle([])
    expect(await faultOf(files)).to.equal('live_skips_differ')
    const elsewhere = new Map([['tasks', new Set([foreign.position])]])
    expect(await faultOf(files, elsewhere)).to.equal('differs: tasks')
  })

  it('come from the log, the first decision of several', async () => {
    const store = await startEventStore({ memory: true })
    const client = EventStoreDBClient.connectionString(store.url)
    const { at: _, ...first } = skip('tasks', 7n)
    await writeSkip(store.url, first)
    const later = { ...first, position: '7', reason: 'another one', at: '2026-06-01T00:00:00.000Z' }
    await client.appendToStream('projection-tasks', jsonEvent({ type: 'ProjectionEventSkipped', data: later }))
    const [found, ...rest] = await readSkips(store.url, ['items', 'tasks'])
    expect(rest).to.deep.equal([])
    expect(found).to.deep.include(first)
    expect(found!.at).to.match(/^\d{4}-/)
    await client.dispose()
    await store.close()
  })
})

describe('skips of events that cannot be decoded', () => {
  const history = books(4)
  const unreadable: { position: bigint; code: string; type: string; concerned: readonly string[] }[] = []
  const bad = (type: string, category: string, id: string, data: object, code: string, concerned: string[]) => {
    history.add('north', category, id, type, data)
    // As another program writes it: of the metadata only the org is as it should be.
    Object.assign(history.events.at(-1)!.metadata, { fingerprint: 'a'.repeat(32), actor: 'support' })
    unreadable.push({ position: history.position, code, type, concerned })
    history.add('north', 'task', 't', 'TaskAssigned', { from: null, to: type })
  }
  const takers = [
    'account_blocks',
    'account_days',
    'account_months',
    'balances',
    'entries',
    'postings',
    'memories',
    'audit_log',
  ]
  bad('EntryPosted', 'wallet', 'w', { entry: 'nonsense', postings: 'none' }, 'line_invalid', takers)
  bad('TaskPainted', 'task', 't', { colour: 'red' }, 'event_unknown', [
    'tasks',
    'task_timers',
    'task_comments',
    'time_entries',
    'notifications',
    'memories',
    'audit_log',
  ])
  bad('ItemAdded', 'item', 'j', [1, null], 'line_invalid', ['items', 'memories', 'audit_log'])
  const skips = unreadable.flatMap(({ position, concerned }) =>
    concerned.map(projection => ({
      projection,
      position,
      reason: 'broken',
      actor: 'ops',
      at: '2026-05-06T07:08:09.010Z',
    })),
  )
  const positions = new Map(
    projections.map(({ name }) => {
      const own = skips.filter(({ projection }) => projection === name)
      return [name, new Set(own.map(({ position }) => position))]
    }),
  )

  let pool: Pool
  before(async () => {
    pool = await freshPool()
    const log = new MemoryLog()
    for await (const events of stored(history)) log.append(...events)
    log.skipped = positions
    const runner = startRunner(pool, log)
    await reached(pool, history.position)
    await runner.close()
  })

  const replayed = (decided: readonly SkipEntry[], live?: Skips) =>
    inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(history, out, { skips: decided })
      return replay({ ...CHECK, source: folderSource(out), ...(live && { live: { pool, skips: live, waitMs: 0 } }) })
    })

  it('let the org be replayed, offline and against the rows of a projector that skipped them', async () => {
    const live = await replayed(skips, positions)
    expect(differing(live)).to.deep.equal([])
    const { manifest, tables } = await replayed(skips)
    expect(manifest.skips).to.deep.equal(skips.toSorted(bySkip))
    expect(manifest.types).to.include({ EntryPosted: 5, TaskPainted: 1, ItemAdded: 2 })
    for (const [at, { projection, replayed }] of tables.entries()) {
      expect(replayed, projection).to.deep.equal(live.tables[at]!.live)
    }
    expect(tables.find(({ projection }) => projection === 'entries')!.replayed.rows).to.equal(4)
  })

  it('must be there for every projection that would take the event, and the fault names those without', async () => {
    for (const { position, code, type, concerned } of unreadable) {
      for (const name of concerned) {
        const without = skips.filter(skip => skip.position !== position || skip.projection !== name)
        const fault = await replayed(without).catch((error: AuditFault) => error)
        expect(fault, `${type} ${name}`).to.include({ code, file: EVENTS })
        expect((fault as AuditFault).message)
          .to.contain(type)
          .and.match(new RegExp(`, and the manifest has no skip of it for ${name}\\.$`))
      }
      const none = skips.filter(skip => skip.position !== position)
      const { message } = (await replayed(none).catch((error: AuditFault) => error)) as AuditFault
      expect(message).to.contain(projections.flatMap(({ name }) => (concerned.includes(name) ? [name] : [])).join(', '))
    }
  })

  it('are compared with the log that the live rows come from', async () => {
    const others = new Map(positions).set('balances', new Set())
    const fault = await replayed(skips, others).catch((error: AuditFault) => error)
    expect(fault).to.include({ code: 'live_skips_differ' })
  })
})
