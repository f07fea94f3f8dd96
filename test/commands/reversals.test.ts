import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { balanceOf, codeOf, credit, debit, eventStore, eventsOf, openWallet, startProcess } from './support.ts'

type Entry = { readonly entry: string; readonly reverses?: string; readonly kind: string }

describe('entries are taken back once', () => {
  const log = eventStore()
  const reverse = (id: string, entry: string, more: object = {}, idempotencyKey: string = randomUUID()) => ({
    name: 'reverse',
    id,
    body: { entry, ...more },
    idempotencyKey,
  })
  const entryOf = ({ events }: { readonly events: readonly { readonly data: unknown }[] }) => events[0]!.data as Entry
  const entriesOf = async (id: string) =>
    (await eventsOf(log.port, id)).filter(({ type }) => type === 'EntryPosted').map(({ data }) => data as Entry)

  it('by whoever comes first of many processes, each with a body and a key of its own', async () => {
    const { send } = startProcess(log.port)
    const id = await openWallet(send, 50n)
    const { entry } = entryOf(await send(credit(id, 100n)))
    const processes = Array.from({ length: 8 }, () => startProcess(log.port))
    const codes = await Promise.all(
      processes.map((one, n) => codeOf(one.send(reverse(id, entry, { description: `No ${n}` })))),
    )
    expect(codes.filter(code => code === undefined)).to.have.length(1)
    expect(new Set(codes.filter(code => code !== undefined))).to.deep.equal(new Set(['entry_already_reversed']))
    expect(await balanceOf(log.port, id)).to.equal(50n)
    expect((await entriesOf(id)).filter(({ reverses }) => reverses === entry)).to.have.length(1)
  })

  it('and the same request again, under any key, answers with the first one', async () => {
    const { send } = startProcess(log.port)
    const id = await openWallet(send)
    const { entry } = entryOf(await send(credit(id, 100n)))
    const first = await send(reverse(id, entry))
    const again = await startProcess(log.port).send(reverse(id, entry))
    expect({ ...again, replayed: false }).to.deep.equal(first)
    expect(again.replayed).to.equal(true)
    const dry = { ...reverse(id, entry, { description: 'Other' }), dryRun: Symbol('dry run') }
    expect(await codeOf(send(dry))).to.equal('entry_already_reversed')
  })

  it('together in one append as well', async () => {
    const { send } = startProcess(log.port)
    const id = await openWallet(send)
    const [a, b] = [entryOf(await send(credit(id, 100n))), entryOf(await send(credit(id, 30n)))]
    const bodies = [{ description: '1' }, { description: '2' }, {}]
    const codes = await Promise.all(
      [a, b].flatMap(({ entry }) => bodies.map(body => codeOf(send(reverse(id, entry, body))))),
    )
    expect(codes.filter(code => code === undefined)).to.have.length(2)
    expect(await balanceOf(log.port, id)).to.equal(0n)
  })

  it('by an import or by a request, not by both', async () => {
    const { send } = startProcess(log.port)
    const id = await openWallet(send)
    const postings = (amount: bigint) => [
      { account: 'a', currency: 'EUR', amount },
      { account: 'external:x', currency: 'EUR', amount: -amount },
    ]
    const post = (reverses: string, idempotencyKey: string) => ({
      name: 'post',
      id,
      body: { postings: postings(-10n), reverses },
      idempotencyKey,
    })
    const [a, b] = [entryOf(await send(credit(id, 10n))), entryOf(await send(credit(id, 10n)))]
    await send(post(a.entry, `import:reversal:${a.entry}`))
    expect(await codeOf(send(reverse(id, a.entry)))).to.equal('entry_already_reversed')
    await send(reverse(id, b.entry))
    expect(await codeOf(send(post(b.entry, 'mine')))).to.equal('entry_already_reversed')
    expect(await balanceOf(log.port, id)).to.equal(0n)
  })

  it('finds the entry by its id, or at once by its revision', async () => {
    const { send } = startProcess(log.port)
    const id = await openWallet(send)
    const { revision, events } = await send(credit(id, 100n))
    const { entry } = events[0]!.data as Entry
    await Promise.all(Array.from({ length: 1_100 }, () => send(credit(id, 1n))))
    const { send: other } = startProcess(log.port)
    expect(await codeOf(other(reverse(id, entry, { revision: revision + 1n })))).to.equal('entry_unknown')
    expect(await codeOf(other(reverse(id, randomUUID())))).to.equal('entry_unknown')
    expect(await codeOf(other(reverse('nowhere', entry)))).to.equal('not_found')
    const late = entryOf(await send(credit(id, 5n)))
    await other(reverse(id, late.entry))
    await other(reverse(id, entry))
    const [one] = (await eventsOf(log.port, id)).slice(10)
    await other(reverse(id, (one!.data as Entry).entry, { revision: one!.revision }))
    expect(await balanceOf(log.port, id)).to.equal(1_099n)
  })

  it('is refused where the money is gone, and can be done when it is there again', async () => {
    const { send } = startProcess(log.port)
    const id = await openWallet(send)
    const { entry } = entryOf(await send(credit(id, 100n)))
    await send(debit(id, 1n))
    expect(await codeOf(send(reverse(id, entry)))).to.equal('insufficient_funds')
    await send(credit(id, 1n))
    await send(reverse(id, entry))
    expect(await balanceOf(log.port, id)).to.equal(0n)
  })
})
