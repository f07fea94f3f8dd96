import { expect } from 'chai'
import { Turns } from '../../commands/execute.ts'
import { streamOf } from '../../commands/ids.ts'
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
      await b.send(move('live'))
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
    it('let commands of one stream run one after another, in order, and others beside them', async () => {
      const turns = new Turns()
      const seen: string[] = []
      const job = (name: string, ms: number) => async () => {
        seen.push(`${name} begins`)
        await new Promise(resolve => setTimeout(resolve, ms))
        seen.push(`${name} ends`)
        if (name === 'bad') throw new Error('bad')
        return name
      }
      const bad = turns.take('x', job('bad', 20)).catch((error: Error) => error.message)
      const all = await Promise.all([bad, turns.take('x', job('good', 1)), turns.take('y', job('other', 1))])
      expect(all).to.deep.equal(['bad', 'good', 'other'])
      expect(seen).to.deep.equal(['bad begins', 'other begins', 'other ends', 'bad ends', 'good begins', 'good ends'])
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
