import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { idOf, newFrameView, parseFrame, streamOf } from '../../../infra/embedded/event-store/frame.ts'
import { frameOffsets } from '../../../infra/embedded/event-store/scan.ts'
import { Store } from '../../../infra/embedded/event-store/store.ts'
import { verify } from '../../../infra/embedded/event-store/verify.ts'
import { batchCall, batchRequest, batchResponse } from '../../contracts/event-store/messages.ts'
import { RawClient } from '../../contracts/event-store/raw.ts'

const KILLS = process.env.KOGI_LONG ? 200 : 6
const SEED = Number(process.env.KOGI_SEED ?? Math.floor(Math.random() * 2 ** 31))
const WRITERS = 8
const SERVER = new URL('./server.ts', import.meta.url).pathname
const STAGES = ['before', 'during', 'after', 'random'] as const

interface Append {
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
    const appends: Append[] = []
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        await loadUntilKilled(folder, STAGES[kill % STAGES.length]!, random, appends)
        await check(folder, appends)
      }
    } catch (error) {
      throw new Error(`KOGI_SEED=${SEED}: ${(error as Error).message}`, { cause: error })
    }
    const acknowledged = appends.filter(append => append.acknowledged !== undefined).length
    expect(acknowledged).to.be.greaterThan(KILLS * 10)
    expect(appends.length).to.be.greaterThan(acknowledged)
  }).timeout(KILLS * 15_000)
})

async function loadUntilKilled(
  folder: string,
  stage: (typeof STAGES)[number],
  random: (below: number) => number,
  appends: Append[],
): Promise<void> {
  const commits = String(5 + random(60))
  const child = spawn(process.execPath, ['--import', 'tsx', SERVER, folder, stage, commits], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const raw = new RawClient(url)
  const exit = once(child, 'exit')
  const writers = Array.from({ length: WRITERS }, (_, n) => write(raw, child, `kill-${n % 5}`, random, appends))
  if (stage === 'random') setTimeout(() => child.kill('SIGKILL'), 20 + random(300))
  await exit
  await Promise.all(writers)
  raw.close()
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

/** Reads the folder without a server and holds it against what the writers know. */
async function check(folder: string, appends: readonly Append[]): Promise<void> {
  const store = new Store(folder, { noSync: false })
  try {
    expect(verify(store).problems).to.deep.equal([])
    const found = new Map<string, { stream: string; revision: number }[]>()
    const view = newFrameView()
    for (const { bytes } of store.allBlocks())
      for (const at of frameOffsets(bytes)) {
        parseFrame(bytes, at, view)
        const places = found.get(idOf(view))
        const place = { stream: streamOf(view), revision: view.revision }
        if (places) places.push(place)
        else found.set(idOf(view), [place])
      }
    for (const append of appends) checkAppend(append, found)
  } finally {
    await store.close()
  }
}

function checkAppend(
  append: Append,
  found: ReadonlyMap<string, readonly { stream: string; revision: number }[]>,
): void {
  const places = append.ids.map(id => found.get(id) ?? [])
  const present = places.filter(one => one.length > 0).length
  if (present > 0 || append.acknowledged !== undefined)
    expect(present, 'an append is there wholly').to.equal(append.ids.length)
  if (present === 0) return
  for (const one of places) expect(one, 'each event is there once').to.have.length(1)
  const revisions = places.map(([only]) => only!.revision)
  expect(revisions, 'in its order').to.deep.equal(revisions.map((_, n) => revisions[0]! + n))
  expect(new Set(places.map(([only]) => only!.stream))).to.deep.equal(new Set([append.stream]))
  if (append.acknowledged !== undefined) expect(revisions.at(-1)).to.equal(append.acknowledged)
}
