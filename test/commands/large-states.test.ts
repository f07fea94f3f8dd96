import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { streamOf } from '../../commands/ids.ts'
import { partsOf, readSnapshot, saveSnapshot } from '../../commands/snapshot.ts'
import type { EventOf } from '../../domain/kernel/aggregate.ts'
import type { events } from '../../domain/wallet/wallet/messages.ts'
import { accountsOf, type Wallet, wallet } from '../../domain/wallet/wallet/wallet.ts'
import { stateOf } from '../support/spec.ts'
import { codeOf, credit, eventStore, ORG, snapshotsOf, startProcess } from './support.ts'

type Fact = EventOf<typeof events>
const MANY = 10_000
const nameOf = (n: number) => `liabilities:customers:${String(n).padStart(5, '0')}`

/** A wallet with so many accounts beside `a`, each of which holds something. */
function factsOf(accounts: number): readonly Fact[] {
  const opened = (account: string): Fact => ({
    type: 'AccountOpened',
    data: { account, currency: 'EUR', places: 2, overdraft: 'allowed' },
  })
  const names = Array.from({ length: accounts }, (_, n) => nameOf(n))
  return [
    { type: 'WalletOpened', data: { owner: 'user-1', kind: 'business' } },
    ...['a', ...names].map(opened),
    ...names.map((account, n): Fact => {
      const amount = BigInt(n + 1)
      const postings = [
        { account, currency: 'EUR', amount },
        { account: 'external:x', currency: 'EUR', amount: -amount },
      ]
      return { type: 'EntryPosted', data: { entry: `e-${n}`, kind: 'credit', postings, effectiveOn: '2026-01-01' } }
    }),
  ]
}

/** Milliseconds of the processor that the fastest of some runs takes, whatever else the machine does. */
function fastest(runs: number, run: () => void): number {
  const times = Array.from({ length: runs }, () => {
    const begun = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(begun)
    return (user + system) / 1_000
  })
  return Math.min(...times)
}

describe('large states', function largeStates() {
  this.timeout(120_000)
  const log = eventStore()
  const large = stateOf(wallet, factsOf(MANY)) as Wallet

  it('cost a command as much as small ones do', () => {
    const small = stateOf(wallet, factsOf(10)) as Wallet
    const context = {
      id: 'w',
      org: ORG,
      actor: 'u',
      permissions: [],
      at: '2026-01-31T12:00:00.000Z',
      newId: (n: number) => `made-${n}`,
    }
    const body = { account: 'a', currency: 'EUR', amount: 1n, counterparty: 'external:x' }
    const step = (state: Wallet) => () => {
      for (let n = 0; n < 500; n += 1) {
        const [fact] = wallet.decide.credit(state, body, context)
        wallet.evolve.EntryPosted(state, fact!.data as never, context.at)
      }
    }
    const times = { small: fastest(15, step(small)), large: fastest(15, step(large)) }
    // Of some 400 µs that a command costs in all, so much more may be due to the size: a fifth.
    const perCommandMs = (times.large - times.small) / 500
    expect(perCommandMs, JSON.stringify(times)).to.be.lessThan(0.08)
  })

  it('are written in parts, and loaded without holding others up', async () => {
    const { send, deps, snapshotsFailed } = startProcess(log.port)
    const id = 'many-accounts'
    const stream = streamOf(ORG, 'wallet', id)
    await send({ name: 'open', id, body: { kind: 'business' }, opens: true })
    await send({ name: 'openAccount', id, body: { account: 'a', currency: 'EUR', overdraft: 'refused' } })
    for (let at = 0; at < MANY; at += 500) {
      await Promise.all(
        Array.from({ length: 500 }, (_, n) =>
          send({ name: 'openAccount', id, body: { account: nameOf(at + n), currency: 'EUR', overdraft: 'allowed' } }),
        ),
      )
    }
    const { loaded } = await deps.streams.load(wallet, stream)
    while (loaded.saving) await nextTurn()
    expect(snapshotsFailed).to.deep.equal([])
    expect((await snapshotsOf(log.port, id)).length).to.be.greaterThan(1)

    const cold = startProcess(log.port)
    let longestMs = 0
    let isOver = false
    const watching = (async () => {
      for (let before = performance.now(); !isOver; before = performance.now()) {
        await nextTurn()
        longestMs = Math.max(longestMs, performance.now() - before)
      }
    })()
    const begun = performance.now()
    const again = (await cold.deps.streams.load(wallet, stream)).loaded
    const tookMs = performance.now() - begun
    isOver = true
    await watching
    expect(accountsOf(again.state as Wallet)).to.have.length(MANY + 1)
    expect(again.revision).to.equal(loaded.revision)
    expect(again.state).to.deep.equal(loaded.state)
    console.log(`      ${MANY} accounts: loaded in ${Math.round(tookMs)} ms, longest pause ${Math.round(longestMs)} ms`)
    expect(await codeOf(cold.send(credit(id, 1n)))).to.equal(undefined)
  })

  it('are passed over while they are not whole, and the one before is taken', async () => {
    const stream = 'wallet-00000000-0000-5000-8000-000000000001'
    const parts = await saveSnapshot(log.port, wallet, { stream, revision: 500n, state: large }, 0)
    expect(parts).to.be.greaterThan(4)
    const torn = { ...log.port, appendDerived: async () => Promise.reject(new Error('cut off')) }
    let appends = 0
    const cut = {
      ...log.port,
      appendDerived: (...args: Parameters<typeof log.port.appendDerived>) =>
        appends++ === 0 ? log.port.appendDerived(...args) : torn.appendDerived(),
    }
    const next = { stream, revision: 1_000n, state: stateOf(wallet, factsOf(MANY + 1)) }
    await saveSnapshot(cut, wallet, next, parts).catch(() => undefined)
    const found = await readSnapshot(log.port, wallet, stream)
    expect(found?.revision).to.equal(500n)
    expect(found?.state).to.deep.equal(large)
    await saveSnapshot(log.port, wallet, next, parts)
    expect((await readSnapshot(log.port, wallet, stream))?.revision).to.equal(1_000n)
    expect(await readSnapshot(log.port, { ...wallet, stateSchema: 99 } as never, stream)).to.equal(undefined)
  })

  it('come back as they were, whatever is in them', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('$bigint', '$', '__proto__', 'constructor', '1'))
    const value = fc.letrec(tie => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.bigInt(),
        fc.string(),
        fc.constant(null),
        fc.boolean(),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('node'), { maxLength: 4 }),
      map: fc.dictionary(key, tie('node'), { maxKeys: 6 }),
    }))
    return fc.assert(
      fc.asyncProperty(value.map, async state => {
        const stream = `wallet-${[...partsOf(state)].length}-${Math.random()}`
        await saveSnapshot(log.port, wallet, { stream, revision: 7n, state }, 0)
        expect((await readSnapshot(log.port, wallet, stream))?.state ?? {}).to.deep.equal(state)
      }),
      { numRuns: 20 },
    )
  })
})
