import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { type Bus, BusMovedError, type Delivered } from '../../infra/relay/bus.ts'
import { inProcessBus } from '../../infra/relay/in-process.ts'
import { jetStreamBus } from '../../infra/relay/jetstream.ts'
import { hasNats, type NatsServer, NO_NATS, startNats } from '../relay/nats-server.ts'

let server: NatsServer | undefined

const ENGINES = [
  { name: 'in-process', isThere: true, open: async () => inProcessBus() },
  {
    name: 'NATS JetStream',
    isThere: hasNats,
    async open() {
      server ??= await startNats()
      return jetStreamBus({ url: server.url, stream: 'KOGI', maxAgeMs: 3_600_000, consumers: [] })
    },
  },
]

for (const { name, isThere, open } of ENGINES) {
  describe(`the event bus: ${name}`, function bus() {
    this.timeout(30_000)
    let bus: Bus
    before(async function openBus() {
      if (!isThere) {
        console.log(`      ${NO_NATS}`)
        this.skip()
      }
      bus = await open()
    })
    after(async () => {
      await bus?.close()
      if (name !== 'in-process') await server?.close()
    })

    const message = (text: string, subject = 'kogi.acme.center.task.TaskCreated') => {
      return { subject, id: randomUUID(), body: Buffer.from(text) }
    }
    /** Follows a subject until so many messages came. */
    const consumed = async (consumer: string, filter: string, count: number, failing = new Set<string>()) => {
      const stop = new AbortController()
      const found: Delivered[] = []
      await bus.consume(
        { name: consumer, filter },
        async delivered => {
          found.push(delivered)
          if (found.length >= count) stop.abort()
          if (failing.delete(Buffer.from(delivered.body).toString())) throw new Error('not now')
        },
        stop.signal,
      )
      return found
    }
    const textsOf = (messages: readonly Delivered[]) => messages.map(({ body }) => Buffer.from(body).toString())

    it('stores what is published at once in its order, behind what is there', async () => {
      const end = await bus.end()
      const texts = Array.from({ length: 200 }, (_, n) => `order ${n}`)
      const stored = await Promise.all(
        texts.map((text, n) => bus.publish(message(text, 'kogi.acme.order.x.Y'), end + n)),
      )
      expect(stored.map(({ sequence }) => sequence)).to.deep.equal(texts.map((_, n) => end + n + 1))
      expect(await bus.end()).to.equal(end + 200)
      expect(textsOf(await consumed('order', 'kogi.acme.order.>', 200))).to.deep.equal(texts)
    })

    it('refuses what comes behind another message than the last, and all that comes behind that', async () => {
      const end = await bus.end()
      await bus.publish(message('someone else'), end)
      const results = await Promise.allSettled([bus.publish(message('a'), end), bus.publish(message('b'), end + 5)])
      for (const result of results) {
        expect(result.status === 'rejected' && result.reason).to.be.instanceOf(BusMovedError)
      }
      expect(await bus.end()).to.equal(end + 1)
    })

    it('stores an id once, wherever it is said to come', async () => {
      const end = await bus.end()
      const once = message('once')
      const first = await bus.publish(once, end)
      await bus.publish(message('between'), end + 1)
      const again = await bus.publish(once, end + 2)
      expect([first.isDuplicate, again.isDuplicate, again.sequence]).to.deep.equal([false, true, first.sequence])
      expect(await bus.end()).to.equal(end + 2)
    })

    it('hands out what fits a filter, under the id that it was published with', async () => {
      const end = await bus.end()
      const wanted = message('wanted', 'kogi.filter.wallet.wallet.WalletOpened')
      await bus.publish(message('org', 'kogi.other.wallet.wallet.WalletOpened'), end)
      await bus.publish(message('service', 'kogi.filter.center.wallet.WalletOpened'), end + 1)
      await bus.publish(wanted, end + 2)
      const [found] = await consumed('filter', 'kogi.filter.wallet.*.WalletOpened', 1)
      expect([found!.id, found!.subject]).to.deep.equal([wanted.id, wanted.subject])
    })

    it('hands out again what failed, before what came behind it, and goes on where a consumer was', async () => {
      const end = await bus.end()
      for (let n = 0; n < 5; n++) await bus.publish(message(`m${n}`, 'kogi.again.a.b.C'), end + n)
      const first = await consumed('again', 'kogi.again.>', 4, new Set(['m1']))
      expect(textsOf(first)).to.deep.equal(['m0', 'm1', 'm1', 'm2'])
      expect(textsOf(await consumed('again', 'kogi.again.>', 2))).to.deep.equal(['m3', 'm4'])
    })
  })
}
