import { expect } from 'chai'
import type { Command, Receipt } from '../../../commands/command.ts'
import { importOptions, optionsSchema } from '../../../commands/imports/routes.ts'
import { importStatement, undoImport } from '../../../commands/imports/statement.ts'
import { loadWallet } from '../../../commands/imports/wallet-state.ts'
import type { EventStore } from '../../../commands/ports.ts'
import { parseBody } from '../../../commands/requests.ts'
import { loadedStreams } from '../../../commands/streams.ts'
import { Turns } from '../../../commands/turns.ts'
import { KogiError } from '../../../domain/kernel/errors.ts'
import { object } from '../../../domain/kernel/schema.ts'
import { accountOf } from '../../../domain/wallet/wallet/wallet.ts'
import { codec } from '../../../infra/catalogue.ts'
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { commandStore } from '../../../infra/event-store/command-store.ts'
import { readXml } from '../../../infra/xml/read.ts'
import { codeOf, plainKeyring } from '../../commands/support.ts'

const layout = {
  decimal_mark: '.',
  date_format: 'YYYY-MM-DD',
  currency: 'EUR',
  account: '77',
  columns: { date: 'day', amount: 'amount', payee: 'payee' },
}
/** Rows of which many are equal. */
const bytes = Buffer.from(
  [
    'day,amount,payee',
    ...Array.from({ length: 350 }, (_, n) => `2026-01-0${1 + (n % 9)},${n % 7}.50,Shop ${n % 3}`),
  ].join('\n'),
)
const SUM = Array.from({ length: 350 }, (_, n) => BigInt((n % 7) * 100 + 50)).reduce((sum, one) => sum + one, 0n)

describe('imports of bank statements: the run', () => {
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

  const depsOn = (port: EventStore) => ({
    store: port,
    codec,
    streams: loadedStreams({ store: port, codec, unskippedBy: async () => [], onSnapshotFailed: () => {} }),
    checkReferences: async () => {},
    turns: new Turns<Command, Receipt>(),
    now: () => '2026-02-01T00:00:00.000Z',
    keyring: plainKeyring,
    onRefused: () => {},
    readXml,
  })
  const caller = { principal: { subject: 'mira', org: 'acme', roles: [], permissions: [] }, correlationId: 'run' }
  const importInto = (wallet: string, port: EventStore = store) =>
    importStatement(depsOn(port), {
      ...caller,
      wallet,
      bytes,
      name: 'x.csv',
      format: 'csv',
      options: { ...importOptions(parseBody(object(optionsSchema), { rules: { csv: layout } })), opens: 'business' },
      dryRun: false,
    })
  const balanceOf = async (wallet: string) => {
    const { state } = await loadWallet(depsOn(store), { org: 'acme', wallet })
    return accountOf(state, 'assets:bank:77', 'EUR')?.amount
  }

  /** A log whose connection is cut for good at one of its appends. */
  const cutAt = (place: number): EventStore => {
    let appends = 0
    return {
      ...store,
      append: async (...args) => {
        appends += 1
        if (appends === place) throw new KogiError('subject_erased', 'The test cuts here.')
        return store.append(...args)
      },
    }
  }

  it('is completed by another one, wherever it was cut off, as the same import', async () => {
    for (const place of [1, 2, 3, 5, 7]) {
      const wallet = `cut-${place}`
      const cut = await importInto(wallet, cutAt(place)).then(
        () => 'whole',
        (error: KogiError) => error.code,
      )
      const done = await importInto(wallet)
      expect(await balanceOf(wallet), `${place}: ${cut}`).to.equal(SUM)
      expect((await importInto(wallet)).import, String(place)).to.equal(done.import)
      const { posted } = await loadWallet(depsOn(store), { org: 'acme', wallet })
      expect(posted.size).to.equal(350)
    }
  })

  it('books each row once where several run at the same time', async () => {
    const wallet = `many-${++wallets}`
    const runs = await Promise.allSettled([1, 2, 3].map(() => importInto(wallet)))
    expect(runs.map(({ status }) => status)).to.include('fulfilled')
    await importInto(wallet)
    expect(await balanceOf(wallet)).to.equal(SUM)
  })

  it('is taken back whole, also where that was cut off', async () => {
    const wallet = `back-${++wallets}`
    const { import: id } = await importInto(wallet)
    const undo = (port: EventStore = store) => undoImport(depsOn(port), { ...caller, import: id })
    await undo(cutAt(3)).catch(() => {})
    const { reversed } = await undo()
    expect(reversed).to.be.lessThan(350).and.greaterThan(0)
    expect(await balanceOf(wallet)).to.equal(0n)
    expect((await undo()).reversed).to.equal(0)
  })

  it('is not imported again before it is taken back whole', async () => {
    const wallet = `half-${++wallets}`
    const { import: id } = await importInto(wallet)
    const undo = (port: EventStore = store) => undoImport(depsOn(port), { ...caller, import: id })
    // Behind the append that says it, which the second time is there already: then the first reversals are booked.
    for (const place of [2, 2]) {
      await undo(cutAt(place)).catch(() => {})
      const before = await balanceOf(wallet)
      expect(await codeOf(importInto(wallet))).to.equal('import_undo_unfinished')
      expect(await balanceOf(wallet)).to.equal(before)
    }
    await undo()
    await importInto(wallet)
    expect(await balanceOf(wallet)).to.equal(SUM)
  })

  it('leaves nothing behind where it is taken back while it books', async () => {
    const wallet = `raced-${++wallets}`
    let undone: unknown
    const raced: EventStore = {
      ...store,
      append: async (...args) => {
        const { posted } = await loadWallet(depsOn(store), { org: 'acme', wallet })
        const own = [...posted.values()][0]?.source
        if (own && undone === undefined) undone = await undoImport(depsOn(store), { ...caller, import: own })
        return store.append(...args)
      },
    }
    expect(await codeOf(importInto(wallet, raced))).to.equal('import_undone')
    expect(undone).to.not.equal(undefined)
    expect(await balanceOf(wallet)).to.equal(0n)
    await importInto(wallet)
    expect(await balanceOf(wallet)).to.equal(SUM)
  })
})
