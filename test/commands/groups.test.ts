import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import type { Command } from '../../commands/command.ts'
import type { EventStore, NewEvent } from '../../commands/ports.ts'
import { SNAPSHOT_EVERY } from '../../commands/streams.ts'
import { item } from '../../domain/briefcase/item/item.ts'
import { wallet } from '../../domain/wallet/wallet/wallet.ts'
import {
  addItem,
  balanceOf,
  codeOf,
  credit,
  debit,
  eventStore,
  eventsOf,
  noAnswer,
  openWallet,
  snapshotsOf,
  startProcess,
} from './support.ts'

type Send = ReturnType<typeof startProcess>['send']
type Sent = Parameters<Send>[0]

/** What each command is answered, in short: its revision, whether it was replayed, or the code of its error. */
const outcomes = (send: Send, commands: readonly Sent[]) =>
  Promise.all(
    commands.map(command =>
      send(command).then(
        ({ revision, replayed, events }) =>
          `${replayed ? 'replayed ' : ''}${revision}${events.length === 0 ? ' unchanged' : ''}`,
        (error: { code: string }) => error.code,
      ),
    ),
  )

describe('commands that wait for one stream', () => {
  const log = eventStore()

  /** The log with another `append`, and the appends that came through to it. */
  function watched(append: EventStore['append'] = (...args) => log.port.append(...args)) {
    const appends: (readonly NewEvent[])[] = []
    const port: EventStore = {
      ...log.port,
      append(stream, expected, events) {
        appends.push(events)
        return append(stream, expected, events)
      },
    }
    return { port, appends }
  }

  it('are appended together, each with ids and a receipt of its own', async () => {
    const { port, appends } = watched()
    const { send } = startProcess(port)
    const id = await openWallet(send)
    const commands = Array.from({ length: 50 }, (_, n) => credit(id, BigInt(n + 1)))
    const receipts = await Promise.all(commands.map(send))
    expect(appends.slice(2).length, 'more than one where the first would wait for too long').to.be.within(1, 6)
    const stored = (await eventsOf(log.port, id)).slice(2)
    expect(new Set(stored.map(({ metadata }) => metadata.commandId)).size).to.equal(50)
    for (const [n, { revision, events, replayed }] of receipts.entries()) {
      const { eventId, data } = stored[n]!
      expect({ revision, replayed }).to.deep.equal({ revision: BigInt(n + 2), replayed: false })
      expect(events).to.deep.equal([{ type: 'EntryPosted', eventId, revision, data }])
    }
  })

  it('have receipts of their own positions, also where they were appended together', async () => {
    const { send } = startProcess(log.port)
    const id = await openWallet(send)
    const receipts = await Promise.all(Array.from({ length: 20 }, (_, n) => send(credit(id, BigInt(n + 1)))))
    const stored = (await eventsOf(log.port, id)).slice(2)
    expect(receipts.map(({ position }) => position)).to.deep.equal(stored.map(({ position }) => position))
  })

  it('are appended as many as one append holds', async () => {
    const { port, appends } = watched()
    const { send } = startProcess(port)
    const id = await openWallet(send)
    await Promise.all(Array.from({ length: 450 }, () => send(credit(id, 1n))))
    for (const events of appends) expect(events.length).to.be.at.most(100)
    expect(appends.length).to.be.lessThan(20)
    expect(await balanceOf(log.port, id)).to.equal(450n)

    const big = await addItem(send)
    appends.length = 0
    const describe = (n: number) => ({
      aggregate: item,
      name: 'update',
      id: big,
      body: { description: `${n}`.padStart(10_000, 'é') },
    })
    await Promise.all(Array.from({ length: 150 }, (_, n) => send(describe(n))))
    for (const events of appends) expect(JSON.stringify(events).length).to.be.lessThan(1_000_000)
    expect(await eventsOf(log.port, big, item)).to.have.length(151)
  })

  it('are answered each for itself: accepted, refused, unchanged, repeated, with a revision of their own', async () => {
    const { port, appends } = watched()
    const { send, refused } = startProcess(port)
    const id = await openWallet(send, 100n)
    const again = { name: 'openAccount', id, body: { account: 'a', currency: 'EUR', overdraft: 'refused' } }
    const answers = await outcomes(send, [
      debit(id, 60n, 'first'),
      debit(id, 60n, 'second'),
      again,
      debit(id, 60n, 'first'),
      debit(id, 61n, 'first'),
      { ...credit(id, 1n), expectedRevision: 2n },
      { ...credit(id, 20n), expectedRevision: 3n },
      debit(id, 60n, 'second'),
      debit(id, 60n, 'second'),
    ])
    expect(answers).to.deep.equal([
      '3',
      'insufficient_funds',
      '3 unchanged',
      'replayed 3',
      'idempotency_key_reused',
      'precondition_failed',
      '4',
      '5',
      'replayed 5',
    ])
    expect(appends.at(-1)).to.have.length(3)
    expect(refused.map(({ code }) => code)).to.deep.equal(['insufficient_funds'])
    expect(await balanceOf(log.port, id)).to.equal(0n)
  })

  it('fail alone where one of them breaks', async () => {
    const { send } = startProcess(log.port)
    const id = await openWallet(send)
    const unknown = { ...credit(id, 1n), name: 'unheard' }
    const sent = [send(credit(id, 1n)), send(unknown).catch((error: Error) => error), send(credit(id, 1n))]
    expect((await Promise.all(sent))[1]).to.be.instanceOf(TypeError)
    expect(await balanceOf(log.port, id)).to.equal(2n)
  })

  it('open a thing and go on with it', async () => {
    const { send } = startProcess(log.port)
    const id = `wallet-${randomUUID()}`
    const account = { name: 'openAccount', id, body: { account: 'a', currency: 'EUR', overdraft: 'refused' } }
    const open = { name: 'open', id, body: { kind: 'personal' } }
    expect(await outcomes(send, [credit(id, 1n), open, account, credit(id, 1n), open])).to.deep.equal([
      'not_found',
      '0',
      '1',
      '2',
      'wallet_already_open',
    ])
  })

  it('are refused on fresh state alone, whether others of them are appended or not', async () => {
    const [a, b] = [startProcess(log.port), startProcess(log.port)]
    const id = await openWallet(a.send)
    await b.send(credit(id, 100n))
    expect(await outcomes(a.send, [debit(id, 60n), debit(id, 60n)])).to.deep.equal(['3', 'insufficient_funds'])
    await b.send(credit(id, 100n))
    expect(await outcomes(a.send, [debit(id, 150n), debit(id, 100n)])).to.deep.equal(['insufficient_funds', '5'])
    await b.send(credit(id, 100n))
    expect(await outcomes(a.send, [credit(id, 1n), debit(id, 141n), debit(id, 1n)])).to.deep.equal([
      '7',
      '8',
      'insufficient_funds',
    ])
    expect(a.refused).to.have.length(3)
  })

  it('are all decided again after a lost race', async () => {
    const b = startProcess(log.port)
    const id = await openWallet(b.send, 100n)
    let first = true
    const { port } = watched(async (...args) => {
      if (first) await b.send(debit(id, 60n))
      first = false
      return log.port.append(...args)
    })
    const { send, refused } = startProcess(port)
    const answers = await outcomes(send, [debit(id, 60n), debit(id, 60n), debit(id, 40n), credit(id, 5n)])
    expect(answers).to.deep.equal(['insufficient_funds', 'insufficient_funds', '4', '5'])
    expect(refused).to.have.length(2)
    expect(await balanceOf(log.port, id)).to.equal(5n)
  })

  it('are found by looking where the answer of their append gets lost', async () => {
    let lose = false
    const { port } = watched(async (...args) => {
      const appended = await log.port.append(...args)
      if (lose) throw noAnswer()
      return appended
    })
    const { send } = startProcess(port)
    const id = await openWallet(send, 100n)
    lose = true
    const sent = [debit(id, 60n), debit(id, 60n), credit(id, 1n, 'key'), credit(id, 1n, 'key')]
    expect(await outcomes(send, sent)).to.deep.equal(['replayed 3', 'insufficient_funds', 'replayed 4', 'replayed 4'])
    expect(await balanceOf(log.port, id)).to.equal(41n)
  })

  it('are unknown where their append never arrives, but for those that no append decides', async () => {
    let away = false
    const { port } = watched(async (...args) => {
      if (away) throw noAnswer()
      return log.port.append(...args)
    })
    const { send } = startProcess(port)
    const id = await openWallet(send, 100n)
    const commands = [debit(id, 60n), debit(id, 60n), credit(id, 1n, 'key'), credit(id, 1n, 'key'), debit(id, 500n)]
    away = true
    const answers = await outcomes(send, commands)
    const unknown = Array(4).fill('outcome_unknown')
    expect(answers).to.deep.equal([...unknown, 'insufficient_funds'])
    away = false
    expect(await outcomes(send, commands)).to.deep.equal([
      '3',
      'insufficient_funds',
      '4',
      'replayed 4',
      'insufficient_funds',
    ])
    expect(await balanceOf(log.port, id)).to.equal(41n)
  })

  it('make a snapshot that falls due in their middle, and stay known after it', async () => {
    const { send } = startProcess(log.port)
    const id = await openWallet(send)
    const commands = Array.from({ length: SNAPSHOT_EVERY + 150 }, (_, n) => credit(id, 1n, `key-${n}`))
    await Promise.all(commands.map(send))
    await new Promise(resolve => setTimeout(resolve, 200))
    expect(await snapshotsOf(log.port, id)).to.have.length(1)
    const other = startProcess(log.port)
    const { loaded } = await other.deps.streams.load(wallet, (await send(commands[0]!)).stream)
    expect(loaded.snapshotAt >= BigInt(SNAPSHOT_EVERY - 1)).to.equal(true)
    const again = await Promise.all(commands.map(other.send))
    expect(again.map(({ revision }) => Number(revision))).to.deep.equal(commands.map((_, n) => n + 2))
    expect(again.every(({ replayed }) => replayed)).to.equal(true)
    expect(await balanceOf(log.port, id)).to.equal(BigInt(commands.length))
  })

  describe('in a dry run', () => {
    it('are decided on what those before them would make, and write nothing', async () => {
      const { send, refused } = startProcess(log.port)
      const id = await openWallet(send, 100n)
      const [dry, other] = [Symbol('dry run'), Symbol('dry run')]
      const answers = await outcomes(send, [
        { ...debit(id, 60n, 'a'), dryRun: dry },
        { ...debit(id, 60n, 'b'), dryRun: dry },
        { ...debit(id, 60n, 'a'), dryRun: dry },
        { ...debit(id, 60n, 'b'), dryRun: other },
        debit(id, 30n, 'a'),
        { ...debit(id, 70n, 'b'), dryRun: dry },
      ])
      expect(answers).to.deep.equal(['2', 'insufficient_funds', 'replayed 2', '2', '3', '3'])
      expect(refused).to.deep.equal([])
      expect(await balanceOf(log.port, id)).to.equal(70n)
    })
    it('are decided on the log, not on a cache that lags behind', async () => {
      const [a, b] = [startProcess(log.port), startProcess(log.port)]
      const id = await openWallet(a.send, 100n)
      await b.send(debit(id, 100n))
      expect(await codeOf(a.send({ ...debit(id, 1n), dryRun: Symbol('dry run') }))).to.equal('insufficient_funds')
    })
  })

  it('have the answers and the effects that they have one after another', () =>
    fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 1, maxLength: 12 }), async given => {
        const [together, alone] = [startProcess(log.port), startProcess(log.port)]
        const [x, y] = [await openWallet(together.send, 10n), await openWallet(alone.send, 10n)]
        const answers = await outcomes(
          together.send,
          given.map(of => of(x)),
        )
        const expected: string[] = []
        for (const of of given) expected.push(...(await outcomes(alone.send, [of(y)])))
        expect(answers).to.deep.equal(expected)
        expect(await balanceOf(log.port, x)).to.equal(await balanceOf(log.port, y))
        expect(together.refused.map(({ code }) => code)).to.deep.equal(alone.refused.map(({ code }) => code))
      }),
      { numRuns: process.env.KOGI_LONG ? 1000 : 20 },
    ))
})

/** A command on a wallet that is named later: few keys and amounts, so that all of it meets. */
const anyCommand = fc
  .record({
    make: fc.constantFrom(credit, debit),
    amount: fc.bigInt({ min: 1n, max: 12n }),
    key: fc.constantFrom('a', 'b', undefined, undefined),
    expectedRevision: fc.constantFrom(3n, 4n, undefined, undefined, undefined),
  })
  .map(
    ({ make, amount, key, expectedRevision }) =>
      (id: string): Sent => ({
        ...make(id, amount, key),
        ...(expectedRevision !== undefined && ({ expectedRevision } satisfies Partial<Command>)),
      }),
  )
