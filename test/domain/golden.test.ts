import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { evolveWith } from '../../domain/kernel/aggregate.ts'
import { categoryOf, eventCodec } from '../../domain/kernel/codec.ts'
import { InvariantError } from '../../domain/kernel/errors.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { canonicalJson, type Json, toWire } from '../../domain/kernel/json.ts'
import { aggregates, codec } from '../../infra/catalogue.ts'

/** Events as they once were stored, one file for each category. Files here are only ever added to. */
type Golden = {
  readonly type: string
  readonly data: { readonly [key: string]: Json }
  readonly metadata: StoredEvent['metadata']
}

const FOLDER = new URL('../golden/', import.meta.url)
const golden = new Map(
  readdirSync(FOLDER).map(file => {
    const events = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as readonly Golden[]
    return [file.replace(/\.json$/, ''), events.map((event, n) => stored(file, event, n))] as const
  }),
)

function stored(file: string, { type, data, metadata }: Golden, n: number): StoredEvent {
  const stream = `${file.replace(/\.json$/, '')}-6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58`
  return { type, data, metadata, eventId: metadata.commandId, stream, revision: BigInt(n), position: BigInt(n) }
}

describe('golden events', () => {
  it('show every event type of the catalogue', () => {
    for (const { name, events } of aggregates) {
      const shown = new Set(golden.get(name)?.map(({ type }) => type))
      expect([...shown], name).to.include.members(Object.keys(events))
    }
  })

  for (const { name } of aggregates) {
    it(`${name}: decode for ever, and say the same when written again`, () => {
      for (const event of golden.get(name)!) {
        const decoded = codec.decode(event)
        expect(decoded.category).to.equal(name)
        if (event.metadata.schema === codec.schemaOf(event.type)) {
          expect(canonicalJson(toWire(decoded.data))).to.equal(canonicalJson(event.data))
        }
      }
    })

    it(`${name}: decode also where a condition on what is sent came later`, () => {
      for (const event of golden.get(name)!) {
        // No command takes a day of the year 0000 any more.
        const early = JSON.parse(JSON.stringify(event.data).replace(/"\d{4}(-\d\d-\d\d["T])/g, '"0000$1'))
        expect(canonicalJson(toWire(codec.decode({ ...event, data: early }).data))).to.include('{')
      }
    })

    it(`${name}: are a history that folds`, () => {
      const aggregate = aggregates.find(one => one.name === name)!
      const decoded = golden.get(name)!.map(codec.decode)
      const state = decoded.reduce(
        (before, event) => evolveWith(aggregate, before, event),
        aggregate.initial as unknown,
      )
      expect(state).to.have.property('status').that.is.not.equal('none')
    })
  }
})

describe('the event codec', () => {
  const event = golden.get('wallet')!.find(({ type }) => type === 'EntryPosted')!

  it('brings money into memory as bigint', () => {
    const { postings } = codec.decode(event).data as { postings: readonly { amount: bigint }[] }
    expect(postings.map(({ amount }) => typeof amount)).to.include.all.members(['bigint'])
    expect(postings.reduce((sum, { amount }) => sum + amount, 0n)).to.equal(0n)
  })

  it('names the event that no version wrote', () => {
    const spoilt = { ...event, data: { ...event.data, kind: 'gift' } }
    expect(() => codec.decode(spoilt)).to.throw(InvariantError, /EntryPosted at wallet-.*@\d+: kind/)
    expect(() => codec.decode({ ...event, type: 'NobodyKnows' })).to.throw(InvariantError, 'NobodyKnows')
  })

  it('takes an event through the upcasters that it has not had', () => {
    const [wallet] = aggregates
    const upcast = {
      WalletOpened: [
        (data: StoredEvent['data']) => ({ ...data, owner: `${data.owner}-2` }),
        (data: StoredEvent['data']) => ({ ...data, owner: `${data.owner}-3` }),
      ],
    }
    const later = eventCodec([{ ...wallet!, upcast }])
    expect(later.schemaOf('WalletOpened')).to.equal(3)
    expect(later.schemaOf('WalletClosed')).to.equal(1)
    const opened = golden.get('wallet')!.find(({ type }) => type === 'WalletOpened')!
    const ownerAt = (schema: number) => {
      const { data } = later.decode({ ...opened, metadata: { ...opened.metadata, schema } })
      return (data as { owner: string }).owner
    }
    expect([1, 2, 3].map(ownerAt)).to.deep.equal(['user-1-2-3', 'user-1-3', 'user-1'])
  })

  it('takes the category from the stream', () => expect(categoryOf(event.stream)).to.equal('wallet'))
})
