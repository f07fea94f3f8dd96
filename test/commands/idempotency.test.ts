import { expect } from 'chai'
import type { EventStore } from '../../commands/ports.ts'
import { SNAPSHOT_EVERY } from '../../commands/streams.ts'
import { accountOf, type Wallet, wallet } from '../../domain/wallet/wallet/wallet.ts'
import {
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

/** Enough for several snapshots and blocks of command ids. */
const LONG = process.env.KOGI_LONG ? 3000 : 1100

describe('idempotency', () => {
  const log = eventStore()

  it('answers a repeated command with its first receipt, here and in another process', async () => {
    const a = startProcess(log.port)
    const id = await openWallet(a.send)
    const command = credit(id, 7n)
    const first = await a.send(command)
    await a.send(credit(id, 1n))
    for (const { send } of [a, startProcess(log.port)]) {
      expect(await send(command)).to.deep.equal({ ...first, replayed: true })
    }
    expect(await balanceOf(log.port, id)).to.equal(8n)
  })

  it('looks before it decides: a repeated withdrawal is not refused for what it took itself', async () => {
    const { send } = startProcess(log.port)
    const id = await openWallet(send, 500n)
    const command = debit(id, 400n)
    await send(command)
    expect(await send(command)).to.have.property('replayed', true)
    expect(await startProcess(log.port).send(command)).to.have.property('replayed', true)
  })

  it('replays what a process with a cache that lags behind has not seen', async () => {
    const [a, b] = [startProcess(log.port), startProcess(log.port)]
    const id = await openWallet(a.send, 500n)
    const [first, second] = [debit(id, 400n), debit(id, 100n)]
    const receipts = [await b.send(first), await b.send(second)]
    const again = [await a.send(second), await a.send(first)]
    expect(again.map(({ revision }) => revision)).to.deep.equal([receipts[1]!.revision, receipts[0]!.revision])
    expect(await eventsOf(log.port, id)).to.have.length(5)
  })

  it('refuses a key that was used for another command, warm and cold', async () => {
    const a = startProcess(log.port)
    const id = await openWallet(a.send, 500n)
    const command = debit(id, 4n, 'key')
    await a.send(command)
    for (const { send } of [a, startProcess(log.port)]) {
      expect(await codeOf(send(debit(id, 5n, 'key')))).to.equal('idempotency_key_reused')
      expect(await codeOf(send({ name: 'close', id, body: {}, idempotencyKey: 'key' }))).to.equal(
        'idempotency_key_reused',
      )
      expect(await codeOf(send(debit(id, 10_000n, 'key')))).to.equal('idempotency_key_reused')
    }
    const stale = startProcess(log.port)
    await stale.send(credit(id, 1n))
    await a.send(debit(id, 1n, 'later'))
    expect(await codeOf(stale.send(debit(id, 2n, 'later')))).to.equal('idempotency_key_reused')
    expect(await balanceOf(log.port, id)).to.equal(496n)
  })

  it('holds per thing: the same key on another is another command', async () => {
    const { send } = startProcess(log.port)
    const ids = [await openWallet(send), await openWallet(send)]
    for (const id of ids) expect(await send(credit(id, 1n, 'same'))).to.have.property('replayed', false)
  })

  it('does not see a command in ids that look alike', async () => {
    const { send, deps } = startProcess(log.port)
    const id = await openWallet(send)
    const { loaded } = await deps.streams.load(wallet, (await send(credit(id, 1n))).stream)
    // an id whose first 48 bits are those of a command that is there
    const [known] = (await eventsOf(log.port, id)).slice(-1)
    const twin = `${known!.metadata.commandId.slice(0, 13)}-5000-8000-000000000000`
    expect(loaded.commands.candidates(twin)).to.deep.equal([{ from: 2, count: 1 }])
    loaded.commands.add(twin.replaceAll('-', '').slice(0, 16))
    expect(loaded.commands.candidates(twin)).to.deep.equal([{ from: 2, count: 2 }])
  })

  describe(`in a stream of ${LONG} commands`, function () {
    this.timeout(60_000)
    let id: string
    let first: Awaited<ReturnType<ReturnType<typeof startProcess>['send']>>
    const key = (n: number) => `key-${n}`

    before(async () => {
      const { send } = startProcess(log.port)
      id = await openWallet(send)
      first = await send(credit(id, 1n, key(0)))
      for (let n = 1; n < LONG; n += 1) await send(credit(id, BigInt(n + 1), key(n)))
      // snapshots are written beside the commands: the last one may still be on its way
      await new Promise(resolve => setTimeout(resolve, 100))
    })

    /** The first, those around the saved ones, and the last. */
    const some = [0, 497, 498, 499, 1000, LONG - 1]
    const replaysAll = async (port: EventStore) => {
      const { send } = startProcess(port)
      for (const n of some) {
        const receipt = await send(credit(id, BigInt(n + 1), key(n)))
        expect(receipt, key(n)).to.deep.include({ replayed: true, revision: BigInt(n + 2) })
        if (n === 0) expect(receipt).to.deep.equal({ ...first, replayed: true })
      }
      expect(await codeOf(send(credit(id, 9n, key(0))))).to.equal('idempotency_key_reused')
      expect(await codeOf(send(debit(id, 10n ** 30n)))).to.equal('insufficient_funds')
    }

    it('finds every one of them after a restart', async () => {
      await replaysAll(log.port)
      for (const n of some) {
        const receipt = await startProcess(log.port).send(credit(id, BigInt(n + 1), key(n)))
        expect(receipt, key(n)).to.have.property('replayed', true)
      }
      expect(await eventsOf(log.port, id)).to.have.length(LONG + 2)
    })

    it('keeps one snapshot, with balances as bigint', async () => {
      expect(await snapshotsOf(log.port, id)).to.have.length(1)
      const { loaded } = await startProcess(log.port).deps.streams.load(wallet, first.stream)
      expect(accountOf(loaded.state as Wallet, 'a', 'EUR')?.amount).to.equal(BigInt((LONG * (LONG + 1)) / 2))
      expect(loaded.snapshotAt).to.equal(BigInt(Math.floor((LONG + 2) / SNAPSHOT_EVERY) * SNAPSHOT_EVERY - 1))
      expect(loaded.commands.size).to.equal(LONG + 2)
    })

    it('reads the tail alone: what was saved spares the rest', async () => {
      const counted = counting(log.port)
      await startProcess(counted.port).send(credit(id, 1n, key(0)))
      expect(counted.events()).to.be.lessThan(2 * SNAPSHOT_EVERY + 64)
    })

    it('does not need what was saved', () => replaysAll({ ...log.port, readDerived: async () => [] }))

    it('does not need the command ids', () => replaysAll(without(log.port, 'wallet_commands-')))

    it('does not need the snapshots', () => replaysAll(without(log.port, 'wallet_snapshot-')))

    it('does not read a snapshot of another shape', () =>
      replaysAll({
        ...log.port,
        readDerived: async (stream, ...rest) =>
          (await log.port.readDerived(stream, ...rest)).map(event => {
            const data = event.data as { schema: number }
            return stream.startsWith('wallet_snapshot-')
              ? { ...event, data: { ...data, schema: 0, state: null } }
              : event
          }),
      }))

    it('does without the blocks after one that is missing, and without repeated ones', async () => {
      const commandsOf = (change: (blocks: readonly unknown[]) => readonly unknown[]): EventStore => ({
        ...log.port,
        readDerived: async (stream, ...rest) => {
          const events = await log.port.readDerived(stream, ...rest)
          return (stream.startsWith('wallet_commands-') ? change(events) : events) as typeof events
        },
      })
      await replaysAll(commandsOf(blocks => blocks.slice(1)))
      await replaysAll(commandsOf(blocks => blocks.filter((_, n) => n !== 2)))
      await replaysAll(commandsOf(blocks => blocks.flatMap(block => [block, block])))
    })

    it('goes on where nothing can be saved', async () => {
      const port: EventStore = {
        ...log.port,
        appendDerived: async () => {
          throw noAnswer()
        },
      }
      const { send, snapshotsFailed } = startProcess(port)
      const other = await openWallet(send)
      for (let n = 0; n < 600; n += 1) await send(credit(other, 1n))
      expect(snapshotsFailed).to.have.length.greaterThan(0)
      expect(await balanceOf(port, other)).to.equal(600n)
    })
  })
})

/** Counts the events that are read through a port. */
function counting(port: EventStore): { readonly port: EventStore; readonly events: () => number } {
  let events = 0
  const read: EventStore['read'] = async (...args) => {
    const page = await port.read(...args)
    events += page.length
    return page
  }
  return { port: { ...port, read }, events: () => events }
}

/** The log without derived streams of one kind. */
const without = (port: EventStore, prefix: string): EventStore => ({
  ...port,
  readDerived: async (stream, ...rest) => (stream.startsWith(prefix) ? [] : port.readDerived(stream, ...rest)),
})
