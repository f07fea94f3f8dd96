import { expect } from 'chai'
import { streamOf } from '../../commands/ids.ts'
import { Turns } from '../../commands/turns.ts'
import { item } from '../../domain/briefcase/item/item.ts'
import {
  addItem,
  balanceOf,
  codeOf,
  credit,
  debit,
  eventStore,
  eventsOf,
  ORG,
  openWallet,
  startProcess,
} from './support.ts'

describe('execute', () => {
  const log = eventStore()

  describe('a receipt', () => {
    it('says what happened, and where the log stands', async () => {
      const { send } = startProcess(log.port)
      const id = await openWallet(send)
      const receipt = await send(credit(id, 5n))
      const last = (await eventsOf(log.port, id)).at(-1)!
      expect(receipt).to.deep.include({ id, stream: streamOf(ORG, 'wallet', id), revision: 2n, replayed: false })
      expect(receipt.position).to.equal(last.position)
      expect(receipt.events).to.deep.equal([
        { type: 'EntryPosted', eventId: last.eventId, revision: 2n, data: last.data },
      ])
    })
    it('of a command that changes nothing has the position of the last event', async () => {
      const { send } = startProcess(log.port)
      const id = await openWallet(send)
      const last = (await eventsOf(log.port, id)).at(-1)!
      const again = { name: 'openAccount', id, body: { account: 'a', currency: 'EUR', overdraft: 'refused' } }
      expect(await send(again)).to.deep.include({ revision: 1n, position: last.position, events: [], replayed: false })
      expect(await startProcess(log.port).send(again)).to.deep.include({
        revision: 1n,
        position: last.position,
        events: [],
      })
    })
  })

  describe('the envelope', () => {
    it('names command, caller and instant, and is the same on every try', async () => {
      const { send } = startProcess(log.port, { now: () => '2026-01-31T12:00:00.000Z' })
      const id = await openWallet(send)
      await send({ ...credit(id, 5n), causationId: 'cause' })
      const { metadata, eventId } = (await eventsOf(log.port, id)).at(-1)!
      expect(metadata).to.deep.include({
        $correlationId: 'b6e3a0f4-7d27-4c1e-9a55-0d8f1c2e3a4b',
        $causationId: 'cause',
        org: ORG,
        id,
        actor: { subject: 'user-1', roles: [] },
        subjects: [],
        at: '2026-01-31T12:00:00.000Z',
        schema: 1,
      })
      expect(metadata.commandId).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-5/)
      expect(metadata.fingerprint).to.match(/^[0-9a-f]{64}$/)
      expect(eventId).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-5/)
    })
  })

  describe('a thing that is not there', () => {
    it('answers not_found, and so does one of another org', async () => {
      const { send } = startProcess(log.port)
      const id = await openWallet(send, 10n)
      const stranger = { subject: 'user-2', org: 'org-2', roles: [], permissions: [] }
      expect(await codeOf(send(credit('nobody', 1n)))).to.equal('not_found')
      expect(await codeOf(send({ ...debit(id, 1n), principal: stranger }))).to.equal('not_found')
      await send({ name: 'open', id, body: { kind: 'personal' }, principal: stranger })
      expect(await balanceOf(log.port, id)).to.equal(10n)
    })
    it('is found as soon as another process has made it', async () => {
      const [a, b] = [startProcess(log.port), startProcess(log.port)]
      const id = `wallet-late-${Date.now()}`
      expect(await codeOf(a.send(credit(id, 1n)))).to.equal('not_found')
      await b.send({ name: 'open', id, body: { kind: 'personal' } })
      expect(await codeOf(a.send(credit(id, 1n)))).to.equal('account_not_open')
    })
  })

  describe('an expected revision', () => {
    it('lets the command through exactly when the log stands there', async () => {
      const { send } = startProcess(log.port)
      const id = await openWallet(send)
      expect(await codeOf(send({ ...credit(id, 1n), expectedRevision: 0n }))).to.equal('precondition_failed')
      expect(await codeOf(send({ ...credit(id, 1n), expectedRevision: 2n }))).to.equal('precondition_failed')
      expect((await send({ ...credit(id, 1n), expectedRevision: 1n })).revision).to.equal(2n)
    })
    it('is held against the log, not against a cache that lags behind', async () => {
      const [a, b] = [startProcess(log.port), startProcess(log.port)]
      const id = await openWallet(a.send)
      await b.send(credit(id, 1n))
      expect((await a.send({ ...credit(id, 1n), expectedRevision: 2n })).revision).to.equal(3n)
      await b.send(credit(id, 1n))
      expect(await codeOf(a.send({ ...credit(id, 1n), expectedRevision: 3n }))).to.equal('precondition_failed')
    })
    it('of -1 wants the thing to be new', async () => {
      const { send } = startProcess(log.port)
      const open = { name: 'open', id: `wallet-new-${Date.now()}`, body: { kind: 'personal' }, expectedRevision: -1n }
      expect((await send(open)).revision).to.equal(0n)
      expect(await codeOf(send(open))).to.equal('precondition_failed')
    })
    it('does not keep a command that was done from its receipt', async () => {
      const { send } = startProcess(log.port)
      const id = await openWallet(send)
      const command = { ...credit(id, 1n), expectedRevision: 1n }
      await send(command)
      expect(await send(command)).to.deep.include({ revision: 2n, replayed: true })
    })
  })

  describe('a cache that lags behind', () => {
    it('never refuses wrongly', async () => {
      const [a, b] = [startProcess(log.port), startProcess(log.port)]
      const id = await openWallet(a.send)
      await b.send(credit(id, 100n))
      await a.send(debit(id, 100n))
      expect(await balanceOf(log.port, id)).to.equal(0n)
      expect(a.refused).to.deep.equal([])
    })
    it('never accepts wrongly', async () => {
      const [a, b] = [startProcess(log.port), startProcess(log.port)]
      const id = await openWallet(a.send, 100n)
      await b.send(debit(id, 100n))
      expect(await codeOf(a.send(debit(id, 1n)))).to.equal('insufficient_funds')
      expect(await balanceOf(log.port, id)).to.equal(0n)
    })
    it('never calls a change none', async () => {
      const [a, b] = [startProcess(log.port), startProcess(log.port)]
      const id = await addItem(a.send)
      const move = (status: string) => ({ aggregate: item, name: 'changeStatus', id, body: { status } })
      await b.send(move('cancelled'))
      expect((await a.send(move('draft'))).events).to.have.length(1)
      expect((await a.send(move('draft'))).events).to.have.length(0)
    })
  })

  describe('a refusal', () => {
    it('writes nothing, is noted once, and leaves the next command alone', async () => {
      const { send, refused } = startProcess(log.port)
      const id = await openWallet(send, 10n)
      expect(await codeOf(send(debit(id, 11n)))).to.equal('insufficient_funds')
      expect(refused.map(({ code }) => code)).to.deep.equal(['insufficient_funds'])
      expect(await eventsOf(log.port, id)).to.have.length(3)
      await send(debit(id, 10n))
    })
    it('is decided anew under the same key', async () => {
      const { send } = startProcess(log.port)
      const id = await openWallet(send)
      const command = debit(id, 5n, 'again')
      expect(await codeOf(send(command))).to.equal('insufficient_funds')
      await send(credit(id, 5n))
      expect(await send(command)).to.have.property('replayed', false)
      expect(await send(command)).to.have.property('replayed', true)
    })
  })

  describe('turns', () => {
    /** Turns whose jobs take a while and note what happens; `first` says how many of those that wait are answered. */
    const noting = (first: (waiting: number) => number) => {
      const turns = new Turns<string, string>()
      const seen: string[] = []
      const take = (stream: string, name: string) =>
        turns.take(stream, name, async waiting => {
          const names = waiting.map(({ item }) => item)
          seen.push(`${names} wait`)
          await new Promise(resolve => setTimeout(resolve, 5))
          const answered = waiting.slice(0, first(waiting.length))
          if (answered.some(({ item }) => item === 'bad')) throw new Error('bad')
          for (const { item, resolve } of answered) resolve(item)
          seen.push(`${answered.map(({ item }) => item)} answered`)
          return answered.length
        })
      return { take, seen }
    }
    it('hand over what waits for one stream together, in order, and other streams beside it', async () => {
      const { take, seen } = noting(waiting => waiting)
      const all = [take('x', 'a'), take('x', 'b'), take('y', 'other')]
      await new Promise(resolve => setTimeout(resolve, 1))
      all.push(take('x', 'late'))
      expect(await Promise.all(all)).to.deep.equal(['a', 'b', 'other', 'late'])
      expect(seen.slice(0, 2)).to.deep.equal(['a,b wait', 'other wait'])
      const ofX = seen.filter(line => !line.startsWith('other'))
      expect(ofX).to.deep.equal(['a,b wait', 'a,b answered', 'late wait', 'late answered'])
    })
    it('hand over again what was not answered', async () => {
      const { take, seen } = noting(() => 1)
      expect(await Promise.all(['a', 'b', 'c'].map(name => take('x', name)))).to.deep.equal(['a', 'b', 'c'])
      expect(seen.filter(line => line.endsWith('wait'))).to.deep.equal(['a,b,c wait', 'b,c wait', 'c wait'])
    })
    it('fail together, and go on with those that came later', async () => {
      const { take } = noting(waiting => waiting)
      const failing = ['a', 'bad'].map(name => take('x', name).catch((error: Error) => error.message))
      await new Promise(resolve => setTimeout(resolve, 1))
      const later = take('x', 'c')
      expect(await Promise.all(failing)).to.deep.equal(['bad', 'bad'])
      expect(await later).to.equal('c')
    })
    it('keep 50 commands that come at once from racing each other', async () => {
      const { send } = startProcess(log.port)
      const id = await openWallet(send)
      const receipts = await Promise.all(Array.from({ length: 50 }, () => send(credit(id, 1n))))
      expect(receipts.map(({ revision }) => Number(revision))).to.deep.equal(
        Array.from({ length: 50 }, (_, n) => n + 2),
      )
      expect(await balanceOf(log.port, id)).to.equal(50n)
    })
  })
})
