import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { lastNoteOf, lastSeal, type Seal } from '../../infra/notary/seals.ts'
import { openCheckpoint, originOf } from '../../projections/notary/checkpoint.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { leafHash, Tree } from '../../projections/notary/merkle.ts'
import { verifierOf } from '../../projections/notary/note.ts'
import { ORIGIN, openLog, signer, startNotary, type TestLog, type Written } from './support.ts'

const written = (count: number, from = 0): Written[] =>
  Array.from({ length: count }, (_, n) => ({
    org: `org-${(from + n) % 3}`,
    thing: `t${(from + n) % 5}`,
    data: { name: `${from + n}` },
  }))

/** Root of the events of a log, or of an org of it, by itself. */
const rootOf = (events: Awaited<ReturnType<TestLog['events']>>, org?: string) => {
  const tree = new Tree()
  for (const event of events) if (org === undefined || event.metadata.org === org) tree.add(leafHash(leafOf(event)))
  return tree.root.toString('base64')
}

const sealsOf = async ({ store }: TestLog) =>
  (await store.readDerived('notary-checkpoints', 'forwards', 10_000)).map(({ data }) => data as unknown as Seal)

describe('the notary', () => {
  const key = signer()
  const verifiers = [verifierOf(key)]
  const logs: TestLog[] = []
  let folder: string
  const open = async (events: readonly Written[] = []) => {
    const log = await openLog(events)
    logs.push(log)
    return log
  }
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-notary-'))
  })
  after(async () => {
    await Promise.all(logs.map(log => log.close()))
    await rm(folder, { recursive: true, force: true })
  })

  it('seals the log and each org that has grown, goes on after a restart, and is silent at rest', async () => {
    const log = await open(written(7))
    const first = startNotary(log, { signers: [key] })
    expect(await first.settle(7)).to.equal(undefined)
    await log.append(written(4, 7))
    expect(await first.settle(11)).to.equal(undefined)
    await first.close()
    const second = startNotary(log, { signers: [key] })
    expect(await second.settle(11)).to.equal(undefined)
    await log.append([{ org: 'org-1', thing: 'late', data: {} }])
    expect(await second.settle(12)).to.equal(undefined)
    await sleep(100)
    await second.close()

    const events = await log.events()
    const seals = await sealsOf(log)
    expect(seals.map(({ size }) => size)).to.deep.equal(
      [...new Set(seals.map(({ size }) => size))].sort((a, b) => a - b),
    )
    for (const { size, root, note } of seals) {
      const head = openCheckpoint(note, verifiers)
      expect([head.origin, head.size, head.root.toString('base64')]).to.deep.equal([ORIGIN, size, root])
      expect(root).to.equal(rootOf(events.slice(0, size)))
    }
    expect(seals.at(-1)!.orgs.map(({ org }) => org)).to.include('org-1')
    for (const org of ['org-0', 'org-1', 'org-2']) {
      const head = openCheckpoint((await lastNoteOf(log.store, org))!, [verifierOf(key)])
      expect([head.origin, head.root.toString('base64')]).to.deep.equal([originOf(ORIGIN, org), rootOf(events, org)])
    }
    expect(await lastNoteOf(log.store, 'another')).to.equal(undefined)
  })

  it('seals an org again that has grown while its seal was written', async () => {
    const orgs = Array.from({ length: 30 }, (_, n) => ({ org: `o${n}`, thing: `t${n}`, data: {} }))
    const log = await open(orgs)
    let isFirst = true
    const append: typeof log.store.append = async (stream, expected, events) => {
      if (isFirst) {
        isFirst = false
        await log.append([{ org: 'o0', thing: 'late', data: {} }])
        await sleep(100)
      }
      return log.store.append(stream, expected, events)
    }
    const running = startNotary({ ...log, store: { ...log.store, append } }, { signers: [key] })
    expect(await running.settle(31)).to.equal(undefined)
    await running.close()
    expect(openCheckpoint((await lastNoteOf(log.store, 'o0'))!, verifiers).size).to.equal(2)
  })

  it('has the same tree where the log was moved to another cluster', async () => {
    const log = await open(written(5))
    const moved = await open([{ org: 'x', thing: 'x', data: {} }])
    for (const { stream, eventId, type, data, metadata, revision } of await log.events()) {
      await moved.store.append(stream, revision - 1n, [{ id: eventId, type, data, metadata: metadata as never }])
    }
    expect(rootOf((await moved.events()).slice(1))).to.equal(rootOf(await log.events()))
  })

  describe('on a log that is not the one that was signed', () => {
    /** A copy of a log, event by event as `change` has it, with or without the stream of the checkpoints. */
    const copyOf = async (
      log: TestLog,
      change: (event: Written, index: number) => readonly Written[],
      withSeals: boolean,
    ) => {
      const copy = await open()
      const events = await log.events()
      const kept = new Map<string, bigint>()
      for (const [index, { stream, eventId, type, data, metadata }] of events.entries()) {
        const one = { org: metadata.org, thing: stream.slice(5), data: data as Written['data'] }
        for (const { org, data } of change(one, index)) {
          const revision = kept.get(stream) ?? -1n
          await copy.store.append(stream, revision, [
            { id: eventId, type, data, metadata: { ...metadata, org } as never },
          ])
          kept.set(stream, revision + 1n)
        }
      }
      if (withSeals) {
        for (const seal of await sealsOf(log)) {
          await copy.store.appendDerived('notary-checkpoints', [
            { id: randomUUID(), type: 'CheckpointSigned', data: seal as never, metadata: {} },
          ])
        }
      }
      return copy
    }
    const edits: Readonly<Record<string, (event: Written, index: number) => readonly Written[]>> = {
      'whose data was edited': (event, index) => [index === 3 ? { ...event, data: { name: 'edited' } } : event],
      'whose metadata was edited': (event, index) => [index === 3 ? { ...event, org: 'another' } : event],
      'that lacks an event in the middle': (event, index) => (index === 3 ? [] : [event]),
    }
    for (const [what, change] of Object.entries(edits)) {
      for (const withSeals of [true, false]) {
        it(`${what} signs nothing and says so${withSeals ? '' : ', though only an anchor remembers'}`, async () => {
          const log = await open(written(9))
          const anchor = path.join(folder, `${what}-${withSeals}`)
          const honest = startNotary(log, { signers: [key], anchors: [anchor] })
          await honest.settle(9)
          await honest.close()
          const copy = await copyOf(log, change, withSeals)
          await copy.append(written(3, 20))
          const { notary, untilTrouble, close } = startNotary(copy, {
            signers: [key],
            anchors: withSeals ? [] : [anchor],
          })
          expect((await untilTrouble()).message).to.match(/^The first 9 events are not those of the checkpoint that /)
          await copy.append(written(3, 30))
          await sleep(50)
          expect(notary.sealed).to.equal(undefined)
          const before = withSeals ? (await sealsOf(log)).length : 0
          expect(await sealsOf(copy)).to.have.length(before)
          await close()
        })
      }
    }

    it('whose last events are gone waits for them, says so, and goes on once they are there', async () => {
      const log = await open(written(9))
      const anchor = path.join(folder, 'tail')
      const honest = startNotary(log, { signers: [key], anchors: [anchor] })
      await honest.settle(9)
      await honest.close()
      const events = await log.events()
      const copy = await copyOf(log, (event, index) => (index < 6 ? [event] : []), false)
      const waiting = startNotary(copy, { signers: [key], anchors: [anchor] })
      expect((await waiting.untilTrouble()).message).to.equal(`The log has 6 events, and ${anchor} a checkpoint of 9.`)
      expect(waiting.notary.sealed).to.equal(undefined)
      for (const { stream, eventId, type, data, metadata, revision } of events.slice(6)) {
        await copy.store.append(stream, revision - 1n, [{ id: eventId, type, data, metadata: metadata as never }])
      }
      while (waiting.notary.sealed?.size !== 9) await sleep(5)
      expect(waiting.notary.trouble).to.equal(undefined)
      await waiting.close()
    })
  })

  it('takes no checkpoint that no key of the log has signed', async () => {
    const log = await open(written(3))
    const other = startNotary(log, { signers: [signer()] })
    await other.settle(3)
    await other.close()
    const { untilTrouble, close, notary } = startNotary(log, { signers: [key] })
    expect((await untilTrouble()).message).to.match(/^The last checkpoint of the event store is not signed by a key/)
    expect(notary.sealed).to.equal(undefined)
    await close()
  })

  it('of a new data folder seals a restored log anew, until an anchor knows of it', async () => {
    const log = await open(written(3))
    const other = startNotary(log, { signers: [signer()] })
    await other.settle(3)
    await other.close()
    const anchors = [path.join(folder, 'restored')]
    const first = startNotary(log, { signers: [key], mayBeNew: true, anchors })
    expect(await first.settle(3)).to.equal(undefined)
    await first.close()
    expect(openCheckpoint((await lastSeal(log.store)).seal!.note, verifiers).size).to.equal(3)
    const stranger = startNotary(log, { signers: [signer()], mayBeNew: true, anchors })
    expect((await stranger.untilTrouble()).message).to.include('is not signed by a key of this log')
    await stranger.close()
  })

  it('replaces a key by way of a checkpoint that both have signed', async () => {
    const log = await open(written(2))
    const [old, next] = [signer(), signer()]
    for (const [signers, size] of [
      [[old], 2],
      [[next, old], 3],
      [[next], 4],
    ] as const) {
      if (size > 2) await log.append(written(1, size))
      const running = startNotary(log, { signers })
      expect(await running.settle(size)).to.equal(undefined)
      await running.close()
    }
    const { seal } = await lastSeal(log.store)
    expect(openCheckpoint(seal!.note, [verifierOf(next)]).verified).to.deep.equal([ORIGIN])
    expect(() => openCheckpoint(seal!.note, [verifierOf(old)])).to.throw('No known key signed it')
  })

  it('goes on under another name as another log', async () => {
    const log = await open(written(2))
    const first = startNotary(log, { signers: [key] })
    await first.settle(2)
    await first.close()
    const renamed = { ...key, name: 'example.com/kogi/2' }
    const second = startNotary(log, { signers: [renamed], origin: renamed.name })
    while ((await lastSeal(log.store)).seal?.note.startsWith(renamed.name) !== true) await sleep(5)
    await second.close()
    const { seal } = await lastSeal(log.store)
    expect(openCheckpoint(seal!.note, [verifierOf(renamed)]).size).to.equal(2)
  })

  it('of two never lets both sign, whoever is faster', async () => {
    const log = await open(written(1))
    const both = [startNotary(log, { signers: [key], sealMs: 3 }), startNotary(log, { signers: [key], sealMs: 40 })]
    for (let size = 2; size <= 30; size += 1) {
      await log.append(written(1, size))
      await sleep(5)
    }
    while ((await lastSeal(log.store)).seal?.size !== 30) await sleep(5)
    const ended = await Promise.all(both.map(each => each.close()))
    expect(ended.filter(error => error?.name === 'LostRaceError')).to.have.length(1)
    const events = await log.events()
    const sizes = (await sealsOf(log)).map(({ size, root }) => {
      expect(root).to.equal(rootOf(events.slice(0, size)))
      return size
    })
    expect(sizes).to.deep.equal([...sizes].sort((a, b) => a - b))
  })

  it('gives every anchor the last checkpoint, also one that was away', async () => {
    const log = await open(written(2))
    const taken: string[] = []
    let isAway = true
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk))
      request.on('end', () => {
        if (!isAway) taken.push(Buffer.concat(chunks).toString())
        response.writeHead(isAway ? 500 : 204).end()
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/checkpoints`
    const file = path.join(folder, 'anchors', 'last')
    const { notary, untilTrouble, close } = startNotary(log, { signers: [key], anchors: [file, address] })
    expect((await untilTrouble()).message).to.include('answered 500')
    isAway = false
    while (taken.length === 0) await sleep(20)
    expect([taken.at(-1), await readFile(file, 'utf8')]).to.deep.equal([notary.sealed!.note, notary.sealed!.note])
    await close()
    server.close()
  })

  it('refuses an anchor that holds no checkpoint', async () => {
    const log = await open(written(2))
    const file = path.join(folder, 'broken')
    await writeFile(file, `${ORIGIN}\nnothing\n`)
    const { untilTrouble, close } = startNotary(log, { signers: [key], anchors: [file] })
    expect((await untilTrouble()).message).to.include(`The last checkpoint of ${file} is not signed`)
    await close()
  })
})
