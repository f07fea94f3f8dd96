import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { EventStore } from '../../commands/ports.ts'
import {
  balanceOf,
  codeOf,
  credit,
  debit,
  eventStore,
  eventsOf,
  noAnswer,
  openWallet,
  startProcess,
} from './support.ts'

type Append = EventStore['append']

describe('races and lost answers', () => {
  const log = eventStore()

  /** The log with another `append`. */
  const portWith = (append: Append): EventStore => ({ ...log.port, append })

  it('two processes with caches of their own lose no effect', async () => {
    const [a, b] = [startProcess(log.port), startProcess(log.port)]
    const id = await openWallet(a.send)
    await b.send(credit(id, 1n))
    await Promise.all([...Array(25).keys()].flatMap(() => [patient(a, credit(id, 1n)), patient(b, credit(id, 1n))]))
    expect(await balanceOf(log.port, id)).to.equal(51n)
    expect(await eventsOf(log.port, id)).to.have.length(2 + 51)
  })

  it('a race that is always lost ends in a conflict, without an effect', async () => {
    const b = startProcess(log.port)
    const id = await openWallet(b.send)
    let races = 0
    const { send } = startProcess(
      portWith(async (stream, expected, events) => {
        races += 1
        await b.send(credit(id, 1n))
        return log.port.append(stream, expected, events)
      }),
    )
    expect(await codeOf(send(credit(id, 1000n)))).to.equal('conflict')
    expect(await balanceOf(log.port, id)).to.equal(BigInt(races))
  })

  it('a lost race is decided anew: what the other took is not there any more', async () => {
    const b = startProcess(log.port)
    const id = await openWallet(b.send, 100n)
    let first = true
    const { send } = startProcess(
      portWith(async (stream, expected, events) => {
        if (first) await b.send(debit(id, 60n))
        first = false
        return log.port.append(stream, expected, events)
      }),
    )
    expect(await codeOf(send(debit(id, 60n)))).to.equal('insufficient_funds')
    expect(await balanceOf(log.port, id)).to.equal(40n)
  })

  it('two processes that open the same thing at once make one', async () => {
    const processes = [startProcess(log.port), startProcess(log.port)]
    const id = `wallet-${randomUUID()}`
    const codes = await Promise.all(
      processes.map(({ send }) => codeOf(send({ name: 'open', id, body: { kind: 'personal' } }))),
    )
    expect(codes).to.have.members([undefined, 'wallet_already_open'])
    expect(await eventsOf(log.port, id)).to.have.length(1)
  })

  it('the same command sent to two processes at once has one effect', async () => {
    const processes = [startProcess(log.port), startProcess(log.port)]
    const id = await openWallet(processes[0]!.send)
    await processes[1]!.send(credit(id, 1n))
    const command = credit(id, 10n)
    const receipts = await Promise.all(processes.map(one => patient(one, command)))
    expect(new Set(receipts.map(({ revision }) => revision)).size).to.equal(1)
    expect(await balanceOf(log.port, id)).to.equal(11n)
  })

  it('an append whose answer gets lost is found by looking', async () => {
    const { send } = startProcess(
      portWith(async (...args) => {
        await log.port.append(...args)
        throw noAnswer()
      }),
    )
    const id = await openWallet(send)
    expect((await send(credit(id, 10n))).revision).to.equal(2n)
    expect(await balanceOf(log.port, id)).to.equal(10n)
  })

  it('an append that never arrives is unknown, and takes effect once when sent again', async () => {
    let away = false
    const { send } = startProcess(
      portWith(async (...args) => {
        if (away) throw noAnswer()
        return log.port.append(...args)
      }),
    )
    const id = await openWallet(send)
    const command = credit(id, 10n)
    away = true
    expect(await codeOf(send(command))).to.equal('outcome_unknown')
    away = false
    expect(await send(command)).to.have.property('replayed', false)
    expect(await balanceOf(log.port, id)).to.equal(10n)
  })

  it('an engine that is away for reads as well says so, and nothing is remembered of it', async () => {
    let away = false
    const whileAway = (): void => {
      if (away) throw noAnswer()
    }
    const { send } = startProcess({
      ...log.port,
      read: async (...args) => {
        whileAway()
        return log.port.read(...args)
      },
      append: async (...args) => {
        whileAway()
        return log.port.append(...args)
      },
    })
    const id = await openWallet(send)
    away = true
    const command = credit(id, 10n)
    expect(await codeOf(send(command))).to.be.oneOf(['engine_unavailable', 'outcome_unknown'])
    away = false
    expect(await send(command)).to.have.property('replayed', false)
    expect(await balanceOf(log.port, id)).to.equal(10n)
  })

  for (const when of ['before it is sent again', 'after it was sent again', 'after other commands'] as const) {
    it(`an append that arrives late, ${when}, has one effect`, async () => {
      const late: (() => Promise<unknown>)[] = []
      let delay = false
      const { send } = startProcess(
        portWith(async (...args) => {
          if (!delay) return log.port.append(...args)
          delay = false
          late.push(() => log.port.append(...args))
          throw noAnswer()
        }),
      )
      const id = await openWallet(send)
      const command = credit(id, 10n)
      delay = true
      expect(await codeOf(send(command))).to.equal('outcome_unknown')
      const arrives = () => late[0]!().catch((error: Error) => expect(error.name).to.equal('LostRaceError'))
      if (when === 'after other commands') await send(credit(id, 1n))
      if (when !== 'after it was sent again') await arrives()
      await send(command)
      if (when === 'after it was sent again') await arrives()
      expect((await eventsOf(log.port, id)).filter(({ data }) => amountIn(data) === 10n)).to.have.length(1)
    })
  }

  it('a fault that nobody foresaw is not taken for an unknown outcome', async () => {
    let broken = false
    const { send } = startProcess(
      portWith(async (...args) => {
        if (broken) throw new RangeError('a bug')
        return log.port.append(...args)
      }),
    )
    const id = await openWallet(send)
    broken = true
    const error = await send(credit(id, 1n)).catch((thrown: unknown) => thrown)
    expect(error).to.be.instanceOf(RangeError)
    broken = false
    await send(credit(id, 1n))
    expect(await balanceOf(log.port, id)).to.equal(1n)
  })
})

const amountIn = (data: unknown) => (data as { postings?: readonly { amount: bigint }[] }).postings?.[0]?.amount

/** Sends until it is through: what a client does with a conflict. */
async function patient({ send }: ReturnType<typeof startProcess>, command: Parameters<typeof send>[0]) {
  for (;;) {
    try {
      return await send(command)
    } catch (error) {
      if ((error as { code?: string }).code !== 'conflict') throw error
    }
  }
}
