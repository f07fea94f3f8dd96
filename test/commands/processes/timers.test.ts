import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type Timer, type TimerDeps, Timers } from '../../../commands/processes/timers.ts'
import { transfer } from '../../../domain/wallet/transfer/transfer.ts'
import { aggregates } from '../../../infra/catalogue.ts'
import { silentLog } from '../../../infra/log.ts'
import { fold, sortedRows } from '../../../projections/rows/fold.ts'
import { transferTimers } from '../../../projections/wallet/transfer-timers.ts'
import { openWallet, type Send, startProcess } from '../support.ts'
import { allEvents, processStore, until } from './support.ts'

const HOUR_MS = 3_600_000

describe('timers', () => {
  const store = processStore()
  const stops: (() => Promise<void>)[] = []
  let send: Send
  let now: number
  /** Rows that stay as they are, as those of a projector that has fallen behind. */
  let kept: readonly Timer[] | undefined

  beforeEach(() => {
    send = startProcess(store.port).send
    now = Date.now()
    kept = undefined
  })
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })

  const rows = async (): Promise<readonly Timer[]> => {
    const folded = await fold([transferTimers], await allEvents(store.log))
    return sortedRows(folded, transferTimers) as unknown as Timer[]
  }
  /** The timers of a worker of its own, on a clock that the test sets. */
  function start(more: Partial<TimerDeps> = {}) {
    const fired: string[] = []
    const timers = new Timers({
      ...startProcess(store.port).deps,
      now: () => new Date(now).toISOString(),
      aggregates: new Map(aggregates.map(aggregate => [aggregate.name, aggregate])),
      due: async (by, without) =>
        (kept ?? (await rows())).filter(({ due_at, event }) => due_at <= by && !without.includes(event)),
      log: silentLog,
      pausesMs: [1],
      onFired: ({ thing }) => fired.push(thing),
      ...more,
    })
    const stop = new AbortController()
    const running = timers.run(stop.signal)
    const end = async () => {
      stop.abort()
      await running
    }
    stops.push(end)
    return { timers, fired, end }
  }
  const schedule = async (inMs: number) => {
    const [from, to] = [await openWallet(send, 10n), await openWallet(send)]
    const id = `t-${randomUUID()}`
    const body = { from, from_account: 'a', to, to_account: 'a', currency: 'EUR', amount: 1n }
    const due_at = new Date(now + inMs).toISOString()
    await send({ aggregate: transfer, name: 'request', id, opens: true, body: { ...body, due_at } })
    return id
  }
  const begun = async (id: string) =>
    (await allEvents(store.log)).filter(({ type, metadata }) => metadata.id === id && type === 'TransferRequested')
      .length

  it('fire once when they are due, however many workers there are', async () => {
    const id = await schedule(HOUR_MS)
    const workers = [start(), start(), start()]
    await sleep(50)
    expect(await begun(id), 'before its time').to.equal(0)
    now += HOUR_MS
    await until(
      () =>
        workers.every(({ fired, timers }) => fired.includes(id) || timers.stuck.count > 0) ||
        begun(id).then(n => n > 0),
    )
    await sleep(50)
    expect(await begun(id)).to.equal(1)
    expect(workers.map(({ timers }) => timers.stuck.count)).to.deep.equal([0, 0, 0])
  })

  it('fire once where their rows are there again, after a restart or a rebuild', async () => {
    const id = await schedule(HOUR_MS)
    kept = await rows()
    now += HOUR_MS
    const first = start()
    await until(() => first.fired.includes(id))
    await first.end()
    const second = start()
    await until(() => second.fired.includes(id))
    expect(await begun(id)).to.equal(1)
  })

  it('fire at once after a jump of the clock, and nothing again when it goes back', async () => {
    const id = await schedule(24 * 365 * HOUR_MS)
    const worker = start()
    now += 24 * 400 * HOUR_MS
    await until(() => worker.fired.includes(id))
    now -= 24 * 400 * HOUR_MS
    await sleep(50)
    expect(worker.fired.filter(thing => thing === id)).to.have.length(1)
    expect(await begun(id)).to.equal(1)
  })

  it('that cannot fire are tried again, count as stuck, and hold up no other', async () => {
    const id = await schedule(HOUR_MS)
    const bad = { ...(await rows())[0]!, thing: 'nothing', event: randomUUID() }
    kept = [bad, ...(await rows())]
    now += HOUR_MS
    const worker = start()
    await until(() => worker.fired.includes(id))
    for (let tick = 0; tick < 10; tick++) {
      now += 10
      await sleep(60)
    }
    await until(() => {
      now += 10
      return worker.timers.stuck.count === 1
    })
    expect(worker.timers.stuck.error?.message).to.match(/There is no transfer nothing/)
  })
})
