import { expect } from 'chai'
import type { WriteDeps } from '../../commands/execute.ts'
import { loadWallet } from '../../commands/imports/wallet-state.ts'
import type { EventStore } from '../../commands/ports.ts'
import { loadedStreams } from '../../commands/streams.ts'
import { Turns } from '../../commands/turns.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { codec } from '../../infra/catalogue.ts'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'
import type { Journal } from '../../scripts/journal/journal.ts'
import { planImport, type Target } from '../../scripts/journal/plan.ts'
import { runImport } from '../../scripts/journal/run.ts'
import { plainKeyring } from '../commands/support.ts'
import { asRefusal, balances, journal, line, TARGET, tx } from './support.ts'

const day = (n: number) => tx(`Day ${n % 3}`, line('expenses:food', `${n}.50 EUR`), line('assets:cash', `-${n}.50 EUR`))
const days = (n: number) => journal(...Array.from({ length: n }, (_, k) => day(k)))

describe('import: the run', () => {
  let server: Awaited<ReturnType<typeof startEventStore>>
  let store: EventStore & { close: () => Promise<void> }
  let wallets = 0

  before(async () => {
    server = await startEventStore({ memory: true })
    store = commandStore(server.url, 5_000)
  })
  after(async () => {
    await store.close()
    await server.close()
  })

  /** A write side as a new process has it: it remembers nothing. */
  const deps = (port: EventStore = store): WriteDeps => ({
    store: port,
    codec,
    streams: loadedStreams({
      store: port,
      codec,
      unskippedBy: async () => ['tasks'],
      onSnapshotFailed: () => undefined,
    }),
    checkReferences: async () => undefined,
    keyring: plainKeyring,
    turns: new Turns(),
    now: () => '2026-01-31T12:00:00.000Z',
    onRefused: () => undefined,
  })
  const fresh = (): Target => {
    wallets += 1
    return { ...TARGET, wallet: `books-${wallets}` }
  }
  const importOnce = async (transactions: Journal, target: Target, port: EventStore = store, together?: number) => {
    const plan = planImport(transactions, target, await loadWallet(deps(port), target), new Map())
    return { plan, ...(await runImport(plan, deps(port), target, () => undefined, together)) }
  }
  /** Cuts an import off at each of its appends, in a wallet of its own, has it completed and looks at it each time. */
  const cutOff = async (
    transactions: Journal,
    together: number,
    { begin, look }: { begin: (target: Target) => Promise<unknown>; look: (target: Target) => Promise<void> },
  ) => {
    for (let cut = 0; ; cut += 1) {
      for (const when of ['before', 'after'] as const) {
        const target = fresh()
        await begin(target)
        const port = dying(store, cut, when)
        const error = await importOnce(transactions, target, port, together).catch((thrown: unknown) => thrown)
        if (!(error instanceof Error)) return cut
        expect(error.message).to.equal('killed')
        await importOnce(transactions, target)
        await look(target)
      }
    }
  }

  it('appends what the plan says, and nothing the second time', async () => {
    const target = fresh()
    const first = await importOnce(days(7), target)
    expect(first.appended).to.deep.equal({ open: 1, openAccount: 2, post: 7 })
    const after = await loadWallet(deps(), target)
    expect(after.state).to.deep.equal(first.plan.state)
    expect(after.posted.size).to.equal(7)
    expect(after.position).to.equal(first.position)
    expect((await importOnce(days(7), target)).appended).to.deep.equal({ open: 0, openAccount: 0, post: 0 })
    expect(await loadWallet(deps(), target)).to.deep.equal(after)
  })

  it('adds exactly the line that was put at the top', async () => {
    const target = fresh()
    await importOnce(days(5), target)
    const grown = journal(day(99), ...days(5))
    expect((await importOnce(grown, target)).appended).to.deep.equal({ open: 0, openAccount: 0, post: 1 })
    expect(balances(await loadWallet(deps(), target))).to.include({ 'expenses:food EUR': '11200' })
  })

  for (const [together, appends] of [
    [1, 9],
    [4, 3],
    [100, 1],
  ] as const) {
    it(`completes exactly what was cut off, before or after any append of ${together} steps`, async () => {
      const whole = (await importOnce(days(6), fresh())).plan.state
      const look = async (target: Target) => {
        const after = await loadWallet(deps(), target)
        expect(after.state).to.deep.equal(whole)
        expect(after.posted.size).to.equal(6)
      }
      expect(await cutOff(days(6), together, { begin: async () => undefined, look })).to.be.at.least(appends)
    })
  }

  it('completes a correction that was cut off, and a commodity that grew, before or after any append', async () => {
    const fund = (number: string) =>
      tx('Fund', line('assets:fund', `${number} WORLD`), line('equity', `-${number} WORLD`))
    const first = journal(day(1), fund('3'))
    const grown = journal(day(2), fund('2.5'), day(1))
    const look = async (target: Target) => {
      const after = await loadWallet(deps(), target)
      expect(balances(after)).to.deep.equal({
        'assets:cash EUR': '-400',
        'assets:fund WORLD': '25',
        'equity WORLD': '-25',
        'expenses:food EUR': '400',
      })
      expect(after.posted.size).to.equal(5)
      expect((await importOnce(grown, target)).plan.steps).to.deep.equal([])
    }
    for (const [together, appends] of [
      [1, 3],
      [2, 2],
    ] as const) {
      const begin = (target: Target) => importOnce(first, target)
      expect(await cutOff(grown, together, { begin, look })).to.be.at.least(appends)
    }
  })

  it('goes on after an outage, and after answers that did not come', async () => {
    const target = fresh()
    const { plan } = await importOnce(days(4), target, faltering(store))
    const after = await loadWallet(deps(), target)
    expect(after.state).to.deep.equal(plan.state)
    expect(after.posted.size).to.equal(4)
  })

  it('counts once what two runs do at the same time', async () => {
    const target = fresh()
    const [{ plan }] = await Promise.all([importOnce(days(20), target), importOnce(days(20), target)])
    const after = await loadWallet(deps(), target)
    expect(after.state).to.deep.equal(plan.state)
    expect(after.posted.size).to.equal(20)
  })

  it('stops with file and line where the wallet has changed meanwhile', async () => {
    const target = fresh()
    const state = await loadWallet(deps(), target)
    const plan = planImport(days(1), target, state, new Map())
    const bank = journal(tx('', line('assets:bank', '1 EUR'), line('assets:cash', '-1 EUR')))
    const strict = planImport(bank, target, state, new Map())
    const steps = strict.steps.map(step =>
      step.command === 'openAccount'
        ? { ...step, key: `${step.key}:strict`, body: { ...step.body, overdraft: 'refused' } }
        : step,
    )
    await runImport({ ...strict, steps: steps.slice(0, 3) }, deps(), target, () => undefined)
    const error = await runImport(plan, deps(), target, () => undefined).catch((thrown: unknown) => thrown)
    expect(asRefusal(error)).to.include({ file: 'made-up.journal', line: 1 })
  })
})

/** A log whose client dies at its n-th append, just before it or when it was done, and answers nothing from then on. */
function dying(store: EventStore, n: number, when: 'before' | 'after'): EventStore {
  let left = n
  const alive = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (left < 0) throw new Error('killed')
      return call(...args)
    }
  }
  return {
    ...store,
    read: alive(store.read),
    last: alive(store.last),
    append: alive(async (stream, expected, events) => {
      left -= 1
      if (left >= 0) return store.append(stream, expected, events)
      if (when === 'after') await store.append(stream, expected, events)
      throw new Error('killed')
    }),
  }
}

/** A log that is away at every third append, and whose answer gets lost at every fourth. */
function faltering(store: EventStore): EventStore {
  let appends = 0
  return {
    ...store,
    async append(stream, expected, events) {
      appends += 1
      if (appends % 3 === 0) throw new KogiError('engine_unavailable', 'away')
      const appended = await store.append(stream, expected, events)
      if (appends % 4 === 0) throw new KogiError('engine_unavailable', 'no answer')
      return appended
    },
  }
}
