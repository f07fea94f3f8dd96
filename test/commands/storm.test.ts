import { expect } from 'chai'
import fc from 'fast-check'
import type { EventStore } from '../../commands/ports.ts'
import { balanceOf, credit, eventStore, eventsOf, noAnswer, openWallet, type Send, startProcess } from './support.ts'

const COMMANDS = process.env.KOGI_LONG ? 10_000 : 100
const CLIENTS = 8
const STREAMS = 40
const AGAIN = ['conflict', 'outcome_unknown', 'engine_unavailable']

describe('storm', () => {
  const log = eventStore()

  it(`${COMMANDS} commands, each sent 1 to 5 times by ${CLIENTS} clients over cut connections`, async function () {
    this.timeout(600_000)
    const seed = Number(process.env.KOGI_SEED ?? Date.now() % 1e9)
    const random = dice(seed)
    const ids: string[] = []
    for (let n = 0; n < STREAMS; n += 1) ids.push(await openWallet(startProcess(log.port).send))

    const commands = Array.from({ length: COMMANDS }, (_, n) => credit(ids[n % STREAMS]!, BigInt(n + 1), `storm-${n}`))
    const sendings = commands.flatMap(command => Array<typeof command>(1 + random(5)).fill(command))
    shuffle(sendings, random)
    const clients = Array.from({ length: CLIENTS }, () => startProcess(cutting(log.port, random)).send)
    const shares = clients.map((send, client) =>
      run(
        send,
        sendings.filter((_, n) => n % CLIENTS === client),
      ),
    )
    const replays = (await Promise.all(shares)).reduce((sum, replayed) => sum + replayed, 0)

    const reproduce = `KOGI_SEED=${seed}`
    expect(replays, reproduce).to.be.greaterThan(0)
    const keys = new Set<string>()
    let effects = 0
    for (const [n, id] of ids.entries()) {
      const entries = (await eventsOf(log.port, id)).slice(2)
      for (const { metadata } of entries) keys.add(metadata.commandId)
      effects += entries.length
      const expected = commands.reduce((sum, { body }, k) => (k % STREAMS === n ? sum + body.amount : sum), 0n)
      expect(await balanceOf(log.port, id), reproduce).to.equal(expected)
    }
    expect({ effects, keys: keys.size }, reproduce).to.deep.equal({ effects: COMMANDS, keys: COMMANDS })
  })

  it(`${COMMANDS} commands on one stream, 20 at once from each of ${CLIENTS} clients, some again`, async function () {
    this.timeout(600_000)
    const seed = Number(process.env.KOGI_SEED ?? Date.now() % 1e9)
    const random = dice(seed)
    const id = await openWallet(startProcess(log.port).send)
    const commands = Array.from({ length: COMMANDS }, (_, n) => credit(id, BigInt(n + 1), `storm-${n}`))
    const sendings = commands.flatMap(command => Array<typeof command>(1 + random(3)).fill(command))
    shuffle(sendings, random)
    const lanes = Array.from({ length: CLIENTS }, () => startProcess(cutting(log.port, random)).send).flatMap(send =>
      Array.from({ length: 20 }, () => send),
    )
    const share = (lane: number) => sendings.filter((_, n) => n % lanes.length === lane)
    await Promise.all(lanes.map((send, lane) => run(send, share(lane))))

    const entries = (await eventsOf(log.port, id)).slice(2)
    const keys = new Set(entries.map(({ metadata }) => metadata.commandId))
    const reproduce = `KOGI_SEED=${seed}`
    expect({ effects: entries.length, keys: keys.size }, reproduce).to.deep.equal({ effects: COMMANDS, keys: COMMANDS })
    expect(await balanceOf(log.port, id), reproduce).to.equal(BigInt((COMMANDS * (COMMANDS + 1)) / 2))
  })

  it('whatever is sent how often, by whom, with whichever answers lost: one effect for each key', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            /** Sent at once. */
            keys: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
            client: fc.nat(2),
            cut: fc.constantFrom('', '', 'before', 'after'),
          }),
          { maxLength: 15 },
        ),
        async sendings => {
          let cut = ''
          const port = cuttingAs(log.port, () => cut)
          const clients = [0, 1, 2].map(() => startProcess(port).send)
          const id = await openWallet(clients[0]!)
          const done = new Set<number>()
          for (const { keys, client, cut: where } of sendings) {
            cut = where
            const answers = keys.map(async key => {
              const sent = clients[client]!(credit(id, BigInt(10 ** key), `key-${key}`))
              if (await sent.then(() => true, swallow)) done.add(key)
            })
            await Promise.all(answers)
            cut = ''
          }
          const expected = [...done].reduce((sum, key) => sum + BigInt(10 ** key), 0n)
          expect(await balanceOf(log.port, id)).to.equal(expected)
        },
      ),
      { numRuns: process.env.KOGI_LONG ? 500 : 12 },
    ))
})

/** Sends one after another, each until it is through; says how many were replays. */
async function run(send: Send, sendings: readonly Parameters<Send>[0][]): Promise<number> {
  let replays = 0
  for (const command of sendings) {
    for (let sent = false; !sent; ) {
      try {
        if ((await send(command)).replayed) replays += 1
        sent = true
      } catch (error) {
        if (!AGAIN.includes((error as { code: string }).code)) throw error
      }
    }
  }
  return replays
}

function swallow(error: { code?: string }): false {
  if (error.code === undefined || !AGAIN.includes(error.code)) throw error
  return false
}

/** Loses one append in ten on its way there, and one answer in ten on its way back. */
const cutting = (port: EventStore, random: (n: number) => number) =>
  cuttingAs(port, () => ['before', 'after'][random(10)] ?? '')

const cuttingAs = (port: EventStore, cut: () => string): EventStore => ({
  ...port,
  async append(...args) {
    const where = cut()
    if (where === 'before') throw noAnswer()
    const appended = await port.append(...args)
    if (where === 'after') throw noAnswer()
    return appended
  },
})

/** Whole numbers below n, the same for the same seed (mulberry32). */
function dice(seed: number): (n: number) => number {
  let state = seed
  return n => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n
  }
}

function shuffle<T>(items: T[], random: (n: number) => number): void {
  for (let n = items.length - 1; n > 0; n -= 1) {
    const other = random(n + 1)
    ;[items[n], items[other]] = [items[other]!, items[n]!]
  }
}
