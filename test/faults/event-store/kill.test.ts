/** Kills a server under load, again and again, and checks after each kill what its folder holds. */
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import { verify } from '../../../infra/embedded/event-store/care/verify.ts'
import { idOf, newFrameView, parseFrame, streamOf } from '../../../infra/embedded/event-store/log/frame.ts'
import { frameOffsets } from '../../../infra/embedded/event-store/log/scan.ts'
import { Store } from '../../../infra/embedded/event-store/log/store.ts'
import { firstLine, kill, script, startChild } from '../../contracts/event-store/child.ts'
import { batchCall, batchRequest, batchResponse } from '../../contracts/event-store/messages.ts'
import { RawClient } from '../../contracts/event-store/raw.ts'
import { patient } from '../../support/pace.ts'

const KILLS = process.env.KOGI_LONG ? 200 : 4
const SEED = Number(process.env.KOGI_SEED ?? Math.floor(Math.random() * 2 ** 31))
const WRITERS = 8
/** How long one round may take, which is less than its share of the test's time. */
const KILL_MS_MAX = 12_000
const STAGES = ['before', 'during', 'after', 'moving', 'moved', 'random'] as const

type Append = {
  readonly stream: string
  readonly ids: readonly string[]
  /** Revision of the last event, once the server has answered. */
  acknowledged: number | undefined
}

/** Mulberry32: a failing run is repeated by its seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

describe('the event store, killed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kogi-kill-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it(`${KILLS} times under load, keeps every acknowledged append once and every other wholly or not`, async () => {
    const random = randomFrom(SEED)
    const history = new History()
    let sent = 0
    let acknowledged = 0
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        const appends: Append[] = []
        await loadUntilKilled(folder, STAGES[kill % STAGES.length]!, random, appends)
        await withStore(folder, store => history.check(store, appends))
        sent += appends.length
        acknowledged += appends.filter(append => append.acknowledged !== undefined).length
      }
      await withStore(folder, store => expect(verify(store)).to.deep.include({ events: history.events, problems: [] }))
    } catch (error) {
      throw new Error(`KOGI_SEED=${SEED}: ${(error as Error).message}`, { cause: error })
    }
    expect(acknowledged).to.be.greaterThan(KILLS * 10)
    expect(sent).to.be.greaterThan(acknowledged)
  }).timeout(KILLS * 15_000)
})

async function loadUntilKilled(
  folder: string,
  stage: (typeof STAGES)[number],
  random: (below: number) => number,
  appends: Append[],
): Promise<void> {
  const commits = String(5 + random(60))
  const child = startChild(process.execPath, [...script('./server.ts', import.meta.url), folder, stage, commits])
  // A server that does not end by itself would keep the writers busy for ever.
  const patience = setTimeout(() => child.kill('SIGKILL'), patient(KILL_MS_MAX))
  try {
    const raw = new RawClient(await firstLine(child))
    const exit = once(child, 'exit')
    const writers = Array.from({ length: WRITERS }, (_, n) => write(raw, child, `kill-${n % 5}`, random, appends))
    if (stage === 'random') setTimeout(() => child.kill('SIGKILL'), 20 + random(300))
    await exit
    await Promise.all(writers)
    raw.close()
  } finally {
    clearTimeout(patience)
    await kill(child)
  }
}

/** Appends batches of one to twenty events, several in flight, until the server is gone. */
async function write(
  raw: RawClient,
  child: ChildProcess,
  stream: string,
  random: (below: number) => number,
  appends: Append[],
): Promise<void> {
  const call = batchCall(raw)
  const byCorrelation = new Map<string, Append>()
  let answered = 0
  while (child.exitCode === null && child.signalCode === null && !call.stream.closed) {
    const correlation = randomUUID()
    const append: Append = {
      stream,
      ids: Array.from({ length: 1 + random(20) }, () => randomUUID()),
      acknowledged: undefined,
    }
    const data = Buffer.alloc(random(500), 1)
    byCorrelation.set(correlation, append)
    appends.push(append)
    call.send(
      batchRequest(
        stream,
        'any',
        append.ids.map(id => ({ id, data })),
        { correlation },
      ),
    )
    const messages = await call.received(Math.max(0, byCorrelation.size - 3))
    for (; answered < messages.length; answered++) {
      const { correlation: which, success } = batchResponse(messages[answered]!)
      if (success) byCorrelation.get(which!)!.acknowledged = Number(success.currentRevision)
    }
  }
}

/** Reads the folder without a server, and leaves it as it is for the next one. */
async function withStore(folder: string, work: (store: Store) => void): Promise<void> {
  const store = new Store(folder, { readOnly: { isServed: false } })
  try {
    work(store)
  } finally {
    await store.close()
  }
}

/**
 * What the kills so far have left. Each check reads everything: what was there before must be the same to the byte, and
 * what is new must be appends since the kill before, whole, once and in order.
 */
class History {
  events = 0
  #end = 0
  #checksum = 0
  readonly #lastRevisions = new Map<string, number>()

  check(store: Store, appends: readonly Append[]): void {
    let checksum = 0
    for (const { position, bytes } of store.allBlocks()) if (position < this.#end) checksum = crc32(bytes, checksum)
    expect(checksum, 'what was stored before').to.equal(this.#checksum)
    expect(verify(store, this.#end).problems).to.deep.equal([])
    const found = this.#newEvents(store)
    for (const append of appends) checkAppend(append, found)
    const sent = new Set(appends.flatMap(append => append.ids))
    for (const [id, { stream }] of found)
      if (stream.startsWith('kill-')) expect(sent.has(id), 'who sent it').to.equal(true)
    for (const { bytes } of store.allBlocks(this.#end)) checksum = crc32(bytes, checksum)
    this.#checksum = checksum
    this.#end = store.state.nextPosition
  }

  /** The events behind those checked before, by id; every stream goes on without a gap. */
  #newEvents(store: Store): Map<string, Place> {
    const found = new Map<string, Place>()
    const view = newFrameView()
    for (const { bytes } of store.allBlocks(this.#end))
      for (const at of frameOffsets(bytes)) {
        parseFrame(bytes, at, view)
        const place = { stream: streamOf(view), revision: view.revision }
        expect(found.has(idOf(view)), 'each event is there once').to.equal(false)
        expect(place.revision).to.equal((this.#lastRevisions.get(place.stream) ?? -1) + 1)
        this.#lastRevisions.set(place.stream, place.revision)
        found.set(idOf(view), place)
        this.events++
      }
    return found
  }
}

type Place = {
  readonly stream: string
  readonly revision: number
}

function checkAppend(append: Append, found: ReadonlyMap<string, Place>): void {
  const places = append.ids.flatMap(id => found.get(id) ?? [])
  if (places.length > 0 || append.acknowledged !== undefined)
    expect(places.length, 'an append is there wholly').to.equal(append.ids.length)
  if (places.length === 0) return
  const revisions = places.map(({ revision }) => revision)
  expect(revisions, 'in its order').to.deep.equal(revisions.map((_, n) => revisions[0]! + n))
  expect(new Set(places.map(({ stream }) => stream))).to.deep.equal(new Set([append.stream]))
  if (append.acknowledged !== undefined) expect(revisions.at(-1)).to.equal(append.acknowledged)
}
